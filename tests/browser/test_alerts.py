"""Alerts as a reader meets them: an order fills, and toast, badge and notification say so; the choices are his own."""

import json
from collections.abc import Iterator

import pytest
from browser.harness import Dashboard, assert_whole, eventually, number_after, open_page, running, watched
from playwright.sync_api import Browser, Page

from coindcx_feed.simulator.client import place_order

pytestmark = pytest.mark.browser

FAKED = """
window.told = []; window.sounds = 0;
window.Notification = class { constructor(title, more) { window.told.push([title, more.body, more.tag]); } };
window.Notification.permission = sessionStorage.getItem('granted') || 'default';
window.Notification.requestPermission = async () => {
  sessionStorage.setItem('granted', 'granted');
  return (window.Notification.permission = 'granted');
};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...more) { window.sounds += 1; return start.apply(this, more); };
"""
TOASTS = """() => { const found = []; const look = (root) => { for (const element of root.querySelectorAll('*')) {
  if (element.classList.contains('toast')) found.push(element.innerText);
  if (element.shadowRoot) look(element.shadowRoot); } }; look(document); return found; }"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose notifications and tones are counted instead of shown and heard."""
    with watched(browser) as opened:
        shown = opened.page()
        shown.add_init_script(FAKED)
        yield shown
        assert opened.foreign() == []
        assert opened.errors == []


@pytest.fixture(scope="module")
def dashboard(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A demo whose repeats are not grouped: every fill is a notice."""
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "alerts.json").write_text(json.dumps({"version": 1, "group_s": 0, "quiet": None, "rules": []}))
    with running(folder) as started:
        eventually(started.is_healthy, "a healthy dashboard", 60)
        yield started


def _unread(page: Page) -> int:
    return number_after(page.title(), "(") if page.title().startswith("(") else 0


def _has_toast(page: Page) -> bool:
    return any("Order filled" in text for text in page.evaluate(TOASTS))


def test_filled_order_is_told_by_toast_badge_and_notification(dashboard: Dashboard, page: Page) -> None:
    """The permission is asked at the press only; what was there when the window was opened is no news."""
    open_page(page, f"{dashboard.url}/alerts")
    assert page.evaluate("sessionStorage.getItem('granted')") is None
    choice = page.locator("button[data-choice=browser]")
    eventually(lambda: "off" in choice.inner_text(), "a choice that is off at first")
    choice.click()
    eventually(lambda: "on" in choice.inner_text(), "notifications switched on")
    page.get_by_role("link", name="Orders", exact=True).click()
    eventually(lambda: "Live · Orders" in page.title(), "the page Orders")

    place_order(dashboard.simulator_port, "buy", "B-SOL_USDT", 1)
    eventually(lambda: _has_toast(page), "a toast of the fill")
    before = eventually(lambda: _unread(page), "an unread count in the title")
    unread = page.locator("[data-testid=stTopNavLink][data-unread]")
    eventually(lambda: unread.count() == 1, "a badge beside the link")
    assert page.evaluate("document.querySelector('link[rel~=icon]').href").startswith("data:image/svg+xml")
    notified = eventually(lambda: page.evaluate("window.told"), "a notification")
    assert len({tag for _, _, tag in notified}) == len(notified)
    page.get_by_role("link", name="Alerts", exact=True).click()
    eventually(lambda: "Live · Alerts" in page.title(), "the page Alerts")
    page.get_by_role("button", name="Mark all read").click()
    eventually(lambda: _unread(page) < before, "a smaller unread count")
    assert_whole(page)


def test_rule_is_switched_off_and_sound_is_the_readers_choice(dashboard: Dashboard, page: Page) -> None:
    """A press on the same switch works again and again; the tone is made in the browser."""
    open_page(page, f"{dashboard.url}/alerts")
    row = page.locator(".rules tr[data-key=quirk]")
    for before, after in (("● on", "○ off"), ("○ off", "● on"), ("● on", "○ off")):
        eventually(lambda before=before: before in row.inner_text(), f"the rule {before}")
        row.get_by_role("button", name=before).click()
        eventually(lambda after=after: after in row.inner_text(), f"the rule {after}")
    book = json.loads((dashboard.data_dir / "alerts.json").read_text(encoding="utf-8"))
    assert [rule["enabled"] for rule in book["rules"] if rule["id"] == "quirk"] == [False]
    sound = page.locator("button[data-choice=sound]")
    assert page.evaluate("window.sounds") == 0
    sound.click()
    eventually(lambda: "on" in sound.inner_text() and page.evaluate("window.sounds"), "a tone")
    assert_whole(page)


def test_event_of_a_notice_is_opened(dashboard: Dashboard, page: Page) -> None:
    """The link of a notice leads to the event on the Events page."""
    open_page(page, f"{dashboard.url}/alerts")
    link = page.locator(".notices button", has_text="seq").first
    eventually(lambda: link.count(), "a notice with an event", 90)
    link.click()
    eventually(lambda: "Live · Events" in page.title(), "the page Events")
    eventually(lambda: page.locator(".st-key-pane-head .nodes").count(), "the details of the event")
    assert_whole(page)
