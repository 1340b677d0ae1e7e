"""Cursors over the ring, on real sockets: filters, resume, slow clients, market messages."""

import asyncio
import time

import msgspec
import pytest
from sidecar.helpers import EPOCH, Client, RawClient, World, eventually

from coindcx_feed.sidecar.limits import Limits


async def test_all_clients_get_every_event_in_order(world: World) -> None:
    """Dense numbers, the same for all, for events in one turn and in many."""
    async with world.connect() as one, world.connect() as two, world.connect("types=order") as three:
        for _ in range(50):
            world.publish(count=7)
            await asyncio.sleep(0)
        expected = list(range(1, 351))
        assert [await client.seqs(350) for client in (one, two, three)] == [expected] * 3
    assert world.sidecar.sent == 1050


async def test_types_and_pairs_filter(world: World) -> None:
    """A pair drops other pairs' orders but no balance and no system event."""
    async with (
        world.connect("types=position,balance") as types,
        world.connect("pairs=B-ETH_USDT") as pairs,
        world.connect("types=order&pairs=B-ETH_USDT") as both,
        world.connect() as everything,
    ):
        for kind, pair in [
            ("order", "B-BTC_USDT"),
            ("order", "B-ETH_USDT"),
            ("position", "B-BTC_USDT"),
            ("balance", "USDT"),
            ("system", None),
            ("order", "B-ETH_USDT"),
        ]:
            world.publish(kind, pair)
        assert await types.seqs(2) == [3, 4]
        assert await pairs.seqs(4) == [2, 4, 5, 6]
        assert await both.seqs(2) == [2, 6]
        assert await everything.seqs(6) == [1, 2, 3, 4, 5, 6]


async def test_sides_statuses_text_and_prices_filter_as_on_the_pages(world: World) -> None:
    """All parts must hold; what has no side or no price does not pass a filter for one."""
    async with (
        world.connect("sides=buy") as sides,
        world.connect("statuses=filled,open&sides=sell") as both,
        world.connect("text=Limit%20ETH") as text,
        world.connect("price_min=10&price_max=20.50&types=order,balance") as prices,
        world.connect() as everything,
    ):
        world.publish(side="buy", status="open", price=10.0)
        world.publish(side="sell", status="filled", price=20.5, message="ETH limit buy order placed!")
        world.publish(side="sell", status="cancelled", price=20.51, message="ETH market")
        world.publish("balance", "USDT")
        world.publish("system", None, message="limit of eth")
        world.publish(side="buy", status="filled", price=15.0, message="limit: eth")
        assert await sides.seqs(2) == [1, 6]
        assert await both.seqs(1) == [2]
        assert await text.seqs(3) == [2, 5, 6]
        assert await prices.seqs(3) == [1, 2, 6]
        assert await everything.seqs(6) == [1, 2, 3, 4, 5, 6]
    assert world.sidecar.sent == 15


async def test_F16_resume_inside_the_ring_misses_nothing(world: World) -> None:
    """From the next number, across slices, into live events without a seam."""
    world.publish(count=900)
    async with world.connect(f"since=100&epoch={EPOCH}") as client:
        world.publish(count=50)
        assert await client.seqs(850) == list(range(101, 951))


async def test_earliest_is_everything_kept(world: World) -> None:
    """Oldest first."""
    world.publish(count=1200)
    async with world.connect("since=earliest") as client:
        assert await client.seqs(1000) == list(range(201, 1201))


async def test_resume_with_a_filter_skips_what_does_not_match(world: World) -> None:
    """Slices without any match do not end the search."""
    world.publish(count=10)
    world.publish("balance", "USDT")
    world.publish(count=900)
    world.publish("balance", "USDT")
    async with world.connect(f"since=5&epoch={EPOCH}&types=balance") as client:
        assert await client.seqs(2) == [11, 912]
        world.publish("balance", "USDT")
        assert await client.seqs(1) == [913]


@pytest.mark.parametrize(
    ("query", "missed", "first"),
    [
        (f"since=100&epoch={EPOCH}", (101, 500), 501),
        ("since=1400&epoch=another", (1401, None), 501),
        (f"since=1501&epoch={EPOCH}", (None, None), 501),
    ],
)
async def test_F16_resume_says_what_is_missing_first(world: World, query: str, missed: object, first: int) -> None:
    """Too old, another epoch, a number never given: the gap, then everything kept."""
    world.publish(count=1500)
    async with world.connect(query) as client:
        gap = await client.next()
        assert (gap["type"], gap["data"]["message"]) == ("system", "resume_gap")
        assert (gap["data"]["missed_from"], gap["data"]["missed_to"]) == missed
        assert "seq" not in gap
        assert await client.seqs(1000) == list(range(first, first + 1000))


