"""The README's proxy recipes in front of a sidecar with the README's settings; clients come over TLS, from afar.

Clients use other loopback addresses than the proxy's own, as other machines would; only Linux gives those.
"""

import asyncio
import json
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from integration.reverse_proxies import NAME, Proxy, advised, proxy
from sidecar.helpers import TOKEN, Client, World, eventually
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from coindcx_feed.sidecar.guard import SOCKET_PATH, STATUS_PATH, TICKET_PATH
from coindcx_feed.sidecar.limits import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="clients use addresses that only Linux gives")

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ORIGIN = f"https://{NAME}"
ONE, OTHER = "127.0.0.21", "127.0.0.22"


class ToLoopback(AbstractResolver):
    """Finds every name on this machine, as a name service would find the proxy."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is held."""


class Front:
    """A sidecar, the proxy before it, and clients at addresses of their own."""

    def __init__(self, world: World, before: Proxy) -> None:
        self.world, self.proxy = world, before
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    def http(self, address: str = ONE) -> aiohttp.ClientSession:
        if address not in self._sessions:
            connector = aiohttp.TCPConnector(local_addr=(address, 0), resolver=ToLoopback(), ssl=self.proxy.trust)
            self._sessions[address] = aiohttp.ClientSession(connector=connector)
        return self._sessions[address]

    def url(self, path: str = SOCKET_PATH, scheme: str = "wss") -> str:
        return f"{scheme}://{NAME}:{self.proxy.port}{path}"

    async def get(self, path: str, address: str = ONE, **headers: str) -> tuple[int, bytes]:
        async with self.http(address).get(self.url(path, "https"), headers=headers) as answer:
            return answer.status, await answer.read()

    async def refused(self, address: str = ONE, query: str = "", **headers: str) -> int:
        """Try to open a socket and return the status of the refusal."""
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await self.http(address).ws_connect(self.url() + query, headers=headers)
        return refused.value.status

    @asynccontextmanager
    async def connect(self, address: str = ONE, query: str = "", **headers: str) -> AsyncIterator[Client]:
        async with self.http(address).ws_connect(self.url() + query, headers=headers) as ws:
            yield Client(ws)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()


