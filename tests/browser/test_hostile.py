"""Hostile text from the feed in a real browser: shown as text, nothing run, nothing fetched."""

import pytest
from browser.harness import Dashboard, Watched, assert_whole, eventually, open_page

pytestmark = pytest.mark.browser

EVERYWHERE = """() => {
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      const marked = ['src', 'href', 'xlink:href'].map((name) => element.getAttribute(name) || '');
      if (marked.some((value) => value.includes('evil'))) found.push(element.outerHTML.slice(0, 200));
      if (element.getAttribute('onerror')) found.push(element.outerHTML.slice(0, 200));
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  return found;
}"""


def test_T13_hostile_text_is_shown_and_nothing_else(hostile: Dashboard, tab: Watched) -> None:
    """On no page does an element carry the attacker's address, does a dialog open or a request leave this machine."""
    page = tab.page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_page(page, hostile.url)
    eventually(lambda: page.locator("[data-testid=stDataFrame]").count(), "the table")
    box = page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 33 + 14)
    eventually(lambda: page.get_by_text("<img src=http://evil").count(), "the text itself")
    for name in ("Events", "Orders", "Positions", "Balances", "Alerts", "Feed"):
        page.get_by_role("link", name=name, exact=True).click()
        eventually(lambda name=name: f"Live · {name}" in page.title(), f"the page {name}")
        eventually(lambda: page.locator("[data-testid=stDataFrame], .js-plotly-plot, .rules").count(), "its contents")
        assert_whole(page)
        assert page.evaluate(EVERYWHERE) == []
    assert dialogs == []
    assert not [address for address in tab.asked if "evil" in address]


def test_T13_hostile_text_on_the_tape_is_shown_and_nothing_else(hostile: Dashboard, tab: Watched) -> None:
    """Cards come over a socket of their own and are built with the same care."""
    page = tab.page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_page(page, f"{hostile.url}/?look=tape")
    eventually(lambda: page.locator(".tape-card").count() > 50, "the cards")
    assert "<img src=http://evil" in page.locator(".tape-list").inner_text()
    assert page.evaluate(EVERYWHERE) == []
    assert dialogs == []
    assert not [address for address in tab.asked if "evil" in address]
