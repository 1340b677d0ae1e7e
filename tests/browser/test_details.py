"""Details of orders, positions and wallets in a real browser."""

import json

import pytest
from browser.harness import Dashboard, assert_whole, eventually, open_page
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["orders?show=All", "positions", "balances?currency=USDT"])
def test_record_opens_closes_and_opens_again(dashboard: Dashboard, page: Page, path: str) -> None:
    """A drawer with raw JSON to copy; the same button opens it a second time."""
    open_page(page, f"{dashboard.url}/{path}")
    for _ in range(2):
        eventually(lambda: page.get_by_role("button", name="details", exact=True).count(), "the button")
        page.get_by_role("button", name="details", exact=True).click()
        drawer = page.get_by_role("dialog")
        drawer.get_by_role("button", name="copy JSON").wait_for()
        assert drawer.get_by_role("tab", name="Raw JSON").count() == 1
        drawer.get_by_role("button", name="copy JSON").click()
        copied = eventually(lambda: page.evaluate("navigator.clipboard.readText()"), "a copy")
        assert "id" in json.loads(copied)
        drawer.get_by_role("button", name="close", exact=True).last.click()
        eventually(lambda: page.get_by_role("dialog").count() == 0, "a closed drawer")
    assert_whole(page)
