"""One client's conversation over real sockets: greeting, events, messages, proof, limits, keep-alive."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from sidecar.helpers import EPOCH, TOKEN, RawClient, World, eventually, masked

from coindcx_feed.sidecar.limits import Limits

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


@pytest.fixture
async def guarded() -> AsyncIterator[World]:
    """A sidecar with a token."""
    async with World(token=TOKEN, limits=Limits(auth_s=0.3, unproven=2)) as running:
        yield running


def close_code(payload: bytes) -> int:
    return int.from_bytes(payload[:2], "big")


async def test_greeting_comes_first_and_names_the_newest_number(world: World) -> None:
    """Word for word the seed's, with mode, epoch and seq in data."""
    world.publish(count=3)
    async with world.connect() as client:
        greeting = client.greeting
    assert list(greeting) == ["id", "timestamp", "type", "data"]
    assert greeting["data"] == {
        "message": "Connected to CoinDCX WebSocket bridge",
        "coindcx_connected": True,
        "mode": "demo",
        "epoch": EPOCH,
        "seq": 3,
    }


async def test_greeting_tells_when_the_exchange_is_away(world: World) -> None:
    """The flag is the state's, asked at the moment of the greeting."""
    world.status["connected"] = False
    async with world.connect() as client:
        assert client.greeting["data"]["coindcx_connected"] is False


async def test_events_are_the_bytes_of_the_ring(world: World) -> None:
    """One message per event, unchanged, in order, also when many were appended at once."""
    async with world.connect() as client:
        world.publish(count=400, padding=500)
        texts = [await client.text() for _ in range(400)]
    assert [text.encode() for text in texts] == world.ring.bodies_since(0, 1000)


async def test_large_events_travel_whole(world: World) -> None:
    """The three length forms of a frame, up to an event larger than a slice."""
    async with world.connect(max_msg_size=0) as client:
        for padding in (0, 70_000, 300_000):
            world.publish(padding=padding)
            event = await client.next()
            assert len(event["data"]["pad"]) == padding


@pytest.mark.parametrize("text", ["ping", '{"type":"ping"}'])
async def test_ping_is_answered(world: World, text: str) -> None:
    """The seed's keep-alive, as a word."""
    async with world.connect() as client:
        await client.ws.send_str(text)
        answer = await client.next()
    assert list(answer) == ["type", "timestamp"]
    assert answer["type"] == "pong"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["timestamp"])


async def test_T10_a_message_that_is_not_understood_gets_a_typed_error(world: World) -> None:
    """The connection lives on and the next event arrives."""
    async with world.connect() as client:
        for text in ("hello", '{"action":"create_order"}', "[" * 60_000):
            await client.ws.send_str(text)
            answer = await client.next()
            assert answer["type"] == "error"
            assert answer["data"]["message"].startswith("expected ping or ")
        world.publish()
        assert (await client.next())["seq"] == 1


async def test_pong_and_needless_proof_get_no_answer(world: World) -> None:
    """What a polite client may send is not an error."""
    async with world.connect() as client:
        for text in ("pong", '{"type":"pong"}', '{"action":"auth","token":"x"}', "ping"):
            await client.ws.send_str(text)
        assert (await client.next())["type"] == "pong"


async def test_T08_a_message_above_the_limit_closes_with_1009(world: World) -> None:
    """64 KiB pass, one byte more does not, and neither does an announced giant."""
    async with world.connect() as client:
        await client.ws.send_str("x" * 65_536)
        assert (await client.next())["type"] == "error"
        await client.ws.send_str("x" * 65_537)
        assert (await client.end())[0] == 1009
    raw = await RawClient.open(world)
    await raw.frame()
    await raw.send(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4))
    first, payload = await raw.frame()
    assert (first & 0xF, close_code(payload)) == (CLOSE, 1009)
    raw.close()


async def test_T08_fragments_are_counted_together(world: World) -> None:
    """A message in endless pieces ends at the same limit."""
    raw = await RawClient.open(world)
    await raw.frame()
    await raw.send(masked(TEXT, b"x" * 1000, is_final=False))
    for _ in range(65):
        await raw.send(masked(0, b"x" * 1000, is_final=False))
    first, payload = await raw.frame()
    assert (first & 0xF, close_code(payload)) == (CLOSE, 1009)
    raw.close()


