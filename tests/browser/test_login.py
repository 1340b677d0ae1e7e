"""The dashboard behind its password, in a real browser."""

from pathlib import Path

import pytest
from browser.harness import eventually, running, watched
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
PASSWORD = "correct horse & battery"


def test_T20_a_reader_signs_in_and_comes_to_the_page_asked_for(browser: Browser, tmp_path: Path) -> None:
    """A wrong password says so; the right one leads to the address that was opened, and the page is live."""
    with running(tmp_path, COINDCX_DASHBOARD_PASSWORD=PASSWORD) as dashboard, watched(browser, width=800) as tab:
        eventually(dashboard.is_healthy, "a healthy dashboard")
        page = tab.page()
        page.goto(f"{dashboard.url}/?types=order")
        page.get_by_label("Password").fill("open sesame 1234")
        page.get_by_role("button", name="Sign in").click()
        assert "not the password" in page.get_by_role("alert").inner_text()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        eventually(lambda: "Live · Events" in page.title(), "the page that was asked for")
        assert "/?types=order" in page.url
        page.goto(f"{dashboard.url}/logout")
        page.get_by_label("Password").wait_for()
        assert PASSWORD not in dashboard.log()
