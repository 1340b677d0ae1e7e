"""Since you last looked, in a real browser: the mark is the browser's own, and nothing moves."""

import re
from typing import Any

import pytest
from browser.harness import Dashboard, assert_whole, eventually, open_page
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ENTRY = "coindcx-feed-seen"


def _mark(page: Page) -> str:
    return str(page.evaluate(f"localStorage.getItem('{ENTRY}') || ''"))


def _table(page: Page) -> Any:
    return page.locator("[data-testid=stDataFrame]").first.bounding_box()


def _top(page: Page, place: str) -> float:
    return float(page.locator(place).evaluate("each => each.getBoundingClientRect().top"))


def _bottom(page: Page, place: str) -> float:
    return float(page.locator(place).evaluate("each => each.getBoundingClientRect().bottom"))


def test_news_are_told_until_they_are_marked_as_seen(dashboard: Dashboard, page: Page) -> None:
    """The first visit sets the mark and says nothing; a later one says in five lines what came after it."""
    open_page(page, dashboard.url)
    first = eventually(lambda: _mark(page), "a mark of the first visit")
    assert re.fullmatch(r"[\w-]+:\d+", first), first
    assert not page.locator(".since").is_visible()
    epoch = first.rpartition(":")[0]
    page.evaluate(f"localStorage.setItem('{ENTRY}', '{epoch}:20')")
    open_page(page, dashboard.url)
    eventually(lambda: page.locator(".since").is_visible(), "the box")
    assert page.locator(".since dt").all_inner_texts() == ["Events", "Orders", "Positions", "Balances", "Gaps"]
    assert "order" in page.locator(".since dd").first.inner_text()
    before = eventually(lambda: _table(page), "the table")
    assert _bottom(page, ".toasts") <= _top(page, ".since")  # a toast must not lie on the buttons
    page.get_by_role("button", name="Mark as seen").click()
    eventually(lambda: not page.locator(".since").is_visible(), "no box")
    assert _table(page) == before
    eventually(lambda: _bottom(page, ".toasts") > 850, "toasts at the bottom of the window again")
    seen = _mark(page)
    assert seen.startswith(f"{epoch}:")
    assert int(seen.rpartition(":")[2]) >= int(first.rpartition(":")[2])
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('coindcx'))") == [ENTRY]
    assert_whole(page)
