"""The table of what is exposed."""

from datetime import UTC

from ui.fake_service import FakeService
from ui.helpers import text_of

from coindcx_feed.ui import exposure_figures


def test_table_has_pairs_total_and_rate_with_its_time() -> None:
    """In the quote currency and in rupees, which are for reading only."""
    service = FakeService()
    shown = exposure_figures.exposure(service.depth.risks()["exposure"], service.conversion(), UTC, service.now_ms)
    text = text_of(shown)
    assert "B-ETH_USDT 2,385.16 1,002.18 +1,382.98 3,387.34 100.0 % 301,472.96 −37.92 <age>" in text
    assert "total of 3 2,385.16" in text
    assert "1 USDT = 89.00 INR, set by the exchange at" in text


def test_without_marks_and_rate_nothing_is_valued() -> None:
    """Dashes, and the words why."""
    service = FakeService()
    service.depth.is_unmarked = True
    text = text_of(exposure_figures.exposure(service.depth.risks()["exposure"], None, UTC, service.now_ms))
    assert "total of 3 · without 3 that has no mark – – – –" in text
    assert "rate of rupees per USDT is not known" in text


def test_nothing_open_says_so() -> None:
    """No table of zeros."""
    assert "No open position" in text_of(exposure_figures.exposure([], None, UTC, 0.0))
