"""Cards of the tape: glyph and word, what changed, exact figures, and hostile text as text."""

from contextvars import copy_context
from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.tape_cards import card

NOW_MS = 1_795_413_600_000.0


def _indian(row: dict[str, Any]) -> str:
    fmt.group_rupees(True)
    return text_of([card(row, UTC, NOW_MS)])


def _row(**changes: Any) -> dict[str, Any]:
    row = FakeService(events=1).row(1)
    return {**row, "seq": 41_900, "received_ms": NOW_MS, "late": False, **changes}


def test_order_says_type_side_status_pair_change_and_figures() -> None:
    """Every colour has its glyph and word; the exact time is in UTC in the tooltip."""
    built = card(_row(side="buy", status="filled"), UTC, NOW_MS)
    text = text_of([built])
    for part in ("◆ order", "▲ buy", "● filled", "status → filled", "0.050 at 2,941.80", "06:00:00.000"):
        assert part in text, part
    assert "edge-blue" in built["class"]
    assert built["title"].endswith("UTC")
    assert "order buy filled" in built["label"]


def test_press_on_a_card_names_its_event() -> None:
    """The number is its identity, too: a card is never painted twice."""
    built = card(_row(), UTC, NOW_MS)
    assert (built["tag"], built["select"], built["key"]) == ("button", 41_900, 41_900)


@pytest.mark.parametrize(
    ("kind", "edge"),
    [("position", "violet"), ("balance", "green"), ("fill", "gray"), ("system", "gray"), ("new", "gray")],
)
def test_every_type_has_a_card(kind: str, edge: str) -> None:
    """Gaps and other system events as well, and a type that nobody knows yet."""
    built = card(_row(type=kind, pair=None, price=None, quantity=None, id=None), UTC, NOW_MS)
    assert f"edge-{edge}" in built["class"]
    assert kind in text_of([built])


def test_gap_tells_how_long_it_was() -> None:
    """What the rows view says of it, not the name of the message."""
    told = "away from the exchange for 12.4 s · socket closed"
    row = _row(type="system", source="local", pair=None, id=None, message="upstream_gap", what_changed=told)
    built = card(row, UTC, NOW_MS)
    text = text_of([built])
    assert "edge-yellow" in built["class"]
    assert told in text
    assert "upstream_gap" not in text


def test_late_and_missed_events_are_marked() -> None:
    """A late update, and a record that the stream should have told; fills are always read, which is no news."""
    assert "late" in text_of(with_class([card(_row(late=True), UTC, NOW_MS)], "chip"))
    assert "read by REST" in text_of([card(_row(source="rest"), UTC, NOW_MS)])
    assert "REST" not in text_of([card(_row(source="rest", type="fill"), UTC, NOW_MS)])


def test_long_figures_are_shortened_and_exact_in_the_tooltip() -> None:
    """A balance of 14 decimals does not break a card."""
    built = card(_row(type="balance", pair="USDT", quantity="1650841.59606695345873"), UTC, NOW_MS)
    figures = with_class([built], "tape-figures")[0]
    assert "1,650,841.60" in text_of([figures])
    assert "1,650,841.59606695345873" in [node.get("title") for node in walk([figures])]


def test_rupees_are_in_lakh_and_crore_if_the_reader_chose_that() -> None:
    """Every amount of the card; dollars keep thousands, and so do sizes and prices of orders."""
    told = "locked 1,354,920.88 → 24,324,131.84 ▲ · available +12,000"
    row = _row(type="balance", pair="INR", quantity="1650841.59", what_changed=told)
    text = copy_context().run(_indian, row)
    assert "locked 13,54,920.88 → 2,43,24,131.84 ▲ · available +12,000" in text
    assert "16,50,841.59" in text
    assert told in copy_context().run(_indian, {**row, "pair": "USDT"})
    assert told in text_of([card(row, UTC, NOW_MS)])


def test_T13_hostile_text_stays_text_and_short() -> None:
    """Class names come from this program alone; direction-turning characters are replaced, long texts cut."""
    names = ("pair", "side", "status", "id", "message", "what_changed")
    built = card(_row(**dict.fromkeys(names, HOSTILE * 40)), UTC, NOW_MS)
    for node in walk([built]):
        assert "<" not in node.get("class", "")
        assert "\u202e" not in node.get("text", "") + node.get("title", "") + node.get("label", "")
        assert len(node.get("text", "")) <= 200
