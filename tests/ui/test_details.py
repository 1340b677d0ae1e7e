"""The details of one event."""

import json
from datetime import UTC
from typing import Any

from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import details

MOVE = ("open as drawer", "drawer")


def _event(seq: int = 37, **changes: Any) -> dict[str, Any]:
    event = FakeService(**changes).event(seq)
    assert event is not None
    return event


def _nodes(event: dict[str, Any]) -> list[Any]:
    return details.detail_nodes(event, UTC, event["received_ms"], move=MOVE)


def test_sentence_says_what_the_event_is() -> None:
    """One line per type; a position has no sign and a word."""
    order, position, balance = _event(37), _event(38), _event(39)
    assert details.sentence(order) == "▲ Buy 0.050 BTC at 2,941.80"
    assert details.sentence(position) == "▲ Long 0.250 SOL at 2,898.40"
    assert details.sentence({**position, "quantity": "-0.250"}).startswith("▼ Short 0.250 SOL")
    assert details.sentence({**position, "quantity": "0.0"}) == "B-SOL_USDT is flat"
    assert details.sentence(balance) == "USDT available 396.52718204"


def test_changes_show_before_after_and_exact_difference() -> None:
    """Differences are decimal, not binary."""
    text = text_of(_nodes(_event()))
    assert "filled quantity 0.020 0.050 ▲ +0.03" in text
    assert "status ◐ partially filled ● filled" in text
    assert details.difference("0.1", "0.3") == "▲ +0.2"
    assert details.difference("11.77", "0.00") == "▼ −11.77"
    assert details.difference("a", "b") == ""


def test_first_event_has_nothing_to_compare() -> None:
    """No invented zero before the first event of an id."""
    event = _event()
    event["changes"] = {"since_seq": None, "since_ms": None, "rows": []}
    assert "first event of this id" in text_of(_nodes(event))


def test_lifecycle_contains_the_chosen_event_and_can_select_others() -> None:
    """However long the history is, the chosen step is in it, and each step is a button."""
    service = FakeService(events=2_000)
    event = service.event(397)
    assert event is not None
    event["timeline"] = [service.row(seq) for seq in range(1, 1_998, 12)]
    steps = with_class(_nodes(event), "step")
    assert 397 in [step["select"] for step in steps]
    assert any("more not shown" in node.get("text", "") for node in walk(_nodes(event)))
    assert all(step["tag"] == "button" for step in steps)


def test_id_and_json_can_be_copied_exactly() -> None:
    """What is shown is cut; what is copied is not."""
    event = _event(text="x" * 5_000)
    copies = [node["copy"] for node in walk(_nodes(event)) if "copy" in node]
    assert copies == [event["id"], event["record"]]
    assert len(event["record"]) > 5_000


def test_times_in_utc_are_in_details_and_tooltips() -> None:
    """The table shows the reader's zone."""
    nodes = _nodes(_event())
    assert "UTC" in text_of(nodes)
    assert all(step["title"].endswith("UTC") for step in with_class(nodes, "step"))


def test_pretty_json_touches_no_digit() -> None:
    """Indenting keeps 1.10 and 1650841.59606695345873 as sent."""
    shown = details.pretty_json('{"a":1.10,"b":"1650841.59606695345873","c":[1,2]}')
    assert "1.10" in shown
    assert "1650841.59606695345873" in shown
    assert shown.count("\n") > 3


def test_pretty_json_shows_what_is_no_json() -> None:
    """A record that cannot be indented is shown as it is."""
    assert details.pretty_json("not json") == "not json"


def test_T13_hostile_texts_stay_text_in_every_part() -> None:
    """Message, status and fields of the feed are text nodes without turning characters; JSON shows escapes."""
    event = _event(text=HOSTILE)
    event["status"] = HOSTILE
    everything = [*walk(_nodes(event)), *walk(details.field_nodes(event))]
    assert any("<img" in node.get("text", "") for node in everything)
    assert all("\u202e" not in node.get("text", "") for node in everything)
    shown = details.pretty_json(event["record"])
    assert "\u202e" not in shown
    assert json.loads(shown) == json.loads(event["record"])


def test_T13_a_megabyte_is_cut_for_display() -> None:
    """The browser gets a piece; the record itself stays whole."""
    event = _event(text="y" * 1_000_000)
    assert len(details.pretty_json(event["record"])) < 21_000
    assert max(len(node.get("text", "")) for node in walk(details.field_nodes(event))) <= 2_000


def test_guide_explains_every_glyph() -> None:
    """While nothing is chosen the pane says how to read the table."""
    text = text_of(details.guide_nodes())
    for word in ("◆ order", "■ position", "≡ balance", "▲ buy", "◐ partially filled", "✕ rejected"):
        assert word in text


def test_fill_is_said_once_and_has_nothing_to_compare() -> None:
    """Fills and ledger rows are never updated."""
    event = _event() | {"type": "fill", "side": "sell", "price": "2741.53", "quantity": "0.195"}
    assert details.sentence(event) == "▼ Filled 0.195 BTC at 2,741.53"
    assert "What changed" not in text_of(_nodes(event))


def test_commands_name_the_event_and_the_state_of_its_kind() -> None:
    """A balance has both, a fill is read as an event only; a token is named, never shown."""
    sidecar = {"url": "ws://127.0.0.1:8000/api/v1/ws/coindcx", "has_login": True}
    event = FakeService().event(12) or {}
    for kind, count in (("order", 2), ("position", 2), ("balance", 2), ("fill", 1)):
        offered = details.commands_for({**event, "type": kind}, sidecar, "e-1")
        assert len(offered) == count
        assert all("$COINDCX_SIDECAR_TOKEN" in command for _, _, command in offered)
    built = details.detail_nodes(event, UTC, event["received_ms"], move=MOVE, commands=offered)
    assert [each["copy"] for each in walk(built) if each.get("text") == "copy curl"] == [offered[0][2]]
    assert details.commands_for(event, {"url": None}, "e-1") == ()
