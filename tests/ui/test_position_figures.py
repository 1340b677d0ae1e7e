"""Figures over all positions."""

from datetime import UTC
from typing import Any

from ui.fake_service import FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import position_figures


def _strip(service: FakeService, positions: list[dict[str, Any]] | None = None) -> Any:
    found = service.positions() if positions is None else positions
    return position_figures.strip(found, service.conversion(), service.status(), UTC)


def test_strip_adds_up_open_positions() -> None:
    """PnL, exposure and margin over long and short; the rupee value names rate and time."""
    text = text_of([_strip(FakeService())])
    assert "−37.92 USDT" in text
    assert "INR at 89.00," in text
    assert "long 2,385.16 · short 1,002.18" in text


def test_nearest_liquidation_is_named_and_marked() -> None:
    """The smallest distance wins; below 5 % it is orange."""
    strip = _strip(FakeService())
    assert "4.8 % SOL long" in text_of([strip])
    assert with_class([strip], "orange")


def test_stale_pnl_is_grey_and_says_as_of() -> None:
    """A result that is not now says of when it is."""
    strip = _strip(FakeService(state="stale"))
    assert "as of" in text_of([strip])
    assert not with_class([strip], "red")


def test_pnl_without_any_mark_is_unknown() -> None:
    """No mark, no zero."""
    service = FakeService()
    found = [{**position, "unrealized_pnl": None} for position in service.positions()]
    assert "– no mark received yet" in text_of([_strip(service, found)])


def test_flat_positions_can_be_chosen_apart() -> None:
    """INR and USDT positions of a pair are separate, also when flat."""
    service = FakeService()
    boxes = position_figures.boxes(service.positions(), "p-eth", service.status())
    chosen = [node["select"] for node in walk(boxes) if "select" in node]
    assert chosen == ["p-eth", "p-btc", "p-sol", "p-eth-inr"]


def test_all_flat_says_so() -> None:
    """No card is not an error."""
    service = FakeService()
    assert "No open position" in text_of(position_figures.boxes(service.positions()[3:], None, service.status()))
