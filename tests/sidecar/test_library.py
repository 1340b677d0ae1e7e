"""Clients that stand before the ring read on from the durable log, and are told of holes and of epochs."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sidecar.helpers import EPOCH, Client, RawClient, World, event, eventually

from coindcx_feed.errors import StoreError
from coindcx_feed.feed.columns import Looked
from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.resume import PastRow

OLD = "20251231T000000-0ld00000"
RING_FIRST = 101
CLIENTS = 20


class Shelf:
    """A log in memory: events 1 to 100 of two epochs, which may have holes."""

    def __init__(self, missing: Sequence[int] = (), epochs: Sequence[tuple[int, str]] = ((1, EPOCH),)) -> None:
        self.rows: list[PastRow] = [
            (seq, "order" if seq % 2 else "balance", "B-BTC_USDT", event(seq).body, None)
            for seq in range(1, RING_FIRST)
            if seq not in missing
        ]
        self.oldest = self.rows[0][0]
        self.epochs = epochs
        self.readers = 0
        self.most_readers = 0
        self.is_broken = False
        self.reads = 0

    def bodies(self, after: int, limit: int, upto: int, *, is_looked_at: bool = False) -> list[PastRow]:
        assert threading.current_thread() is not threading.main_thread()
        self.readers += 1
        self.reads += 1
        self.most_readers = max(self.most_readers, self.readers)
        try:
            if self.is_broken:
                raise StoreError("gone")
            rows = [row for row in self.rows if after < row[0] <= upto][:limit]
            return [(*row[:4], Looked.of(event(row[0]).facts)) for row in rows] if is_looked_at else rows
        finally:
            self.readers -= 1


@asynccontextmanager
async def served(shelf: Shelf, limits: Limits | None = None) -> AsyncIterator[World]:
    """A sidecar whose ring begins behind the log."""
    world = World(ring=Ring(1_000, EPOCH, first_seq=RING_FIRST), limits=limits)
    world.sidecar.past = shelf
    async with world:
        world.publish(count=10)
        yield world


async def read(client: Client, last: int) -> list[Any]:
    """Return numbers of events and messages without one, up to the event with the last number."""
    found: list[Any] = []
    while not found or found[-1] != last:
        message = await client.next()
        found.append(message.get("seq") or message["data"])
    return found


async def test_F13_F16_a_cursor_before_the_ring_reads_on_from_the_log_into_live_events() -> None:
    """Without a seam, and without a gap that is none."""
    async with served(Shelf()) as world, world.connect(f"since=3&epoch={EPOCH}") as client:
        world.publish(count=5)
        assert await read(client, 115) == list(range(4, 116))


async def test_earliest_is_the_oldest_of_the_log() -> None:
    """Paged, oldest first."""
    async with served(Shelf(missing=range(1, 40))) as world, world.connect("since=earliest") as client:
        assert await read(client, 110) == list(range(40, 111))


async def test_filters_hold_for_the_log_too() -> None:
    """Odd numbers are orders there."""
    async with served(Shelf()) as world, world.connect(f"since=90&epoch={EPOCH}&types=order") as client:
        assert await read(client, 110) == [91, 93, 95, 97, 99, *range(101, 111)]


async def test_parts_of_the_pages_filter_hold_for_the_log_and_the_ring_alike() -> None:
    """The ids are ``order-SEQ``: the search finds 99 in the log and 109 in memory."""
    async with served(Shelf()) as world, world.connect("since=earliest&text=9&types=order") as client:
        assert await read(client, 109) == [9, 19, 29, 39, 49, 59, 69, 79, 89, *range(91, 101, 2), 109]


async def test_F16_what_the_log_no_longer_has_is_named_exactly() -> None:
    """A hole in the middle, between events that are there."""
    async with served(Shelf(missing=range(50, 60))) as world, world.connect(f"since=45&epoch={EPOCH}") as client:
        found = await read(client, 110)
    gap = found[4]
    assert (gap["message"], gap["recovered"], gap["missed_from"], gap["missed_to"]) == ("resume_gap", False, 50, 59)
    assert [seq for seq in found if isinstance(seq, int)] == [*range(46, 50), *range(60, 111)]


async def test_F21_a_log_that_cannot_be_read_is_a_gap_and_no_end() -> None:
    """The client goes on with what memory has."""
    shelf = Shelf()
    shelf.is_broken = True
    limits = Limits(past_wait_s=0.1, past_retry_s=0.02)
    async with served(shelf, limits) as world, world.connect(f"since=50&epoch={EPOCH}") as client:
        gap, *rest = await read(client, 110)
    assert (gap["missed_from"], gap["missed_to"]) == (51, 100)
    assert rest == list(range(101, 111))


async def test_F21_a_log_that_is_readable_again_soon_is_no_gap() -> None:
    """The client waits, and gets every event; who leaves meanwhile is not waited for."""
    shelf = Shelf()
    shelf.is_broken = True
    async with (
        served(shelf, Limits(past_retry_s=0.02)) as world,
        world.connect(f"since=10&epoch={EPOCH}") as leaving,
        world.connect(f"since=50&epoch={EPOCH}") as client,
    ):
        await eventually(lambda: shelf.reads >= 3)
        await leaving.ws.close()
        await eventually(lambda: world.sidecar.clients == 1)
        shelf.is_broken = False
        assert await read(client, 110) == list(range(51, 111))


async def test_F16_epochs_of_the_log_are_known_and_announced_where_they_begin() -> None:
    """A position of an older epoch is a position; each later epoch is announced before its first event."""
    shelf = Shelf(epochs=((1, OLD), (60, EPOCH)))
    async with served(shelf) as world:
        async with world.connect(f"since=55&epoch={OLD}") as client:
            assert client.greeting["data"]["epoch"] == EPOCH
            found = await read(client, 110)
        assert found[0] == {"message": "epoch_changed", "epoch": OLD, "first_seq": 1}
        assert found[5] == {"message": "epoch_changed", "epoch": EPOCH, "first_seq": 60}
        assert [seq for seq in found if isinstance(seq, int)] == list(range(56, 111))
        async with world.connect(f"since=70&epoch={OLD}") as client:
            gap = (await client.next())["data"]
        assert gap["reason"] == "seq 70 was never given in this epoch; the newest is 59: sent from the oldest"


async def test_C2_an_epoch_that_begins_is_announced_to_everyone_before_its_first_event() -> None:
    """Whatever types they asked for; market-only clients have no use for it."""
    async with World() as world:
        world.publish(count=2)
        async with (
            world.connect() as whole,
            world.connect("types=order") as orders,
            world.connect("types=trade") as market,
        ):
            world.publish(count=2)
            world.ring.begin_epoch("next")
            world.publish(count=2)
            world.publish_market()
            for client in (whole, orders):
                assert await read(client, 6) == [
                    3, 4, {"message": "epoch_changed", "epoch": "next", "first_seq": 5}, 5, 6,
                ]  # fmt: skip
            assert (await market.next())["type"] == "trade"
        async with world.connect(f"since=3&epoch={EPOCH}") as late:
            assert (await late.next())["data"]["epoch"] == EPOCH
            assert await late.seqs(1) == [4]


async def test_T11_a_resume_storm_reads_the_log_one_client_at_a_time() -> None:
    """Live events pass meanwhile; everybody gets everything."""
    shelf = Shelf()
    async with served(shelf) as world, asyncio.TaskGroup() as group:

        async def resume() -> list[Any]:
            async with world.connect("since=earliest") as client:
                return await read(client, 110)

        readers = [group.create_task(resume()) for _ in range(CLIENTS)]
    assert [reader.result() for reader in readers] == [list(range(1, 111))] * CLIENTS
    assert shelf.most_readers == 1


async def test_F14_a_client_that_reads_large_events_of_the_log_is_not_called_slow() -> None:
    """A slice is bounded in bytes too: 250 events of 60 kB at once were above the hard limit, however fast it reads."""
    shelf, limits = Shelf(), Limits(connections_per_ip=10, unsent_bytes=512 * 1024)
    shelf.rows = [(seq, "order", "B-BTC_USDT", event(seq, padding=60_000).body, None) for seq in range(1, RING_FIRST)]
    async with served(shelf, limits) as world:
        client = await RawClient.open(world, "since=earliest", receive_bytes=4096)
        (session,) = world.sidecar._sessions
        seqs, held = [], 0
        while len(seqs) < RING_FIRST - 1:
            first, payload = await client.frame()
            assert first == 0x81, payload
            seqs.append(msgspec.json.decode(payload).get("seq"))
            held = max(held, session._transport.get_write_buffer_size())
        client.close()
    assert seqs == [None, *range(1, RING_FIRST - 1)]
    assert limits.slice_bytes < held <= limits.behind_bytes + limits.slice_bytes
