"""The sidecar as a page in a browser meets it: the dashboard's own origin may speak to it, no other."""

from typing import Any

import pytest
from browser.harness import Dashboard, open_page
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

LISTEN = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url), seen = [];
  socket.onmessage = (message) => {
    seen.push(JSON.parse(message.data));
    if (seen.length === 3) { socket.close(); resolve(seen); }
  };
  socket.onclose = (event) => resolve(seen.length ? seen : event.code);
})"""


def _heard(page: Page, dashboard: Dashboard) -> Any:
    address = f"ws://127.0.0.1:{dashboard.sidecar_port}/api/v1/ws/coindcx?since=earliest"
    return page.evaluate(LISTEN, address)


def test_T01_page_of_the_dashboard_is_served_and_a_foreign_one_is_not(dashboard: Dashboard, page: Page) -> None:
    """With a browser's own WebSocket: greeting and events in order, or the door."""
    page.goto("data:text/html,somebody else's page")
    assert _heard(page, dashboard) == 1006
    open_page(page, dashboard.url)
    greeting, *events = _heard(page, dashboard)
    assert greeting["data"]["message"] == "Connected to CoinDCX WebSocket bridge"
    assert [event["seq"] for event in events] == [1, 2]