async def test_T08_binary_closes_with_1003(world: World) -> None:
    """Only text is spoken here."""
    async with world.connect() as client:
        await client.ws.send_bytes(b"\x00")
        assert await client.end() == (1003, "expected text, was binary")


@pytest.mark.parametrize(
    ("frame", "code"),
    [(b"\xc1\x80" + bytes(4), 1002), (masked(0x3, b""), 1002), (masked(TEXT, b"\xff"), 1007)],
)
async def test_T08_broken_frames_end_the_connection(world: World, frame: bytes, code: int) -> None:
    """Compression that was not agreed on, an unknown kind of frame, text that is not UTF-8."""
    raw = await RawClient.open(world)
    await raw.frame()
    await raw.send(frame)
    first, payload = await raw.frame()
    assert (first & 0xF, close_code(payload)) == (CLOSE, code)
    raw.close()


async def test_T08_compression_is_never_agreed_on(world: World) -> None:
    """No compressor, no bomb."""
    raw = await RawClient.open(world, head=b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert b"Extensions" not in raw.head
    raw.close()


async def test_T09_more_than_20_messages_in_a_second_close_with_4002(world: World) -> None:
    """Twenty are answered, and what the client reads last is the reason."""
    async with world.connect() as client:
        for _ in range(21):
            await client.ws.send_str("ping")
        answers = [await client.next() for _ in range(20)]
        assert {answer["type"] for answer in answers} == {"pong"}
        assert await client.end() == (4002, "too fast: at most 20 messages a second")


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (masked(TEXT, b"ping") * 6, 4002, "too fast: at most 5 messages a second"),
        (
            masked(TEXT, b"", is_final=False) + masked(0, b"", is_final=False) * 4,
            1009,
            "expected at most 2 KiB in 3 frag",
        ),
    ],
)
async def test_T08_T09_a_close_names_the_limit_in_force(
    sent: bytes, code: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """To the client and in the audit line; the table's figures are the defaults."""
    caplog.set_level(logging.INFO)
    async with World(limits=Limits(messages_per_s=5, message_bytes=2048, fragments=3)) as world:
        raw = await RawClient.open(world)
        await raw.frame()
        await raw.send(sent)
        while (frame := await raw.frame())[0] != 0x80 | CLOSE:
            pass
        raw.close()
        assert (close_code(frame[1]), frame[1][2:].decode()[: len(reason)]) == (code, reason)
        await eventually(lambda: world.sidecar.refused == 1)
    assert f'code={code} reason="{reason}' in caplog.text


async def test_T09_a_flood_of_protocol_pings_counts_too(world: World) -> None:
    """They are answered like messages, so they are bounded like messages."""
    raw = await RawClient.open(world)
    await raw.frame()
    await raw.send(masked(PING, b"a") * 30)
    frames = [await raw.frame() for _ in range(21)]
    assert frames[:20] == [(0x80 | PONG, b"a")] * 20
    assert close_code(frames[20][1]) == 4002
    raw.close()


async def test_T02_a_token_in_the_header_is_enough(guarded: World) -> None:
    """The greeting comes at once."""
    async with guarded.connect(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert (await client.next())["data"]["seq"] == 0


async def test_T02_a_token_in_the_first_message_is_enough(guarded: World) -> None:
    """Nothing is told before, everything after; events that came meanwhile were before the greeting."""
    async with guarded.connect() as client:
        guarded.publish()
        await client.ws.send_str(msgspec.json.encode({"action": "auth", "token": TOKEN}).decode())
        assert (await client.next())["data"]["seq"] == 1
        guarded.publish()
        assert (await client.next())["seq"] == 2


@pytest.mark.parametrize("text", ["ping", "{}", '{"action":"auth","token":"wrong"}', '{"action":"auth","token":""}'])
async def test_T04_any_other_first_message_closes_with_4500(guarded: World, text: str) -> None:
    """The first message is the only try."""
    async with guarded.connect() as client:
        await client.ws.send_str(text)
        assert (await client.end())[0] == 4500


async def test_T05_silence_instead_of_proof_closes_with_4500(guarded: World) -> None:
    """Within the time limit, and no event was sent meanwhile."""
    async with guarded.connect() as client:
        guarded.publish()
        message = await client.ws.receive()
        assert (client.ws.close_code, message.extra) == (
            4500,
            'unauthorised: send {"action":"auth","token":"..."} first',
        )
    assert guarded.sidecar.clients == 0


async def test_T05_few_may_wait_unproven_and_proven_ones_still_enter(guarded: World) -> None:
    """Half-open places are bounded apart from the rest."""
    async with guarded.connect(), guarded.connect():
        status, message = await guarded.refusal()
        assert (status, message) == (503, "expected a free place, was none: come back later")
        async with guarded.connect(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            assert (await client.next())["type"] == "system"


async def test_idle_clients_get_a_message_and_pings() -> None:
    """The text ping of the seed after silence, protocol pings besides, both unasked."""
    limits = Limits(idle_s=0.1, ping_s=0.15, tick_s=0.02, missed_pings=1000)
    async with World(limits=limits) as world:
        raw = await RawClient.open(world)
        await raw.frame()
        kinds = [await raw.frame() for _ in range(4)]
        assert (0x89, b"") in kinds
        texts = [msgspec.json.decode(payload) for first, payload in kinds if first == 0x81]
        assert {text["type"] for text in texts} == {"ping"}
        raw.close()


async def test_traffic_keeps_the_idle_message_away() -> None:
    """A client that gets events needs no ping text, unless this machine stood still for so long."""
    async with World(limits=Limits(idle_s=0.5, tick_s=0.02)) as world, world.connect() as client:
        last = time.monotonic()
        for _ in range(30):
            world.publish()
            if (await client.next())["type"] == "ping":
                assert time.monotonic() - last > 0.4
                assert (await client.next())["type"] == "order"
            last = time.monotonic()
            await asyncio.sleep(0.02)


async def test_F14_a_client_that_never_answers_pings_is_closed_with_4003() -> None:
    """While one that answers stays."""
    limits = Limits(ping_s=0.1, tick_s=0.02, missed_pings=3, grace_s=0.2)
    async with World(limits=limits) as world, world.connect() as answering:
        answer = asyncio.create_task(answering.next())  # pongs are sent while reading
        raw = await RawClient.open(world)
        frames: list[tuple[int, bytes]] = []
        while not frames or frames[-1][0] != 0x88:
            frames.append(await raw.frame())
        assert [first for first, _ in frames] == [0x81, 0x89, 0x89, 0x88]
        assert close_code(frames[-1][1]) == 4003
        await eventually(lambda: world.sidecar.clients == 1)
        world.publish()
        assert (await answer)["seq"] == 1
        raw.close()


async def test_a_peer_that_ignores_the_close_frame_is_cut_off() -> None:
    """The place is free after the grace time."""
    async with World(limits=Limits(grace_s=0.2)) as world:
        raw = await RawClient.open(world)
        await raw.frame()
        await raw.send(masked(BINARY, b"x"))
        await eventually(lambda: world.sidecar.clients == 0)
        assert close_code((await raw.frame())[1]) == 1003
        with pytest.raises((EOFError, ConnectionError)):
            await raw.frame()
        raw.close()


@pytest.mark.parametrize("way", ["close frame", "end of stream", "reset"])
async def test_a_client_that_leaves_is_forgotten(world: World, way: str) -> None:
    """However it goes, later events are sent to nobody."""
    raw = await RawClient.open(world)
    await raw.frame()
    await eventually(lambda: world.sidecar.clients == 1)
    if way == "close frame":
        await raw.send(masked(CLOSE, (1000).to_bytes(2, "big")))
        assert close_code((await raw.frame())[1]) == 1000
    elif way == "reset":
        raw.sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: close sends a reset
    raw.close()
    await eventually(lambda: world.sidecar.clients == 0)
    sent = world.sidecar.sent
    world.publish(count=10)
    await asyncio.sleep(0)
    assert world.sidecar.sent == sent
