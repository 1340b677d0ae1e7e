"""The HTTP side over real sockets: lists before the upgrade, status, start, stop, log lines."""

import asyncio
import logging
import socket
import time

import pytest
from sidecar.helpers import EPOCH, TOKEN, RawClient, World, eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.sidecar.limits import Limits

DASHBOARD = "http://localhost:8501"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8000", "127.1"])
async def test_T03_a_foreign_host_is_refused_before_the_upgrade(world: World, host: str) -> None:
    """403 and one JSON line, on the socket and on the status."""
    status, message = await world.refusal(Host=host)
    assert status == 403
    assert message.startswith(f"expected a Host of this machine, was {host}")
    async with world.http.get(world.status_url, headers={"Host": host}) as answer:
        assert answer.status == 403
    assert world.sidecar.refused == 2
    assert world.sidecar.clients == 0


@pytest.mark.parametrize("head", [b"Host: evil.example\r\n", b"hOST: 127.0.0.1\r\n"])
async def test_T03_a_second_host_header_is_refused(world: World, head: bytes) -> None:
    """Which of two names counts is nobody's guess."""
    raw = await RawClient.open(world, head=head)
    assert raw.head.split(b" ")[1] in (b"400", b"403")
    raw.close()


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://localhost:8502", "HTTP://LOCALHOST:8501"])
async def test_T01_a_foreign_page_is_refused_before_the_upgrade(world: World, origin: str) -> None:
    """The whole table stands with the pure check; here it is proven to be asked."""
    status, message = await world.refusal(Origin=origin)
    assert status == 403
    assert message.startswith("expected an Origin of the dashboard")


async def test_T01_the_dashboard_may_connect(world: World) -> None:
    """Its origin is on the list by default."""
    async with world.connect(origin=DASHBOARD) as client:
        assert client.greeting["type"] == "system"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("types=orders", "types: expected some of"),
        ("pairs=BTCUSDT", "pairs: expected pairs like B-BTC_USDT"),
        ("since=5", "since: expected epoch"),
        ("limit=5", "expected only types, pairs, sides, statuses, text, price_min, price_max, since, epoch"),
        ("since=%ff", "since: expected a seq"),
    ],
)
async def test_an_unknown_query_is_400_with_one_line(world: World, query: str, expected: str) -> None:
    """Before the upgrade, where the client can read it."""
    status, message = await world.refusal(query)
    assert status == 400
    assert message.startswith(expected)


@pytest.mark.parametrize("query", [f"token={TOKEN}", f"types=order&access_token={TOKEN}"])
async def test_T04_a_token_in_the_address_is_refused(query: str) -> None:
    """Even the right one: addresses end up in logs and histories."""
    async with World(token=TOKEN) as world:
        status, message = await world.refusal(query)
        assert status == 400
        assert message.startswith("a token in the address is refused")
        assert TOKEN not in message


async def test_T04_a_wrong_token_in_the_header_is_401() -> None:
    """On the socket and on the status."""
    async with World(token=TOKEN) as world:
        assert (await world.refusal(Authorization="Bearer wrong"))[0] == 401
        async with world.http.get(world.status_url, headers={"Authorization": "Bearer wrong"}) as answer:
            assert answer.status == 401


async def test_places_are_limited() -> None:
    """F15: one more is told to come back, and may when a place is free."""
    async with World(limits=Limits(clients=2)) as world, world.connect():
        async with world.connect():
            assert (await world.refusal())[0] == 503
        await eventually(lambda: world.sidecar.clients == 1)
        async with world.connect() as again:
            assert again.greeting


async def test_F15_churn_leaves_nothing_behind(world: World) -> None:
    """Connect and leave many times: no client, no task more than before."""
    tasks = len(asyncio.all_tasks())
    for _ in range(30):
        raws = await asyncio.gather(*(RawClient.open(world) for _ in range(10)))
        for raw in raws:
            raw.close()
    await eventually(lambda: world.sidecar.clients == 0 and len(asyncio.all_tasks()) <= tasks)
    assert not world.sidecar._sessions


async def test_status_shows_the_seeds_names_and_more(world: World) -> None:
    """``active_connections`` and ``coindcx_connected`` keep name and type; nothing of the rest of the status leaks."""
    world.publish(count=3)
    async with world.connect(), world.http.get(world.status_url) as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "active_connections": 1,
            "coindcx_connected": True,
            "mode": "demo",
            "state": "live",
            "epoch": EPOCH,
            "seq": 3,
            "oldest_seq": 1,
            "sent": 0,
            "slow": 0,
            "refused": 0,
            "refusals": {},
        }


async def test_T24_without_the_token_status_is_the_seeds_two_names() -> None:
    """The details need the token."""
    async with World(token=TOKEN) as world:
        async with world.http.get(world.status_url) as answer:
            assert await answer.json() == {"active_connections": 0, "coindcx_connected": True}
        async with world.http.get(world.status_url, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert (await answer.json())["epoch"] == EPOCH


async def test_status_may_be_read_by_listed_pages_only(world: World) -> None:
    """The CORS header names the page; scripts get none; foreign pages are refused."""
    for origin, status, allowed in [(DASHBOARD, 200, DASHBOARD), (None, 200, None), ("http://evil.example", 403, None)]:
        headers = {"Origin": origin} if origin else {}
        async with world.http.get(world.status_url, headers=headers) as answer:
            assert (answer.status, answer.headers.get("Access-Control-Allow-Origin")) == (status, allowed)
            assert answer.headers["Vary"] == "Origin"
    async with world.http.options(world.status_url, headers={"Origin": DASHBOARD}) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/api/v1/ws/status", 405), ("GET", "/api/v1/ws/coindcx", 426), ("GET", "/%0a", 404)],
)
async def test_other_requests_get_one_json_line(world: World, method: str, path: str, status: int) -> None:
    """Unknown path, wrong method, no upgrade."""
    async with world.http.request(method, world.url(path=path, scheme="http")) as answer:
        assert answer.status == status
        assert list(await answer.json()) == ["error"]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "TRACE"])
