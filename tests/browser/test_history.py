"""The History page in a real browser over a stored week: rows, pages, details, figures, and a download."""

import json
import signal
import time
from collections.abc import Iterator

import pytest
from benchmarks.stored import build
from browser.harness import (
    ROOT,
    Dashboard,
    Watched,
    assert_whole,
    eventually,
    number_after,
    open_page,
    running,
    watched,
)
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

EVENTS = 3_000


@pytest.fixture(scope="module")
def dashboard(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard over a log of a week. The browser is asked for first: a machine without one skips here."""
    folder = tmp_path_factory.mktemp("history")
    build(folder / "week.sqlite", EVENTS, time.time_ns())
    with running(folder, ROOT / "tests" / "browser" / "history_app.py") as started:
        eventually(started.is_healthy, "a healthy dashboard")
        yield started


def _text(page: Page) -> str:
    return page.locator("body").inner_text().replace("\n", " ")


def _nodes(page: Page) -> str:
    return " ".join(page.locator(".nodes").all_inner_texts()).replace("\n", " ")


def test_rows_are_counted_and_older_ones_are_one_click_away(dashboard: Dashboard, page: Page) -> None:
    """The count stands before the table; the next 500 follow without a hole."""
    open_page(page, f"{dashboard.url}/history?span=All&types=all")
    eventually(lambda: "rows 1 to 500" in _nodes(page), "the first rows")
    assert number_after(_nodes(page), "matching of ") == EVENTS
    page.get_by_role("button", name="Older").click()
    eventually(lambda: "rows 501 to 1,000" in _nodes(page), "the next rows")
    assert_whole(page)


def test_a_row_shows_its_details(dashboard: Dashboard, page: Page) -> None:
    """A click finds the event in the log."""
    open_page(page, f"{dashboard.url}/history?span=All")
    eventually(lambda: "No event chosen" in _nodes(page), "how to read the table")
    grid = page.locator("[data-testid=stDataFrame]").first
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 56)
    eventually(lambda: "No event chosen" not in _nodes(page) and "seq " in _nodes(page), "the details of a row")
    assert_whole(page)


@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (800, "light")])
def test_figures_fit_the_page(dashboard: Dashboard, browser: Browser, width: int, scheme: str) -> None:
    """Charts and tables are drawn at both widths, and only grids may scroll sideways."""
    with watched(browser, width, 1_200, scheme) as tab:
        page = tab.page()
        open_page(page, f"{dashboard.url}/statistics?period=All")
        eventually(lambda: page.locator(".chart .main-svg").count() >= 3, "three charts")
        eventually(lambda: "Busiest pairs" in _nodes(page) and "per minute" in _nodes(page), "the figures")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_whole(page)
        assert tab.errors == []


def test_download_is_every_match(dashboard: Dashboard, page: Page) -> None:
    """JSON of one type: as many envelopes as the page counted."""
    open_page(page, f"{dashboard.url}/history?span=All&types=ledger")
    matching = eventually(lambda: number_after(_nodes(page), "rows 1 to 375 of"), "the count")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="JSON").first.click()
    with open(started.value.path(), "rb") as file:
        events = json.load(file)
    assert len(events) == matching == EVENTS // 8
    assert {event["type"] for event in events} == {"ledger"}


def test_a_page_that_froze_has_one_status_line_again(dashboard: Dashboard, tab: Watched) -> None:
    """A server that was busy marks the line as out of date; the next answer must not draw a second one below."""
    page = tab.page()
    open_page(page, f"{dashboard.url}/history?span=All")
    dashboard.process.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: page.locator(".nodes.frozen").count() > 0, "the mark of a frozen page")
    finally:
        dashboard.process.send_signal(signal.SIGCONT)
    eventually(lambda: page.locator(".nodes.frozen").count() == 0, "a page that goes on")
    assert page.locator(".status").count() == 1
