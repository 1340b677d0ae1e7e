"""One way through all pages, on which everything is looked at that is asked of each: a page costs seconds to draw."""

from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from browser.harness import Dashboard, Watched, eventually, open_page
from playwright.sync_api import Page

PAGES = {
    "Events": "/",
    "Orders": "/orders",
    "Positions": "/positions",
    "Balances": "/balances",
    "Market": "/market",
    "History": "/history",
    "Statistics": "/statistics",
    "Alerts": "/alerts",
    "Feed": "/feed",
}
GRAVE = ("serious", "critical")
ROW_HEIGHT = 27

Grave = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Seen:
    """A drawn page.

    Attributes:
        failed: How many of its parts failed.
        width: Of the document with what has to be scrolled, px.
        main_width: The same of the part below the navigation.
        grave: What axe found.
    """

    failed: int
    width: int
    main_width: int
    grave: Grave


def walk(opened: Watched, dashboard: Dashboard) -> dict[str, Seen]:
    """Go through the navigation and look at each page once it is drawn."""
    page = opened.page()
    open_page(page, dashboard.url)
    seen = {}
    for name in PAGES:
        page.get_by_role("link", name=name, exact=True).click()
        eventually(lambda name=name: f"Live · {name}" in page.title(), f"the page {name}")
        eventually(lambda: page.locator("[data-stale=true]").count() == 0, "a drawn page")
        eventually(lambda name=name: _is_drawn(page, name), f"the contents of {name}")
        eventually(lambda: page.locator("[data-stale=true]").count() == 0, "a drawn page")  # what is stale is dimmed
        seen[name] = _look(page)
    return seen


def _look(page: Page) -> Seen:
    failed = page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count()
    width = page.evaluate("document.documentElement.scrollWidth")
    main_width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    return Seen(failed, width, main_width, grave(page))


def _is_drawn(page: Page, name: str) -> bool:
    grids, charts = page.locator("[data-testid=stDataFrame]").count(), page.locator(".js-plotly-plot").count()
    if name == "Alerts":
        return page.locator(".rules").count() > 0
    return {"Events": grids > 0, "History": grids > 0, "Orders": grids > 0 and charts > 0, "Feed": charts > 1}.get(
        name, charts > 0
    )


def grave(page: Page, inside: str | None = None) -> Grave:
    """Return rule, first place and reason of every violation that would stop a reader."""
    response: dict[str, Any] = Axe().run(page, inside).response
    return [
        (found["id"], str(place["target"]), place["failureSummary"])
        for found in response["violations"]
        if found["impact"] in GRAVE
        for place in found["nodes"]
    ]


def choose_row(page: Page, row: int) -> None:
    """Click into the first column of the first table."""
    box = page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 33 + ROW_HEIGHT * (row + 0.5))
