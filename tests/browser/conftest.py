"""One dashboard and one browser per module: starting them is what costs."""

from collections.abc import Iterator

import pytest
from browser.harness import Dashboard, Watched, chromium, eventually, running, watched
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def dashboard(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    # After the browser: a machine without one skips before anything is started.
    with running(tmp_path_factory.mktemp("dashboard")) as started:
        eventually(started.is_healthy, "a healthy dashboard")
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
