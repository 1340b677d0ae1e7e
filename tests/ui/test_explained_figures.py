"""Where the money went, as nodes."""

from datetime import UTC
from typing import Any

from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import explained_figures


def _found(service: FakeService, **changes: Any) -> dict[str, Any]:
    return service.depth.explained("USDT", 0.0) | changes


def test_sums_show_each_part_and_what_is_unexplained() -> None:
    """The unexplained is yellow, with its running total and since when."""
    service = FakeService()
    shown = explained_figures.sums(_found(service), "USDT", UTC, service.now_ms)
    text = text_of(shown)
    assert "USDT, 1 of 2 changes explained" in text
    assert "realised PnL +0.50 fees −3.00 funding 0.00 unexplained +50.00 change of the total +47.50" in text
    assert "unexplained, running total +50.00000000 USDT since" in text
    assert len(with_class(shown, "yellow")) == 2


def test_residue_of_zero_is_grey() -> None:
    """Digits that rounding lost do not alarm."""
    service = FakeService()
    found = _found(service, sums={"change": "1", "residue": "0.0000000004"}, unexplained="0.0000000004")
    shown = explained_figures.sums(found, "USDT", UTC, service.now_ms)
    assert not with_class(shown, "yellow")
    assert "running total 0 USDT" in text_of(shown)


def test_changes_name_their_causes_and_lead_to_the_records() -> None:
    """The balance and each ledger row can be opened; a lock move says so; nothing known is said."""
    service = FakeService()
    shown = explained_figures.changes(_found(service), "USDT", UTC, service.now_ms)
    assert [node["select"] for node in walk(shown) if "select" in node] == [36, 35, 34, 33]
    text = text_of(shown)
    assert "realised PnL +0.50 fees −3.00 −2.50 0" in text
    assert "nothing known +50.00 +50.00" in text
    assert "released 30.50 0.00 0" in text
    assert "newest 3 of 7" in text


def test_T13_hostile_pair_is_text() -> None:
    """Cut, and without characters that turn its direction."""
    service = FakeService(text=HOSTILE)
    shown = explained_figures.changes(_found(service), "USDT", UTC, service.now_ms)
    assert all("\u202e" not in str(node.get(name, "")) for node in walk(shown) for name in ("text", "title"))


def test_computed_parts_say_so() -> None:
    """Where no ledger row was read."""
    service = FakeService()
    found = _found(service)
    found["rows"][0]["causes"][0] |= {"source": "order", "pair": "B-ETH_USDT"}
    shown = explained_figures.changes(found, "USDT", UTC, service.now_ms)
    assert "ETH computed" in text_of(shown)
    assert any("no ledger row was read" in node.get("title", "") for node in walk(shown))


def test_while_memory_is_read_nothing_is_told() -> None:
    """How far it is, no half sums; and empty ranges say that nothing changed."""
    service = FakeService()
    service.depth.reading = (40_000, 100_000)
    found = _found(service)
    assert "Reading 100,000 kept events: 40,000 done." in text_of(
        explained_figures.sums(found, "USDT", UTC, service.now_ms)
    )
    assert explained_figures.changes(found, "USDT", UTC, service.now_ms) == []
    service.depth.reading = None
    empty = _found(service, rows=[], from_ms=None)
    assert explained_figures.sums(empty, "USDT", UTC, service.now_ms) == []
    assert "No balance changed" in text_of(explained_figures.changes(empty, "USDT", UTC, service.now_ms))
