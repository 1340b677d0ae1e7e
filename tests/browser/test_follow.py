"""A dashboard that follows another process's feed: what it shows while that lives, dies and comes back."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.harness import Dashboard, assert_whole, eventually, free_port, kept, open_page, running, status_text
from commands.test_serve_follow import START_S, Serve
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def leader(browser: Browser, tmp_path: Path) -> Iterator[Serve]:
    # After the browser: a machine without one skips before anything is started.
    started = Serve(tmp_path / "leader", free_port())
    try:
        eventually(started.is_connected, "a feed", START_S)
        yield started
    finally:
        started.end(signal.SIGKILL)


@pytest.fixture
def follower(leader: Serve, tmp_path: Path) -> Iterator[Dashboard]:
    folder = tmp_path / "follower"
    folder.mkdir()
    with running(folder, COINDCX_FOLLOW=leader.address) as started:
        eventually(started.is_healthy, "a healthy dashboard", START_S)
        yield started


def _go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    eventually(lambda: f"· {name} ·" in page.title(), f"the page {name}")


def _text(page: Page) -> str:
    return page.inner_text("body").replace("\n", " ")


def test_F17_C6_dashboard_follows_a_feed_through_its_death_and_return(
    leader: Serve, follower: Dashboard, page: Page, tmp_path: Path
) -> None:
    """Its events and positions under its mode; why it is *reconnecting* when that dies; a gap when it is back."""
    open_page(page, f"{follower.url}/positions")
    shown = status_text(page)
    assert "DEMO" in shown
    assert f"following {leader.address}" in shown
    eventually(lambda: "avg " in _text(page) and "liq " in _text(page), "a position with its prices")
    _go(page, "Events")
    eventually(lambda: page.locator("[data-testid=stDataFrame]").count(), "the table of events")
    eventually(lambda: kept(page) >= leader.status()["seq"] - 50 > 0, "the events of the feed that is followed")
    assert_whole(page)
    leader.end(signal.SIGKILL)
    eventually(lambda: "Reconnecting" in status_text(page), "the truth about the link")
    assert "Live" not in status_text(page) + page.title()
    eventually(lambda: page.get_by_text(f"the link to {leader.address} is down").count(), "the reason")
    again = Serve(tmp_path / "leader", leader.port)
    try:
        eventually(lambda: "Live" in status_text(page), "the word Live", START_S)
        newest = kept(page)
        eventually(lambda: kept(page) > newest, "events that go on")
        _go(page, "Feed")
        eventually(lambda: page.get_by_text("1 today, ").count(), "the gap in the ledger")
        assert_whole(page)
    finally:
        again.end(signal.SIGKILL)