async def test_F13_events_overwritten_within_one_turn_are_announced(world: World) -> None:
    """More events than the ring holds in one turn: every client learns the numbers it lost."""
    async with world.connect() as plain, world.connect("types=order") as filtered:
        world.publish(count=2500)
        for client in (plain, filtered):
            gap = (await client.next())["data"]
            assert (gap["message"], gap["missed_from"], gap["missed_to"]) == ("resume_gap", 1, 1500)
            assert await client.seqs(1000) == list(range(1501, 2501))


async def test_F13_a_sleeping_reader_is_overtaken_with_a_word() -> None:
    """Its cursor waits in the ring; what the ring overwrites is named, the rest continues without a hole."""
    async with World(capacity=1000, limits=Limits(behind_s=60)) as world:
        raw = await RawClient.open(world, receive_bytes=4096)
        await raw.frame()
        for _ in range(200):
            world.publish(count=100, padding=1000)
            await asyncio.sleep(0)
        seen, missing = await _read_all(raw, 20_000)
        raw.close()
    assert missing, "the reader was meant to be overtaken"
    assert sorted(seen + missing) == list(range(1, 20_001))


async def _read_all(raw: RawClient, last: int) -> tuple[list[int], list[int]]:
    seen: list[int] = []
    missing: list[int] = []
    while not seen or seen[-1] < last:
        message = msgspec.json.decode((await raw.frame())[1])
        if "seq" in message:
            seen.append(message["seq"])
        else:
            missing += range(message["data"]["missed_from"], message["data"]["missed_to"] + 1)
    return seen, missing


async def test_F14_a_client_that_never_reads_is_closed_and_nobody_notices() -> None:
    """Good clients get everything in order and on time; the slow one holds a bounded buffer, then nothing."""
    async with World(capacity=5000, limits=Limits(behind_s=0.3, grace_s=0.2)) as world:
        bad = await RawClient.open(world, receive_bytes=4096)
        await bad.frame()
        async with world.connect() as one, world.connect("types=order") as two:
            readers = [asyncio.create_task(_timed(client, 12_000)) for client in (one, two)]
            for _ in range(1200):
                world.publish(count=10, padding=1000)
                await asyncio.sleep(0.001)
            results = [await reader for reader in readers]
            await eventually(lambda: world.sidecar.clients == 2)
        assert world.sidecar.slow == 1
        assert [seqs for seqs, _ in results] == [list(range(1, 12_001))] * 2
        assert max(pause for _, pause in results) < 1.0
        bad.close()


async def _timed(client: Client, count: int) -> tuple[list[int], float]:
    seqs, longest, before = [], 0.0, time.monotonic()
    for _ in range(count):
        seqs.append((await client.next())["seq"])
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    return seqs, longest


async def test_F14_a_client_that_asks_for_everything_and_never_reads_is_slow_too() -> None:
    """While it catches up the same limit holds."""
    async with World(capacity=15_000, limits=Limits(behind_s=0.2, grace_s=0.2)) as world:
        world.publish(count=15_000, padding=1000)
        raw = await RawClient.open(world, "since=earliest", receive_bytes=4096)
        await eventually(lambda: world.sidecar.slow == 1)
        raw.close()


async def test_F14_a_stalled_client_holds_a_bounded_number_of_bytes() -> None:
    """Whatever is published, it waits in the ring, not in the client's buffer."""
    limits = Limits(behind_s=60)
    async with World(capacity=5000, limits=limits) as world:
        raw = await RawClient.open(world, receive_bytes=4096)
        await raw.frame()
        await eventually(lambda: world.sidecar.clients == 1)
        (session,) = world.sidecar._sessions
        most = 0
        for _ in range(300):
            world.publish(count=50, padding=1000)
            await asyncio.sleep(0)
            assert session.reader is not None
            most = max(most, session.reader.transport.get_write_buffer_size())
        raw.close()
    assert limits.behind_bytes < most <= limits.behind_bytes + limits.slice_bytes


async def test_F14_one_mebibyte_unsent_closes_at_once() -> None:
    """Events so large that one of them passes the limit; the client reads its reason when it wakes up."""
    async with World(capacity=50, limits=Limits(behind_s=60, grace_s=5)) as world:
        raw = await RawClient.open(world, receive_bytes=4096)
        await raw.frame()
        for _ in range(10):
            world.publish(padding=1_500_000)
            await asyncio.sleep(0)
        await eventually(lambda: world.sidecar.clients == 0 or bool(_closing(world)))
        last = (0, b"")
        while last[0] != 0x88:
            last = await raw.frame()
        assert last[1] == (4001).to_bytes(2, "big") + b"slow: read faster, or ask for fewer types"
        raw.close()


def _closing(world: World) -> list[object]:
    return [session for session in world.sidecar._sessions if session.code is not None]


