"""Web pages and foreign host names are refused on every route; unknown paths answer as captured."""

import aiohttp
import pytest

from coindcx_feed.simulator.guard import is_loopback
from coindcx_feed.simulator.server import ExchangeServer


@pytest.mark.parametrize("path", ["/simulator", "/socket.io/?EIO=4&transport=websocket", "/anything"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8501"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8010"},
        {"Host": ""},
    ],
)
async def test_browser_and_rebinding_are_refused(server: ExchangeServer, path: str, headers: dict[str, str]) -> None:
    """403 with one line, before any handler."""
    async with aiohttp.ClientSession() as session, session.get(server.url + path, headers=headers) as reply:
        assert reply.status == 403
        assert "expected" in (await reply.json())["error"]


async def test_websocket_with_origin_is_refused_before_the_upgrade(server: ExchangeServer) -> None:
    """A page cannot open the socket, even one served from loopback."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(f"{server.url}/socket.io/?EIO=4&transport=websocket", origin=server.url)
        assert caught.value.status == 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/nope"), ("PUT", "/socket.io/")])
async def test_unknown_path_and_wrong_method_are_404(server: ExchangeServer, method: str, path: str) -> None:
    """Both answer ``not_found``, as captured from the exchange."""
    async with aiohttp.ClientSession() as session, session.request(method, server.url + path) as reply:
        assert reply.status == 404
        assert await reply.json() == {"status": "error", "message": "not_found", "code": 404}


def test_loopback_names() -> None:
    """Only this machine's names count."""
    assert all(map(is_loopback, ["localhost", "LOCALHOST", "127.0.0.1", "::1", "[::1]"]))
    assert not any(map(is_loopback, ["", "0.0.0.0", "example.com", "127.0.0.1.example.com"]))


async def test_bracketed_loopback_host_is_accepted(server: ExchangeServer) -> None:
    """IPv6's loopback with a port reaches the routes."""
    headers = {"Host": f"[::1]:{server.port}"}
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/nope", headers=headers) as reply:
        assert reply.status == 404
