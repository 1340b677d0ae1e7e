"""Figures and choices of the Orders page."""

from datetime import UTC
from typing import Any

from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk

from coindcx_feed.ui import order_figures


def _chosen(wanted: tuple[str | None, tuple[str, ...], str]) -> list[dict[str, Any]]:
    service = FakeService()
    return order_figures.chosen_by(service.orders(), wanted, service.now_ms, UTC)


def test_working_leaves_out_what_has_ended() -> None:
    """Filled, cancelled and rejected orders are done."""
    assert {order["status"] for order in _chosen(("Working", (), ""))} == {"open", "partially_filled", "odd_new_word"}


def test_ended_today_ends_at_the_readers_midnight() -> None:
    """Yesterday's orders stay under All."""
    service = FakeService()
    old = {**service.orders()[2], "updated_ms": int(service.now_ms - 90_000_000)}
    assert order_figures.chosen_by([old], ("Ended today", (), ""), service.now_ms, UTC) == []


def test_pair_and_words_must_all_hold() -> None:
    """Every word occurs in the id or the message."""
    assert {order["pair"] for order in _chosen(("All", ("B-ETH_USDT",), "filled!"))} == {"B-ETH_USDT"}
    assert _chosen(("All", (), "filled! nowhere")) == []


def test_strip_counts_by_state() -> None:
    """Two figures of what works, three of what ended today."""
    service = FakeService()
    text = text_of([order_figures.strip(service.orders(), service.now_ms, UTC)])
    assert "○ Open 5" in text
    assert "◐ Partially filled 5 60 % filled on average" in text


def test_title_names_side_size_price_and_kind() -> None:
    """One line that reads like the order was placed."""
    assert order_figures.title(FakeService().orders()[0]) == "▲ Buy 0.250 ETH at 2,936.40 limit"


def test_exact_line_shows_texts_as_sent() -> None:
    """The sortable table rounds; this does not."""
    assert "fee 0.0173555" in text_of([order_figures.exact(FakeService().orders()[0])])


def test_T13_hostile_message_is_text() -> None:
    """The rejected figure repeats the exchange's words, as text."""
    service = FakeService(text=HOSTILE)
    nodes = list(
        walk([order_figures.strip(service.orders(), service.now_ms, UTC), order_figures.exact(service.orders()[0])])
    )
    assert any("<img" in node.get("text", "") for node in nodes)
    assert all("\u202e" not in node.get("text", "") for node in nodes)
