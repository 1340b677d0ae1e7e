"""The Market page as a reader meets it: search, add live, look, remove; in a real browser."""

import pytest
from browser.harness import Dashboard, assert_whole, eventually, open_page, pressed_until
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ADDED = "B-XRP_USDT"
PRICE = "[data-key='B-XRP_USDT'] .big"


def _card(page: Page, pair: str) -> str:
    # All at once: a card may go away between a count and a look.
    return " ".join(page.locator(f"[data-key='{pair}']").all_inner_texts()).replace("\n", " ")


def _rungs(page: Page) -> list[str]:
    """Return the ladder's rows as the reader sees them."""
    found = page.locator(".st-key-book-ladder .rung")
    return found.all_inner_texts() if found.count() else []


def _removed(page: Page) -> None:
    button = page.get_by_role("button", name=f"Remove {ADDED}")
    pressed_until(lambda: button.count() and button.first.click(), lambda: not _card(page, ADDED), "no card")


def test_pair_is_searched_added_live_looked_at_and_removed(dashboard: Dashboard, page: Page) -> None:
    """Its card shows a price, its bars and its ladder fill, and it leaves with one click."""
    open_page(page, f"{dashboard.url}/market")
    eventually(lambda: _card(page, "B-BTC_USDT"), "the cards of the first pairs")
    _removed(page)  # there is nothing to remove, but where a first try went on to here
    assert not _card(page, ADDED)
    box = page.get_by_role("combobox", name="Add a pair")
    eventually(lambda: box.is_enabled(), "the list of pairs")
    box.click()
    box.type("xrp")
    page.get_by_role("option", name=ADDED).click()
    eventually(lambda: "1." in _card(page, ADDED), "a price on the new card")
    assert f"pair={ADDED}" in page.url
    head = lambda: " ".join(_rungs(page)[:1])  # noqa: E731  # the ladder of before goes first
    eventually(lambda: "USDT" in head() and "XRP" in head(), "the new pair's ladder")
    eventually(lambda: len(_rungs(page)) == 26, "a full ladder")
    eventually(lambda: page.locator(".st-key-candle-chart .js-plotly-plot, .js-plotly-plot").count() >= 2, "two charts")
    eventually(lambda: page.locator(f"[data-key='{ADDED}'] .spark polyline").count(), "a sparkline")
    before = _rungs(page)
    eventually(lambda: _rungs(page) != before, "a ladder that moves")
    assert_whole(page)
    page.reload()
    eventually(lambda: "1." in _card(page, ADDED), "the card after a reload")
    _removed(page)
    eventually(lambda: "BTC" in " ".join(_rungs(page)[:1]), "another pair's ladder")
    assert_whole(page)


def test_chosen_resolution_and_pair_can_be_shared(dashboard: Dashboard, page: Page) -> None:
    """They stand in the address; a click on a card changes it."""
    open_page(page, f"{dashboard.url}/market?pair=B-ETH_USDT&resolution=1h")
    eventually(lambda: "ETH" in " ".join(_rungs(page)[:1]), "the ladder of the address")
    assert page.get_by_role("radio", name="1h").is_checked() or "resolution=1h" in page.url
    page.get_by_role("button", name="Market of B-SOL_USDT").click()
    eventually(lambda: "SOL" in " ".join(_rungs(page)[:1]), "the chosen ladder")
    assert "pair=B-SOL_USDT" in page.url
    page.get_by_role("button", name="Market of B-ETH_USDT").click()
    eventually(lambda: "ETH" in " ".join(_rungs(page)[:1]), "the first ladder again")
    assert_whole(page)