async def test_a_wrong_method_is_told_the_right_ones(world: World, method: str) -> None:
    """In the line and in the header that the standard asks for; a HEAD is answered as a GET without a body."""
    for path in ("/healthz", "/metrics", "/api/v1/events", "/api/v1/ws/status", "/api/v1/ws/coindcx"):
        async with world.http.request(method, world.url(path=path, scheme="http")) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
            assert (await answer.json())["error"] == f"expected GET, HEAD, was {method} {path}: change the method"
    async with world.http.head(world.url(path="/healthz", scheme="http")) as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_a_busy_port_is_one_clear_line(world: World) -> None:
    """It names the port and what to do."""
    port = world.sidecar.port
    with pytest.raises(ConfigError) as caught:
        async with World(port=port):
            pass
    assert str(caught.value) == (
        f"port {port} on 127.0.0.1 is in use by another process: stop that process or set COINDCX_SIDECAR_PORT"
    )


async def test_an_address_of_another_machine_is_one_clear_line() -> None:
    """192.0.2.1 is reserved for documents: no machine has it."""
    with pytest.raises(
        ConfigError, match=r"^port 0 on 192\.0\.2\.1 cannot be bound \(.*\): correct COINDCX_SIDECAR_HOST$"
    ):
        async with World(token=TOKEN, sidecar_host="192.0.2.1"):
            pass


@pytest.mark.timed
async def test_shutdown_closes_everyone_with_1001_and_frees_the_port() -> None:
    """Within two seconds, also with a client that does not answer, and a new server takes the port at once."""
    async with World() as world:
        silent = await RawClient.open(world)
        async with world.connect() as one, world.connect() as two:
            world.publish()
            ends = [asyncio.create_task(client.end()) for client in (one, two)]
            began = time.monotonic()
            await world.sidecar.stop()
            assert time.monotonic() - began < 2.0
            assert [await end for end in ends] == [(1001, "shutdown")] * 2
        silent.close()
        port = world.sidecar.port
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", port))
        async with World(port=port) as again:
            assert again.sidecar.port == port


async def test_stop_and_notify_before_start_are_harmless() -> None:
    """The runtime need not know how far it came."""
    world = World()
    world.publish()
    await world.sidecar.stop()
    assert (world.sidecar.clients, world.sidecar.sent) == (0, 0)
    await world.http.close()


async def test_events_before_the_first_client_are_not_sent_twice(world: World) -> None:
    """With nobody there the cursor simply stands at the newest event."""
    world.publish(count=500)
    await asyncio.sleep(0)
    async with world.connect() as client:
        world.publish()
        assert (await client.next())["seq"] == 501


async def test_a_client_that_comes_between_append_and_send_gets_no_event_twice(world: World) -> None:
    """Its greeting names the newest number; the first event is the one after."""
    async with world.connect(), world.connect("types=order"):
        for _ in range(20):
            connecting = asyncio.create_task(world.http.ws_connect(world.url()))
            while not connecting.done():
                world.publish(count=300)
                await asyncio.sleep(0)
            ws = await connecting
            newest = (await ws.receive_json())["data"]["seq"]
            world.publish()
            assert (await ws.receive_json())["seq"] == newest + 1
            await ws.close()


async def test_T15_T16_log_lines_hold_client_and_reason_but_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Tokens from headers, addresses and messages stay out; forged line breaks are escaped."""
    caplog.set_level(logging.DEBUG)
    async with World(token=TOKEN) as world:
        await world.refusal(f"token={TOKEN}")
        await world.refusal(Authorization=f"Bearer {TOKEN}x")
        (await RawClient.open(world, head="Origin: http://evil.example/\u202e\r\n".encode())).close()
        async with world.connect(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            await client.next()
            await client.ws.send_str(f"not json {TOKEN}")
            await client.next()
        async with world.connect() as client:
            await client.ws.send_json({"action": "auth", "token": f"{TOKEN}y"})
            await client.end()
        async with world.http.get(world.url(path="/x%0aFORGED", scheme="http")) as answer:
            assert answer.status == 401
        await eventually(lambda: world.sidecar.clients == 0)
    ours = ("coindcx_feed.sidecar", "coindcx_feed.audit")
    lines = [record.getMessage() for record in caplog.records if record.name in ours]
    assert all(line.isprintable() and line.isascii() for line in lines)
    assert any("client joined client=127.0.0.1:" in line for line in lines)
    assert any("client closed client=127.0.0.1:" in line and "code=4500" in line for line in lines)
    assert any("status=401" in line and r"path=/x\nFORGED" in line for line in lines)
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(world.sidecar.__dict__)
