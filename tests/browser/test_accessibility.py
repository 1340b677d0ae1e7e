"""What axe finds where a reader looks closer: nothing serious or critical. Of whole pages: ``test_every_page``."""

import pytest
from browser.harness import Dashboard, eventually, open_page, watched
from browser.walk import choose_row, grave
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious_in_the_details(dashboard: Dashboard, browser: Browser, scheme: str) -> None:
    """The docked pane with its lifecycle, and the same as a drawer."""
    with watched(browser, scheme=scheme) as opened:
        page = opened.page()
        open_page(page, f"{dashboard.url}/?types=order&statuses=filled")
        eventually(lambda: page.locator("[data-testid=stDataFrame]").count(), "the table")
        page.get_by_role("button", name="Pause").click()
        eventually(lambda: page.get_by_role("button", name="Resume").count(), "a paused view")
        choose_row(page, 0)
        page.get_by_role("group", name="Lifecycle").wait_for()
        eventually(
            lambda: page.locator("[data-stale=true]").count() == 0, "a drawn pane"
        )  # until then it may be dimmed
        assert grave(page) == []
        page.get_by_role("button", name="open as drawer").click()
        page.get_by_role("dialog").wait_for()
        eventually(lambda: page.locator("[data-stale=true]").count() == 0, "a drawn drawer")
        assert grave(page, "[role=dialog]") == []  # the page behind is inert and dimmed


def test_axe_sees_into_our_components(dashboard: Dashboard, page: Page) -> None:
    """A button without a name inside a shadow root is found: an empty result means something."""
    open_page(page, dashboard.url)
    # Beside our nodes: what stands among them is patched away with the next refresh.
    page.locator(".status").evaluate("line => line.getRootNode().append(document.createElement('button'))")
    assert {rule for rule, _, _ in grave(page)} == {"button-name"}
