"""What axe finds on every page, in both themes: nothing serious or critical."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.harness import Dashboard, eventually, open_page, watched
from browser.test_dashboard import PAGES, _choose_row, _is_drawn
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
GRAVE = ("serious", "critical")


def _grave(page: Page, inside: str | None = None) -> list[tuple[str, str, str]]:
    """Return rule, first place and reason of every violation that would stop a reader."""
    response: dict[str, Any] = Axe().run(page, inside).response
    return [
        (found["id"], str(place["target"]), place["failureSummary"])
        for found in response["violations"]
        if found["impact"] in GRAVE
        for place in found["nodes"]
    ]


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1400), ("light", 800)])
def test_axe_finds_nothing_serious_on_any_page(dashboard: Dashboard, browser: Browser, scheme: str, width: int) -> None:
    """Names, roles, contrast and focus, of Streamlit's own widgets, too: there is no list of exceptions."""
    with watched(browser, width=width, scheme=scheme) as opened:
        page = opened.page()
        open_page(page, dashboard.url)
        found = {}
        for name in PAGES:
            page.get_by_role("link", name=name, exact=True).click()
            eventually(lambda name=name: f"Live · {name}" in page.title(), f"the page {name}")
            eventually(lambda name=name: _is_drawn(page, name), f"the contents of {name}")
            eventually(lambda: page.locator("[data-stale=true]").count() == 0, "a drawn page")
            found[name] = _grave(page)
        assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious_in_the_details(dashboard: Dashboard, browser: Browser, scheme: str) -> None:
    """The docked pane with its lifecycle, and the same as a drawer."""
    with watched(browser, scheme=scheme) as opened:
        page = opened.page()
        open_page(page, f"{dashboard.url}/?types=order&statuses=filled")
        eventually(lambda: page.locator("[data-testid=stDataFrame]").count(), "the table")
        page.get_by_role("button", name="Pause").click()
        eventually(lambda: page.get_by_role("button", name="Resume").count(), "a paused view")
        _choose_row(page, 0)
        page.get_by_role("group", name="Lifecycle").wait_for()
        eventually(
            lambda: page.locator("[data-stale=true]").count() == 0, "a drawn pane"
        )  # until then it may be dimmed
        assert _grave(page) == []
        page.get_by_role("button", name="open as drawer").click()
        page.get_by_role("dialog").wait_for()
        eventually(lambda: page.locator("[data-stale=true]").count() == 0, "a drawn drawer")
        assert _grave(page, "[role=dialog]") == []  # the page behind is inert and dimmed


def test_axe_sees_into_our_components(dashboard: Dashboard, page: Page) -> None:
    """A button without a name inside a shadow root is found: an empty result means something."""
    open_page(page, dashboard.url)
    # Beside our nodes: what stands among them is patched away with the next refresh.
    page.locator(".status").evaluate("line => line.getRootNode().append(document.createElement('button'))")
    assert {rule for rule, _, _ in _grave(page)} == {"button-name"}
