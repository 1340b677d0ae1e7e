"""Figures of the Balances page."""

from datetime import UTC

import numpy as np
from ui.fake_service import FakeService
from ui.helpers import text_of

from coindcx_feed.ui import balance_figures


def test_together_shows_rate_and_says_what_it_is_not() -> None:
    """A converted sum is for reading only."""
    service = FakeService()
    card = balance_figures.together(service.balances(), service.conversion(), UTC, service.now_ms)
    assert card is not None
    assert "1 USDT = 89.00 INR" in text_of([card])
    assert "19,361.18 USDT" in text_of([card])
    assert "not a balance" in text_of([card])


def test_together_needs_both_currencies_and_a_rate() -> None:
    """Without a rate nothing is converted."""
    service = FakeService()
    assert balance_figures.together(service.balances(), None, UTC, service.now_ms) is None
    assert balance_figures.together(service.balances()[:1], service.conversion(), UTC, service.now_ms) is None


def test_movements_compare_first_and_now() -> None:
    """The change over the range."""
    service = FakeService()
    series = service.balance_series("USDT", 0.0)
    text = text_of(balance_figures.movements(service.balances()[0], series, UTC, service.now_ms))
    assert "total 945.90 812.40 −133.50" in text


def test_movements_without_events_are_nothing() -> None:
    """No event, no table."""
    service = FakeService()
    empty = {name: np.empty(0) for name in ("t_ms", "total", "available", "locked")}
    assert balance_figures.movements(service.balances()[0], empty, UTC, service.now_ms) == []