async def test_a_far_behind_client_does_not_hold_up_the_loop() -> None:
    """T11: twenty clients read 50,000 events from the beginning while a live one waits for each event."""
    async with World(capacity=50_000) as world:
        world.publish(count=50_000, padding=100)
        async with world.connect() as live:
            storm = [await RawClient.open(world, "since=earliest&types=order") for _ in range(20)]
            delays = []
            for _ in range(50):
                began = time.monotonic()
                world.publish()
                await live.next()
                delays.append(time.monotonic() - began)
            for raw in storm:
                raw.close()
        assert sorted(delays)[25] < 0.1


async def test_market_messages_go_to_those_who_ask(world: World) -> None:
    """With ``mseq``, never ``seq``; pairs filter them; a message of all pairs passes."""
    async with world.connect("types=trade,price") as market, world.connect("types=all&pairs=B-ETH_USDT") as eth:
        world.publish_market("trade", "B-BTC_USDT")
        world.publish_market("trade", "B-ETH_USDT")
        world.publish_market("price", None)
        world.publish_market("book", "B-BTC_USDT")
        world.publish()
        world.publish("order", "B-ETH_USDT")
        messages = [await market.next() for _ in range(3)]
        assert [message["mseq"] for message in messages] == [1, 2, 3]
        assert all("seq" not in message for message in messages)
        got = [await eth.next() for _ in range(3)]
        assert [(m["type"], m.get("seq"), m.get("mseq")) for m in got] == [
            ("order", 2, None),
            ("trade", None, 2),
            ("price", None, 3),
        ]


async def test_account_clients_get_no_market_messages(world: World) -> None:
    """The default is the account feed."""
    async with world.connect() as client:
        world.publish_market(count=100)
        world.publish()
        assert (await client.next())["seq"] == 1


async def test_a_market_client_that_fell_behind_ignores_the_account_feed() -> None:
    """It continues with the newest message and hears of no gap, whatever the ring lost meanwhile."""
    async with World(capacity=1000, limits=Limits(behind_s=60)) as world:
        raw = await RawClient.open(world, "types=trade", receive_bytes=4096)
        await raw.frame()
        for _ in range(700):
            world.publish_market(count=100)
            world.publish(count=100)
            await asyncio.sleep(0)
        mseqs: list[int] = []
        while not mseqs or mseqs[-1] < 70_000:
            mseqs.append(msgspec.json.decode((await raw.frame())[1])["mseq"])
        raw.close()
    assert mseqs == sorted(mseqs)
    assert len(mseqs) < 70_000


async def test_sides_texts_and_prices_are_asked_of_account_events_only(world: World) -> None:
    """Market messages have none of it: they pass by type and pair, for a client that reads and for one that slept."""
    async with world.connect("types=order,trade&sides=buy&pairs=B-BTC_USDT") as client:
        world.publish(side="sell")
        world.publish_market()
        world.publish_market(pair="B-ETH_USDT")
        world.publish(side="buy")
        messages = [await client.next() for _ in range(2)]
        assert [(m.get("seq"), m.get("mseq")) for m in messages] == [(2, None), (None, 1)]
    async with World(capacity=20_000, limits=Limits(behind_s=60)) as other:
        raw = await RawClient.open(other, "types=order,trade&sides=buy", receive_bytes=4096)
        await raw.frame()
        for _ in range(100):
            other.publish(count=100, padding=1000, side="buy")
            other.publish_market("trade", count=50)
            await asyncio.sleep(0)
        last = 0
        while last != 5_000:
            last = msgspec.json.decode((await raw.frame())[1]).get("mseq", last)
        raw.close()


async def test_market_messages_begin_now(world: World) -> None:
    """There is no resume for them."""
    world.publish_market(count=100)
    async with world.connect("types=all&since=earliest") as client:
        world.publish_market(count=1)
        assert (await client.next())["mseq"] == 101


async def test_market_messages_are_conflated_for_a_client_that_fell_behind() -> None:
    """It gets the newest of each type and pair, not everything it slept through, and the account feed whole."""
    async with World(capacity=20_000, limits=Limits(behind_s=60)) as world:
        raw = await RawClient.open(world, "types=all", receive_bytes=4096)
        await raw.frame()
        for _ in range(100):
            world.publish(count=100, padding=1000)
            world.publish_market("trade", count=50)
            world.publish_market("book", "B-ETH_USDT", count=20)
            await asyncio.sleep(0)
        seqs: list[int] = []
        mseqs: list[int] = []
        while not (seqs and seqs[-1] == 10_000 and mseqs and mseqs[-1] == 7_000):
            message = msgspec.json.decode((await raw.frame())[1])
            (seqs if "seq" in message else mseqs).append(message.get("seq") or message["mseq"])
        raw.close()
    assert seqs == list(range(1, 10_001))
    assert mseqs == sorted(mseqs)
    assert len(mseqs) < 7_000
    assert 6_980 in mseqs, "the last trade before the last book messages"
