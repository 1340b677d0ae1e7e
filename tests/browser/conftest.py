"""One dashboard for the whole room, one browser per module: starting them is what costs."""

from collections.abc import Iterator

import pytest
from browser.harness import ROOT, START_S, Dashboard, Watched, chromium, eventually, running, watched
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="package")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The demo that tests share; whoever changes more than his own page starts one of his own."""
    with running(tmp_path_factory.mktemp("dashboard")) as started:
        eventually(started.is_healthy, "a healthy dashboard", START_S)
        yield started


@pytest.fixture(scope="package")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard over a service whose every text is hostile; it tells its routes."""
    with running(tmp_path_factory.mktemp("hostile"), ROOT / "tests" / "browser" / "routes_app.py") as started:
        eventually(started.is_healthy, "a healthy dashboard", START_S)
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole room: while one is open its loop runs in this thread, and tests of their own loop cannot.
    with chromium() as started:
        yield started


@pytest.fixture
def tab(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as opened:
        yield opened
        assert opened.foreign() == []
        assert opened.errors == []


@pytest.fixture
def page(tab: Watched) -> Page:
    return tab.page()
