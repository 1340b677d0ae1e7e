"""Every route of the running dashboard, listed by the server itself and attacked one by one. No browser is needed."""

import json
import re
from typing import Any

import aiohttp
import pytest
from browser.harness import Dashboard

from coindcx_feed.ui.charts import PLOTLY_PATH
from coindcx_feed.ui.scripts import PREFIX
from coindcx_feed.ui.tape_socket import PATH, PROTOCOL

OURS = {PLOTLY_PATH, PATH, f"{PREFIX}{{name}}"}
RESERVED = ("/_stcore/", "/media/", "/component/", "/auth/", "/oauth2callback")
ACCOUNT = (b"evil.example", b"B-ETH_USDT", b"41228", b"2941.80", b"what_changed")
"""Occur in every row that the service of this test would show."""


@pytest.fixture(scope="module")
def told(hostile: Dashboard) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((hostile.data_dir / "routes.json").read_text())
    return found


def _paths(told: dict[str, Any], *, sockets: bool) -> list[str]:
    found = [route["path"] for route in told["routes"] if (route["kind"] == "WebSocketRoute") is sockets]
    return [re.sub(r"\{[^}]*\}", "x", path) or "/" for path in dict.fromkeys(found)]


async def _status(dashboard: Dashboard, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as http:
        asked = http.request(method, dashboard.url + path, headers=headers, allow_redirects=False)
        async with asked as answer:
            return answer.status, await answer.read()


async def _upgrade(dashboard: Dashboard, path: str, ticket: str | None = None, **headers: str) -> int:
    """Try to open a socket and return the status: 101 is open."""
    protocols = () if path != PATH else (PROTOCOL,) if ticket is None else (PROTOCOL, ticket)
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(dashboard.url + path, protocols=protocols, headers=headers) as socket,
        ):
            if path == PATH:
                assert json.loads(await socket.receive_str(timeout=5))["cards"]
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


def test_T24_there_is_no_route_of_ours_that_this_test_does_not_know(told: dict[str, Any]) -> None:
    """Whoever adds one says here what it serves: the chart library, our components, the tape behind its ticket."""
    found = {route["path"] for route in told["routes"]}
    assert found >= OURS
    # The empty one serves Streamlit's own files, and its page for every other address.
    assert {path for path in found - OURS if path and not path.startswith(RESERVED)} == set()


async def test_T03_T01_every_route_refuses_foreign_hosts_and_origins(hostile: Dashboard, told: dict[str, Any]) -> None:
    """Over HTTP: another host 421, another or no known origin 403, whatever the method."""
    paths = [*_paths(told, sockets=False), "/", "/orders", "/live/other"]
    assert len(paths) > 10
    for path in paths:
        for method in ("GET", "POST", "OPTIONS"):
            status, body = await _status(hostile, path, method, Host="evil.example:8501")
            assert (status, b"localhost" in body) == (421, True), path
            for origin in ("http://evil.example", "null", "http://localhost:3000"):
                status, _ = await _status(hostile, path, method, Origin=origin)
                assert status == 403, path


async def test_no_route_over_http_serves_account_data(hostile: Dashboard, told: dict[str, Any]) -> None:
    """Also not to the dashboard's own pages: what they show comes over the two sockets, a download from memory."""
    for path in [*_paths(told, sockets=False), *_paths(told, sockets=True), "/", "/orders", "/api/events", "/live/x"]:
        for headers in ({}, {"Origin": hostile.url}):
            _, body = await _status(hostile, path, **headers)
            assert not [mark for mark in ACCOUNT if mark in body], path


async def test_T01_T03_every_socket_refuses_foreign_pages(hostile: Dashboard, told: dict[str, Any]) -> None:
    """With a good ticket where one is needed: it stays unused."""
    ticket = told["good"][0]
    paths = _paths(told, sockets=True)
    assert set(paths) == {PATH, "/_stcore/stream"}
    for path in paths:
        for origin in ("http://evil.example", "http://localhost:3000", "null"):
            assert await _upgrade(hostile, path, ticket, Origin=origin) == 403, path
        assert await _upgrade(hostile, path, ticket, Host="evil.example", Origin="http://evil.example") == 403, path
    assert await _upgrade(hostile, PATH, ticket) == 403, "no origin at all"
    assert await _upgrade(hostile, PATH, ticket, Origin=hostile.url) == 101


async def test_T04_tape_refuses_whoever_has_no_fresh_ticket(hostile: Dashboard, told: dict[str, Any]) -> None:
    """None, made up, too old, or used: only the first presentation of a fresh one opens it."""
    own = {"Origin": hostile.url}
    ticket = told["good"][1]
    assert await _upgrade(hostile, PATH, None, **own) == 403
    assert await _upgrade(hostile, PATH, "A" * 43, **own) == 403
    assert await _upgrade(hostile, PATH, told["expired"], **own) == 403
    assert await _upgrade(hostile, PATH, ticket, **own) == 101
    assert await _upgrade(hostile, PATH, ticket, **own) == 403


async def test_T04_ticket_in_the_address_is_worth_nothing(hostile: Dashboard, told: dict[str, Any]) -> None:
    """Addresses are logged; a ticket is taken from one header alone."""
    ticket = told["good"][2]
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(
                f"{hostile.url}{PATH}?ticket={ticket}", protocols=(PROTOCOL,), headers={"Origin": hostile.url}
            )
    assert await _upgrade(hostile, PATH, ticket, Origin=hostile.url) == 101
