"""An HTTP server that answers the exchange's reads as a test tells it to, and keeps what was asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from coindcx_feed.exchange.rest_routes import READS
from coindcx_feed.exchange.signing import is_body_signature

KEY, SECRET = "canary-key", "canary-secret"


class Call(NamedTuple):
    """One request that arrived."""

    name: str
    query: dict[str, str]
    body: dict[str, Any]
    is_signed: bool


class Say(NamedTuple):
    """An answer: text is sent as it is, anything else as JSON."""

    content: Any = ()
    status: int = 200
    headers: Mapping[str, str] = {}

    def response(self) -> web.Response:
        is_text = isinstance(self.content, str | bytes)
        raw = self.content if is_text else msgspec.json.Encoder(decimal_format="number").encode(self.content)
        text = raw.encode() if isinstance(raw, str) else raw
        kind = "text/html" if text.startswith(b"<") else "application/json"
        return web.Response(body=text, status=self.status, headers={"Content-Type": kind, **self.headers})


Answer = Callable[[Call], Say]


class FakeApi:
    """Every route of the table; those that were told nothing answer 404, as the exchange does.

    Attributes:
        delay_s: Wait before each answer.

    Threads: one loop.
    """

    def __init__(self) -> None:
        self.url = ""
        self.delay_s = 0.0
        self.calls: list[Call] = []
        self._answers: dict[str, Answer] = {}

    def answer(self, name: str, *replies: Say) -> None:
        """Give these answers one after the other; the last one stays."""
        left = list(replies)
        self._answers[name] = lambda _call: left.pop(0) if len(left) > 1 else left[0]

    def serve(self, name: str, answer: Answer) -> None:
        """Let a function answer."""
        self._answers[name] = answer

    def serve_pages(self, name: str, rows: Callable[[Call], list[Any]], most: int = 1_000) -> None:
        """Answer the asked page of what ``rows`` returns, never more than ``most`` rows."""

        def page(call: Call) -> Say:
            asked = call.body if "page" in call.body else call.query
            size = min(int(asked["size"]), most)
            start = (int(asked["page"]) - 1) * size
            return Say(rows(call)[start : start + size])

        self.serve(name, page)

    def called(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]

    def routes(self) -> list[web.RouteDef]:
        return [web.route(route.method, route.path, self._handler(name)) for name, route in READS.items()]

    def _handler(self, name: str) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            raw = await request.read()
            signature = request.headers.get("X-AUTH-SIGNATURE", "")
            is_signed = request.headers.get("X-AUTH-APIKEY") == KEY and is_body_signature(SECRET, raw, signature)
            body = msgspec.json.decode(raw) if raw else {}
            call = Call(name, {**request.query, **request.match_info}, body, is_signed)
            self.calls.append(call)
            await asyncio.sleep(self.delay_s)
            answer = self._answers.get(name, _not_found)
            return answer(call).response()

        return handle


def _not_found(_call: Call) -> Say:
    return Say({"status": "error", "message": "not_found", "code": 404}, 404)


@contextlib.asynccontextmanager
async def fake_api() -> AsyncIterator[FakeApi]:
    """Run a server on a free port."""
    api, app = FakeApi(), web.Application()
    app.add_routes(api.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield api
    finally:
        await runner.cleanup()
