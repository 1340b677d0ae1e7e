"""One feed per process, whatever browsers and editors do."""

import subprocess
from pathlib import Path

import pytest
from browser.harness import (
    ROOT,
    assert_whole,
    eventually,
    is_free,
    kept,
    open_page,
    running,
    status_text,
    watched,
)
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def _is_one_join(page: Page) -> bool:
    return page.get_by_text("1 connection, 1 private join").count() > 0


def test_F26_two_browsers_a_hot_reload_and_sigterm(browser: Browser, tmp_path: Path) -> None:
    """One thread, one join, one connection; after SIGTERM both ports are free within five seconds."""
    with (
        running(tmp_path, STREAMLIT_SERVER_FILE_WATCHER_TYPE="auto") as dashboard,
        watched(browser) as one,
        watched(browser, width=800) as other,
    ):
        eventually(dashboard.is_healthy, "a healthy dashboard")
        first, second = one.page(), other.page()
        open_page(first, f"{dashboard.url}/feed")
        open_page(second, f"{dashboard.url}/feed")
        for page in (first, second):
            eventually(lambda page=page: _is_one_join(page), "one join")
        (ROOT / "coindcx_feed" / "ui" / "cards.py").touch()
        (ROOT / "coindcx_feed" / "feed" / "service.py").touch()
        before = kept(first)
        for page in (first, second):
            page.get_by_role("link", name="Events", exact=True).click()
            eventually(lambda page=page: "Events" in page.title(), "the events page")
            page.get_by_role("link", name="Feed", exact=True).click()
            eventually(lambda page=page: _is_one_join(page), "still one join")
            assert_whole(page)
        eventually(lambda: kept(first) > before, "events that go on")
        assert "Live" in status_text(second)
        assert dashboard.log().count("state=connecting") == 1
        assert dashboard.stop() < 5
        assert not one.foreign() + other.foreign()
    assert all(is_free(port) for port in (dashboard.port, dashboard.sidecar_port, dashboard.simulator_port))


def test_wrong_setting_ends_the_start_with_one_line(tmp_path: Path) -> None:
    """No traceback, no browser, no secret: what was expected, and a status that is not zero."""
    with running(tmp_path, COINDCX_PAIRS="not a pair") as started:
        assert started.process.wait(20) != 0
    output = (tmp_path / "output.txt").read_text()
    assert "COINDCX_PAIRS: expected pairs like B-BTC_USDT" in output
    assert "Traceback" not in output


def test_T20_network_address_is_refused(tmp_path: Path) -> None:
    """The dashboard has no login: an address of the network ends the start with one line."""
    with running(tmp_path, STREAMLIT_SERVER_ADDRESS="0.0.0.0") as started:
        try:
            code = started.process.wait(20)
        except subprocess.TimeoutExpired:
            pytest.fail("expected the start to be refused, was still running")
    assert code != 0
    assert "SSH tunnel" in (tmp_path / "output.txt").read_text()
