"""What is asked of every page, in both themes and at two widths: it fits, it is whole, and everybody can read it."""

from dataclasses import dataclass

import pytest
from browser.harness import Dashboard, watched
from browser.walk import PAGES, Seen, walk
from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Walked:
    """All pages as they were drawn, and what their reader's browser met on the way."""

    pages: dict[str, Seen]
    width: int
    foreign: list[str]
    errors: list[str]


@pytest.fixture(scope="module", params=[("dark", 1400), ("light", 800)], ids=["dark-1400", "light-800"])
def walked(request: pytest.FixtureRequest, browser: Browser, dashboard: Dashboard) -> Walked:
    scheme, width = request.param
    with watched(browser, width=width, scheme=scheme) as opened:
        return Walked(walk(opened, dashboard), width, opened.foreign(), opened.errors)


def test_every_page_fits_and_is_whole(walked: Walked) -> None:
    """No exception, no failed part, no sideways scrolling, nothing asked of another machine."""
    assert list(walked.pages) == list(PAGES)
    assert {name: page.failed for name, page in walked.pages.items() if page.failed} == {}
    assert {name: page.width for name, page in walked.pages.items() if page.width != walked.width} == {}
    assert {name: page.main_width for name, page in walked.pages.items() if page.main_width > walked.width} == {}
    assert walked.foreign == []
    assert walked.errors == []


def test_axe_finds_nothing_serious_on_any_page(walked: Walked) -> None:
    """Names, roles, contrast and focus, of Streamlit's own widgets, too: there is no list of exceptions."""
    assert {name: page.grave for name, page in walked.pages.items() if page.grave} == {}
