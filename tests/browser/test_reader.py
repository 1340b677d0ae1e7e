"""A reader's own choices in a real browser: zone and grouping, saved views, the keys of the search."""

from typing import Any

import pytest
from browser.harness import Dashboard, assert_whole, eventually, open_page, pressed_until
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def _counts(page: Page) -> str:
    line = page.locator(".st-key-counts .nodes")
    return line.inner_text() if line.count() else ""


def test_chosen_zone_is_on_charts_and_kept_by_the_browser(dashboard: Dashboard, page: Page) -> None:
    """UTC in a browser in India: the next page, its chart, and a new tab without it in the address show UTC."""
    open_page(page, dashboard.url)
    assert "IST (UTC+05:30)" in _counts(page)
    page.locator(".st-key-reader button").first.click()
    page.get_by_role("radio", name="UTC").click()
    eventually(lambda: "times in UTC" in _counts(page), "times in UTC")
    assert "zone=utc" in page.url
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Feed", exact=True).click()
    eventually(lambda: page.locator(".js-plotly-plot").count() > 1, "charts")
    eventually(lambda: abs(_behind_s(page)) < 120, "a time axis that ends now, in UTC")
    assert_whole(page)
    other = page.context.new_page()
    open_page(other, dashboard.url)
    eventually(lambda: "times in UTC" in _counts(other), "the zone that the browser keeps")
    eventually(lambda: "zone=utc" in other.evaluate("location.href"), "the zone in the address")


def _behind_s(page: Page) -> float:
    """Return by how much the end of a time axis, read as UTC, is behind the clock, s."""
    behind: Any = page.evaluate(
        """() => { const plot = document.querySelector('.js-plotly-plot');
        if (!plot || !plot._fullLayout) return 1e9;
        return (Date.now() - Date.parse(plot._fullLayout.xaxis.range[1].replace(' ', 'T') + 'Z')) / 1000; }"""
    )
    return float(behind)


def _search(page: Page) -> Any:
    return page.locator(".st-key-q input").first


def test_keys_enter_and_leave_the_search(dashboard: Dashboard, page: Page) -> None:
    """Slash puts the cursor there and types nothing; Esc leaves it and keeps what was typed."""
    open_page(page, dashboard.url)
    is_focused = "field => field === document.activeElement"
    pressed_until(lambda: page.keyboard.press("/"), lambda: _search(page).evaluate(is_focused), "a focused search")
    page.keyboard.type("a/b")
    assert _search(page).input_value() == "a/b"
    page.keyboard.press("Escape")
    assert not _search(page).evaluate("field => field === document.activeElement")
    assert _search(page).input_value() == "a/b"
    eventually(lambda: "q=a" in page.evaluate("location.href"), "the search in the address")


def test_saved_view_is_kept_by_the_browser(dashboard: Dashboard, page: Page) -> None:
    """Named in one tab, chosen in a new one, where it sets filters and address."""
    open_page(page, f"{dashboard.url}/?types=order&sides=sell")
    page.get_by_role("button", name="Views").first.click()
    page.get_by_label("Name of the present filters").fill("my sells")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save view").click()
    eventually(lambda: page.get_by_role("button", name="my sells", exact=True).count(), "the view's name")
    held = lambda: page.evaluate("localStorage.getItem('coindcx-feed-views')") or ""  # noqa: E731
    eventually(lambda: "my sells" in held(), "the view in the browser's memory")
    other = page.context.new_page()
    open_page(other, dashboard.url)
    other.get_by_role("button", name="Views").first.click()
    chosen = other.get_by_role("button", name="my sells", exact=True)
    eventually(lambda: chosen.count(), "the view's name in another tab")
    is_set = lambda: "sides=sell" in other.url and "types=order" in other.url  # noqa: E731
    pressed_until(chosen.first.click, is_set, "the filters in the address")
    assert_whole(other)
    _drop_every_view(other)
    eventually(lambda: held() == "", "no view in the browser's memory")
    # The first tab was told of its own view long ago, and is told again when its page is drawn anew.
    for name in ("Orders", "Events"):
        page.get_by_role("link", name=name, exact=True).click()
        eventually(lambda name=name: name in page.title(), f"the page {name}")
    eventually(lambda: page.get_by_role("button", name="Views").count(), "the button of the views")
    assert_whole(page)
    assert held() == ""


def _drop_every_view(page: Page) -> None:
    drop = page.get_by_role("button", name="Delete my sells")
    if not drop.count():
        page.get_by_role("button", name="Views").first.click()
    eventually(lambda: drop.count(), "the view with its bin")
    pressed_until(drop.first.click, lambda: not drop.count(), "no view")
