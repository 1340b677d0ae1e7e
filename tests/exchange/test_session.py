"""One connection: proxies, certificates and what the errors say."""

import ssl

import pytest
import trustme
from aiohttp import web

from coindcx_feed.errors import ProtocolMismatch, UpstreamError
from coindcx_feed.exchange.session import Session, proxy_for


def _nothing(_event: str, _argument: object) -> None:
    return


def test_https_proxy_of_the_environment_is_used_for_wss(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp alone would look for WSS_PROXY, which nobody sets."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert proxy_for("wss://stream.coindcx.com") == "http://proxy.example:3128"
    assert proxy_for("ws://127.0.0.1:8010") is None


async def test_T18_untrusted_certificate_is_refused() -> None:
    """A certificate that no known authority signed ends the connection with a reason."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    session = Session(f"wss://127.0.0.1:{runner.addresses[0][1]}", _nothing)
    try:
        with pytest.raises(UpstreamError, match=r"certificate of .* is not trusted"):
            await session.open(5)
    finally:
        await session.close()
        await runner.cleanup()


async def test_F06_peer_that_is_no_socketio_server_is_named_so() -> None:
    """An HTTP server that answers 404 is not taken for an outage."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    session = Session(f"ws://127.0.0.1:{runner.addresses[0][1]}", _nothing)
    try:
        with pytest.raises(UpstreamError, match=r"expected .* to open a WebSocket, was HTTP 404"):
            await session.open(5)
    finally:
        await session.close()
        await runner.cleanup()


async def test_F06_websocket_that_speaks_another_protocol_is_a_mismatch() -> None:
    """The message names what was expected."""

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("hello")
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/socket.io/", echo)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    session = Session(f"ws://127.0.0.1:{runner.addresses[0][1]}", _nothing)
    try:
        with pytest.raises(ProtocolMismatch, match=r"Engine\.IO 4"):
            await session.open(3)
    finally:
        await session.close()
        await runner.cleanup()
