"""Signed reads against a real HTTP server."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from fakes.rest import wallets_route
from pydantic import SecretStr

from coindcx_feed.errors import RestError
from coindcx_feed.exchange.rest import READS, RestReader, read_conversions
from coindcx_feed.simulator.server import ExchangeServer

KEY, SECRET = SecretStr("key"), SecretStr("canary-secret")


async def _odd(request: web.Request) -> web.Response:
    answers = {
        "html": web.Response(text="<html>challenge</html>", content_type="text/html"),
        "busy": web.Response(status=503),
    }
    return answers[request.match_info["what"]]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    routes = [
        wallets_route("key", "canary-secret"),
        web.get("/{what:html|busy}" + READS["wallets"][1], _odd),
    ]
    async with ExchangeServer(port=0, routes=routes) as server:
        yield server.url


async def test_signed_read_succeeds_and_tells_the_server_time(url: str) -> None:
    """The reply's date allows an estimate of the clock skew."""
    reply = await RestReader(url, KEY, SECRET).read("wallets")
    assert reply.data == []
    assert reply.server_ms is not None
    assert abs(reply.received_ms - reply.server_ms) < 5_000


async def test_wrong_secret_is_401_and_is_not_printed(url: str) -> None:
    """T16: the error tells what was refused, not with which secret."""
    with pytest.raises(RestError, match="401") as caught:
        await RestReader(url, KEY, SecretStr("canary-wrong")).read("wallets")
    assert caught.value.status == 401
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(("what", "message"), [("html", "expected JSON, was text/html"), ("busy", "HTTP 200, was 503")])
async def test_challenge_page_and_server_error_are_told_apart(url: str, what: str, message: str) -> None:
    """Behind the exchange's proxy HTML instead of JSON is possible."""
    with pytest.raises(RestError, match=message):
        await RestReader(f"{url}/{what}", KEY, SECRET).read("wallets")


async def test_nothing_listening_is_status_zero() -> None:
    """No reply at all is not a refusal."""
    with pytest.raises(RestError) as caught:
        await read_conversions("http://127.0.0.1:9")
    assert caught.value.status == 0


def test_C9_every_path_only_reads() -> None:
    """No path of the table can place, change or cancel anything."""
    for method, path in READS.values():
        assert method in ("GET", "POST")
        assert not any(verb in path for verb in ("create", "cancel", "edit", "exit", "margin", "leverage", "transfer"))
