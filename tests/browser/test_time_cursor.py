"""The past in a real browser: a link to share, scrubbing without flicker, and nothing that moves by itself."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser.harness import Dashboard, Watched, assert_whole, eventually, open_page, watched
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PAGES = ("orders", "positions", "balances")
QUIET_S = 4.0
"""Several refreshes of a page of now."""


def _address(page: Page) -> str:
    # Playwright's own ``url`` moves only while it waits for something.
    return str(page.evaluate("location.href"))


def _bar(page: Page) -> str:
    line = page.locator(".st-key-cursor-bar .status")
    return line.first.inner_text().replace("\n", " ") if line.count() else ""


def _open_past(page: Page, address: str) -> None:
    page.goto(address)
    _wait_for_past(page)


def _wait_for_past(page: Page) -> None:
    eventually(lambda: "PAST, NOT NOW" in _bar(page), "the bar of the past")
    # A click before the first run has ended is lost.
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def _seq(dashboard: Dashboard, back: int = 30) -> int:
    """Return a stored event a little before the newest one, of which the sidecar knows without a page."""
    found = eventually(lambda: (told := dashboard.status()).get("coindcx_connected") and told["seq"], "events")
    return int(found) - back


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1400), ("light", 800)])
def test_every_page_of_the_past_fits_and_is_whole(
    dashboard: Dashboard, browser: Browser, scheme: str, width: int
) -> None:
    """No failed part, no sideways scrolling, nothing asked of another machine; the mark of the past is on top."""
    with watched(browser, width=width, scheme=scheme) as opened:
        page = opened.page()
        seq = _seq(dashboard)
        for name in PAGES:
            _open_past(page, f"{dashboard.url}/{name}?at={seq}")
            eventually(lambda: page.locator("[data-stale=true]").count() == 0, "a drawn page")
            assert_whole(page)
            assert f"{seq:,}" in _bar(page)
            assert "in the past" in page.title()
            assert page.locator(".lamp").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
            mark = "getComputedStyle(document.querySelector('[data-testid=stMain]'), '::after').content"
            assert page.evaluate(mark) == '"PAST"'
        assert opened.foreign() == []
        assert opened.errors == []


def _questions(page: Page) -> list[Any]:
    """Collect what a page asks the server from now on."""
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    return sent


def test_nothing_refreshes_by_itself_in_the_past(dashboard: Dashboard, tab: Watched) -> None:
    """Also after a page of now: its refreshes end. The browser asks nothing while nobody touches anything."""
    page = tab.page()
    sent = _questions(page)
    open_page(page, f"{dashboard.url}/orders")
    seq = _seq(dashboard)
    page.get_by_role("button", name="Look back").click()
    eventually(lambda: "PAST, NOT NOW" in _bar(page), "the bar of the past")
    assert f"at={seq}" not in _address(page)
    eventually(lambda: _is_quiet(page, sent), "a page that is drawn")
    before, shown = len(sent), page.locator("[data-testid=stMain]").inner_text()
    page.wait_for_timeout(QUIET_S * 1000)
    assert len(sent) == before
    assert page.locator("[data-testid=stMain]").inner_text() == shown
    page.get_by_role("button", name="Back to now").click()
    eventually(lambda: "Live" in page.locator(".status").first.inner_text(), "the present")
    assert "at=" not in _address(page)


def _is_quiet(page: Page, sent: list[Any]) -> bool:
    before = len(sent)
    page.wait_for_timeout(1_000)
    return len(sent) == before


def test_scrubbing_moves_the_address_and_does_not_flicker(dashboard: Dashboard, page: Page, browser: Browser) -> None:
    """The same grid and bar stay; each step is one event; the link shows the same to somebody else."""
    seq = _seq(dashboard)
    _open_past(page, f"{dashboard.url}/orders?at={seq}")
    eventually(lambda: page.locator("[data-testid=stDataFrame] canvas").count(), "the table")
    page.evaluate("document.querySelector('[data-testid=stDataFrame] canvas').dataset.mine = 'yes'")
    thumb = page.get_by_role("slider")
    thumb.focus()
    for step in range(1, 6):
        thumb.press("ArrowLeft")
        eventually(lambda step=step: _address(page).endswith(f"at={seq - step}"), "the address of the step before")
    eventually(lambda: f"{seq - 5:,}" in _bar(page), "the moment of the address")
    assert page.evaluate("document.querySelector('[data-testid=stDataFrame] canvas').dataset.mine") == "yes"
    page.get_by_role("button", name="Next", exact=True).click()
    eventually(lambda: _address(page).endswith(f"at={seq - 4}"), "the address of the next step")
    assert_whole(page)
    eventually(lambda: f"{seq - 4:,}" in _bar(page), "the moment of the next step")
    with watched(browser) as other:
        shared = other.page()
        _open_past(shared, _address(page))
        assert _bar(shared).partition(" of ")[0] == _bar(page).partition(" of ")[0]  # the newest event is another one
        assert _counts(shared) == _counts(page)


def _counts(page: Page) -> str:
    line = page.locator(".st-key-order-counts .nodes")
    return str(eventually(lambda: line.count() and line.inner_text(), "the counts"))


@pytest.mark.timed
def test_a_step_in_the_browser_takes_less_than_a_second(dashboard: Dashboard, page: Page) -> None:
    """From the press to the new moment on the screen."""
    seq = _seq(dashboard)
    _open_past(page, f"{dashboard.url}/balances?at={seq}")
    took = []
    for step in range(1, 6):
        begun = time.perf_counter()
        page.get_by_role("button", name="Previous", exact=True).click()
        eventually(lambda step=step: f"{seq - step:,}" in _bar(page), "the moment before")
        took.append(time.perf_counter() - begun)
    print(f"a step in the browser: median {sorted(took)[2] * 1000:.0f} ms")
    assert sorted(took)[2] < 1.0


def test_chart_of_the_past_ends_at_the_moment(dashboard: Dashboard, page: Page) -> None:
    """The axis too: nothing to the right of it."""
    seq = _seq(dashboard)
    _open_past(page, f"{dashboard.url}/balances?at={seq}")
    eventually(lambda: page.locator(".js-plotly-plot").count(), "the chart")
    first = page.evaluate("String(document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range[1])")
    page.wait_for_timeout(2_500)
    assert page.evaluate("String(document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range[1])") == first


def test_address_that_names_nothing_is_one_line_with_a_way_on(dashboard: Dashboard, page: Page) -> None:
    """Neither the past nor the present is shown for it."""
    page.goto(f"{dashboard.url}/orders?at=%3Cimg%20src%3Dx%3E")
    eventually(lambda: page.locator(".st-key-cursor-refused .notice").count(), "the refusal")
    assert "<img src=x>" in page.locator(".st-key-cursor-refused .notice").inner_text()
    assert page.locator("[data-testid=stDataFrame]").count() == 0
    page.get_by_role("button", name="the nearest").click()
    eventually(lambda: "PAST, NOT NOW" in _bar(page), "the nearest moment")
    assert_whole(page)


def test_moment_goes_along_and_an_event_leads_to_it(dashboard: Dashboard, page: Page) -> None:
    """From an event's details to its moment, then through the navigation to the other pages."""
    open_page(page, dashboard.url)
    eventually(lambda: page.locator("[data-testid=stDataFrame]").count(), "the table")
    page.get_by_role("button", name="Pause").click()
    box = page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 33 + 27 * 2.5)
    link = page.get_by_role("link", name="at this moment")
    link.first.wait_for()
    link.first.click()
    _wait_for_past(page)
    (at,) = parse_qs(urlsplit(_address(page)).query)["at"]  # a page of its kind may stand beside it
    page.get_by_role("link", name="Balances", exact=True).click()
    eventually(lambda: "/balances?" in _address(page) and f"at={at}" in _address(page), "the same moment there")
    eventually(lambda: "PAST, NOT NOW" in _bar(page), "the bar of the past")
    assert_whole(page)