@pytest.fixture(params=["nginx", "caddy"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def behind(kind: str, folder: Path, limits: Limits | None = None) -> AsyncIterator[Front]:
    """Run both with the settings that the README names."""
    async with World(token=TOKEN, sidecar_origins=(ORIGIN,), limits=limits, **advised()) as world:
        context = proxy(kind, folder, world.sidecar.port)
        before = await asyncio.to_thread(context.__enter__)
        front = Front(world, before)
        try:
            yield front
        finally:
            await front.close()
            await asyncio.to_thread(context.__exit__, None, None, None)


async def test_socket_resumes_through_the_proxy_with_each_proof(kind: str, tmp_path: Path) -> None:
    """Header, first message and ticket; stored and live events in order; neither secret is in the proxy's logs."""
    async with behind(kind, tmp_path) as front:
        front.world.publish(count=3)
        async with front.connect(query="?since=earliest", **BEARER) as client:
            epoch = (await client.next())["data"]["epoch"]
            assert await client.seqs(3) == [1, 2, 3]
            front.world.publish(padding=200_000)
            assert await client.seqs(1) == [4]
        async with front.connect(query=f"?since=2&epoch={epoch}") as client:
            await client.ask(action="auth", token=TOKEN)
            assert await client.seqs(2) == [3, 4]
        async with front.http().post(front.url(TICKET_PATH, "https"), headers=BEARER) as answer:
            ticket = (await answer.json())["ticket"]
        async with front.connect(query=f"?ticket={ticket}&since=3&epoch={epoch}") as client:
            await client.next()
            assert await client.seqs(1) == [4]
        assert await front.refused(query=f"?ticket={ticket}") == 401
    for secret in (TOKEN, ticket):
        assert secret not in front.proxy.logs()


async def test_close_code_of_the_sidecar_reaches_the_client(kind: str, tmp_path: Path) -> None:
    """Seen by a client that shares no code with this project."""
    async with behind(kind, tmp_path) as front:
        async with connect(
            front.url("", "wss").replace(str(front.proxy.port), "443") + SOCKET_PATH,
            host="127.0.0.1",
            port=front.proxy.port,
            local_addr=(ONE, 0),
            ssl=front.proxy.trust,
            additional_headers=BEARER,
        ) as client:
            assert json.loads(await client.recv())["type"] == "system"
            await front.world.sidecar.stop()
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1001, "shutdown")


async def test_T12_limits_and_lines_are_about_the_client_whatever_it_forges(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two places of an address are not a third one's under another name; another client has its own."""
    caplog.set_level(logging.INFO)
    limits = Limits(connections_per_ip=2)
    async with behind(kind, tmp_path, limits) as front:
        forged = {"X-Forwarded-For": "9.9.9.9", "Forwarded": "for=9.9.9.9", "X-Real-IP": "9.9.9.9", **BEARER}
        async with front.connect(**BEARER) as first, front.connect(**forged) as second:
            await first.next()
            await second.next()
            assert await front.refused(**BEARER) == 429
            assert await front.refused(**forged) == 429
            async with front.connect(OTHER, **forged) as foreign:
                await foreign.next()
        await eventually(lambda: front.world.sidecar.clients == 0)
    lines = [record.getMessage() for record in caplog.records if record.name == "coindcx_feed.audit"]
    assert len([line for line in lines if f"client={ONE} via 127.0.0.1:" in line]) == 2
    assert "9.9.9.9" not in caplog.text


async def test_T06_guesses_block_the_guesser_and_nobody_else_behind_the_proxy(kind: str, tmp_path: Path) -> None:
    """All come from the proxy's address; one of them is not listened to."""
    async with behind(kind, tmp_path) as front:
        statuses = []
        for number in range(8):
            forged = {"X-Forwarded-For": f"9.9.9.{number}", "Authorization": f"Bearer {number:016}"}
            statuses.append((await front.get(STATUS_PATH, **forged))[0])
        assert statuses[:5] == [401] * 5
        assert statuses[-1] == 429
        assert (await front.get(STATUS_PATH, OTHER, **BEARER))[0] == 200


async def test_T01_T03_lists_hold_behind_the_proxy(kind: str, tmp_path: Path) -> None:
    """A page of another origin, and another name: nothing of the account is told."""
    async with behind(kind, tmp_path) as front:
        assert await front.refused(Origin="https://evil.example", **BEARER) == 403
        async with front.connect(Origin=ORIGIN, **BEARER) as client:
            assert (await client.next())["data"]["mode"] == "demo"
        status, body = await front.get(STATUS_PATH, Host="evil.example", **BEARER)
        # nginx hands an unknown name on and the sidecar refuses it; Caddy answers an unknown name with nothing.
        assert status == 403 or (kind == "caddy" and (status, body) == (200, b""))
        assert front.world.sidecar.refusals.get("origin") == 1


async def test_routes_answer_through_the_proxy_and_what_it_does_not_hand_on_is_out_of_reach(
    kind: str, tmp_path: Path
) -> None:
    """Pages of events, state and schema with the token; figures for Prometheus stay on the machine."""
    async with behind(kind, tmp_path) as front:
        front.world.publish(count=5)
        status, body = await front.get("/api/v1/events?limit=2&since=earliest", **BEARER)
        assert (status, [event["seq"] for event in json.loads(body)["events"]]) == (200, [1, 2])
        found: dict[str, Any] = json.loads((await front.get(STATUS_PATH, **BEARER))[1])
        assert (found["seq"], found["mode"]) == (5, "demo")
        assert (await front.get("/api/v1/ws/schema", **BEARER))[0] == 200
        assert (await front.get("/api/v1/events"))[0] == 401
        status, body = await front.get("/metrics", **BEARER)
        assert (status, body) == (200, b"") if kind == "caddy" else status == 404
        assert not front.world.sidecar.refusals.get("clear")


async def test_certificate_is_checked(kind: str, tmp_path: Path) -> None:
    """A client that does not know the authority does not send its token."""
    async with behind(kind, tmp_path) as front:
        stranger = aiohttp.TCPConnector(resolver=ToLoopback(), ssl=ssl.create_default_context())
        async with aiohttp.ClientSession(connector=stranger) as http:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await http.ws_connect(front.url(), headers=BEARER)
