"""What the tests of this room rely on: no reader finds what another left behind."""

import pytest
from browser.harness import Dashboard, watched
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
LEAVE = "localStorage.setItem('left', 'here'); sessionStorage.setItem('left', 'here'); document.cookie = 'left=here'"
FOUND = "localStorage.length + sessionStorage.length + document.cookie.includes('left=')"


def _opened(page: Page, dashboard: Dashboard) -> Page:
    page.goto(f"{dashboard.url}/_stcore/health")
    return page


def test_next_reader_finds_nothing_and_has_his_own_screen(dashboard: Dashboard, browser: Browser) -> None:
    """The same context serves both, also the page that writes as it goes."""
    with watched(browser) as first:
        page = _opened(first.page(), dashboard)
        page.evaluate(LEAVE)
        page.evaluate("addEventListener('pagehide', () => localStorage.setItem('late', 'here'))")
        assert page.evaluate(FOUND) > 0
        with watched(browser) as meanwhile:
            assert meanwhile.context != first.context
            assert _opened(meanwhile.page(), dashboard).evaluate(FOUND) == 0
    contexts = browser.contexts
    with watched(browser, width=800, scheme="light") as second:
        page = _opened(second.page(), dashboard)
        assert browser.contexts == contexts
        assert page.evaluate(FOUND) == 0
        assert page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: light)').matches]") == [800, True]
        assert first.errors == second.errors == []
