"""The sidecar as a page in a browser meets it: the dashboard's own origin may speak to it, no other."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from browser.harness import Dashboard, open_page
from playwright.sync_api import Page
from sidecar.helpers import DEADLINE_S, TOKEN, World

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


RESUMES = """([host, token]) => {
  const path = `ws://${host}/api/v1/ws/coindcx`;
  const read = (query, hello, count) => new Promise((resolve) => {
    const socket = new WebSocket(path + query), seen = [];
    let epoch;
    socket.onopen = () => hello && socket.send(JSON.stringify({ action: "auth", token: hello }));
    socket.onmessage = (message) => {
      const { seq, data } = JSON.parse(message.data);
      epoch ??= data.epoch;
      if (seq !== undefined) seen.push(seq);
      if (seen.length === count) socket.close();
    };
    socket.onclose = ({ code }) => resolve({ seen, epoch, code });
  });
  const ask = { method: "POST", headers: { Authorization: `Bearer ${token}` } };
  const mint = async () => (await (await fetch(`http://${host}/api/v1/ws/ticket`, ask)).json()).ticket;
  return (async () => {
    const ticket = await mint();
    const first = await read(`?since=earliest&ticket=${ticket}`, null, 2);
    const behind = `?since=2&epoch=${first.epoch}`;
    const again = await read(`${behind}&ticket=${ticket}`, null, 1);
    const fresh = await read(`${behind}&ticket=${await mint()}`, null, 3);
    const proven = await read(behind, token, 3);
    const wrong = await read(behind, "wrong", 1);
    return [first.seen, [again.seen, again.code], fresh.seen, proven.seen, [wrong.seen, wrong.code]];
  })();
}"""


class _Nothing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>a page of one's own</title>")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def _own_page() -> Iterator[str]:
    """Serve a page that is not the dashboard's; return its origin."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def _sidecar(origin: str) -> Iterator[int]:
    """Run a sidecar with a token and five events, beside the browser's own loop; return its port."""
    port, stop, loop = [], asyncio.Event(), asyncio.new_event_loop()
    is_ready = threading.Event()

    async def serve() -> None:
        async with World(token=TOKEN, sidecar_origins=(origin,)) as world:
            world.publish(count=5)
            port.append(world.sidecar.port)
            is_ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert is_ready.wait(DEADLINE_S)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE_S)
        loop.close()


def test_F16_T04_page_on_the_list_resumes_with_a_ticket_or_a_first_message(page: Page) -> None:
    """It closes after two of five events and reads the other three; a ticket opens once, a wrong token nothing."""
    with _own_page() as origin, _sidecar(origin) as port:
        page.goto(origin)
        found = page.evaluate(RESUMES, [f"127.0.0.1:{port}", TOKEN])
    assert found == [[1, 2], [[], 1006], [3, 4, 5], [3, 4, 5], [[], 4500]]
