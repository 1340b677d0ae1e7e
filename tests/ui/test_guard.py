"""Who may ask this server."""

import sys
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from ui.fake_service import ANCHOR, FakeService, install

from coindcx_feed.ui import guard
from coindcx_feed.ui.guard import Guard

HOST = (b"host", b"localhost:8501")
OWN = (b"origin", b"http://localhost:8501")


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        (b"localhost:8501", True),
        (b"127.0.0.1:8501", True),
        (b"LOCALHOST", True),
        (b"evil.example:8501", False),
        (b"localhost.evil.example", False),
        (b"127.0.0.1.evil.example", False),
        (b"localhost:8501@evil.example", False),
        (b"", False),
        (b"\xff\xfe", False),
    ],
)
def test_T03_only_loopback_names_are_answered(host: bytes, is_allowed: bool) -> None:
    """A foreign name that points here (DNS rebinding) is refused, whatever port it names."""
    assert guard.is_allowed_host(host) is is_allowed


def test_T03_a_listed_name_is_answered_and_a_pattern_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy the dashboard has a name of its own, exactly as it stands in Streamlit's settings."""
    monkeypatch.setattr(guard.st, "get_option", {"server.allowedHosts": ["feed.desk.example", "*.example"]}.__getitem__)
    assert guard.is_allowed_host(b"Feed.Desk.Example:443")
    assert guard.is_allowed_host(b"localhost:8501")
    assert not guard.is_allowed_host(b"other.example")
    assert not guard.is_allowed_host(b"*.example.evil")


@pytest.mark.parametrize(
    ("origins", "scheme", "is_own"),
    [
        ([b"http://localhost:8501"], "ws", True),
        ([b"https://localhost:8501"], "wss", True),
        ([b"https://localhost:8501"], "ws", True),
        ([b"http://localhost:8501"], "wss", False),
        ([b"http://localhost:3000"], "ws", False),
        ([b"http://127.0.0.1:8501"], "ws", False),
        ([b"http://localhost:8501.evil.example"], "ws", False),
        ([b"http://evil.example"], "ws", False),
        ([b"null"], "ws", False),
        ([b""], "ws", False),
        ([b"http://localhost:8501", b"http://localhost:8501"], "ws", False),
        ([b"http://localhost:8501, http://evil.example"], "ws", False),
    ],
)
def test_T01_origin_must_be_exactly_the_servers_own(origins: list[bytes], scheme: str, is_own: bool) -> None:
    """Name and port, and never less encrypted; another program's page on this machine is a foreign one."""
    for is_needed in (True, False):
        assert guard.is_own_origin(origins, b"localhost:8501", scheme, is_needed=is_needed) is is_own


def test_T01_no_origin_is_enough_for_a_request_and_not_for_a_socket() -> None:
    """A browser sends none with the scripts of its own page; with a socket it always does."""
    assert guard.is_own_origin([], b"localhost:8501", "http", is_needed=False)
    assert not guard.is_own_origin([], b"localhost:8501", "ws", is_needed=True)


async def _ask(kind: str, *headers: tuple[bytes, bytes], path: str = "/live") -> tuple[bool, list[Message]]:
    reached, sent = [], []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        reached.append(scope["path"])
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": f"{kind}.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": kind, "path": path, "scheme": "ws" if kind == "websocket" else "http", "headers": [*headers]}
    await Guard(app)(scope, receive, send)
    return bool(reached), sent


@pytest.mark.parametrize("headers", [(), (OWN,), (HOST, HOST, OWN), ((b"host", b"evil.example"), OWN)])
async def test_T03_request_without_one_allowed_host_reaches_no_route(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """None, two, or a foreign one: 421 over HTTP, a refused upgrade otherwise."""
    is_reached, sent = await _ask("http", *headers)
    assert not is_reached
    assert sent[0]["status"] == 421
    is_reached, sent = await _ask("websocket", *headers)
    assert not is_reached
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_T01_foreign_origin_reaches_no_route() -> None:
    """Over HTTP 403 with the usual headers; a socket needs the origin as well."""
    foreign = (b"origin", b"http://localhost:3000")
    is_reached, sent = await _ask("http", HOST, foreign)
    assert not is_reached
    assert sent[0]["status"] == 403
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
    for headers in ((HOST, foreign), (HOST,)):
        is_reached, sent = await _ask("websocket", *headers)
        assert not is_reached
        assert sent[0]["type"] == "websocket.close"


async def test_T01_another_programs_page_does_not_reach_streamlits_socket() -> None:
    """Streamlit itself takes any page of this machine, whatever its port."""
    foreign = (b"origin", b"http://localhost:3000")
    is_reached, _ = await _ask("websocket", HOST, foreign, path=guard.SESSION_PATH)
    assert not is_reached


async def test_own_pages_are_answered() -> None:
    """With their origin, and over HTTP without one too; answers carry the usual headers."""
    for headers in ((HOST,), (HOST, OWN)):
        is_reached, sent = await _ask("http", *headers)
        assert is_reached
        assert (b"referrer-policy", b"no-referrer") in sent[0]["headers"]
    assert (await _ask("websocket", HOST, OWN))[0]


async def test_open_page_counts_as_a_viewer_until_its_connection_ends() -> None:
    """Streamlit's own WebSocket is one browser that looks; requests are none, and an error ends it as well."""
    service, seen = FakeService(), []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append((scope["type"], service.viewers))
        if scope.get("fails"):
            raise ConnectionResetError

    async def nothing(*_: Any) -> Any:
        return None

    before = sys.modules.get(ANCHOR)
    install(service)
    try:
        middleware = Guard(app)
        page = {"type": "websocket", "path": guard.SESSION_PATH, "scheme": "ws", "headers": [HOST, OWN]}
        await middleware(page, nothing, nothing)
        with pytest.raises(ConnectionResetError):
            await middleware({**page, "fails": True}, nothing, nothing)
        await middleware(
            {"type": "websocket", "path": "/other", "scheme": "ws", "headers": [HOST, OWN]}, nothing, nothing
        )
        await middleware({"type": "http", "path": "/", "scheme": "http", "headers": [HOST]}, nothing, nothing)
    finally:
        sys.modules.pop(ANCHOR) if before is None else sys.modules.update({ANCHOR: before})
    assert seen == [("websocket", 1), ("websocket", 1), ("websocket", 0), ("http", 0)]
    assert service.viewers == 0
