"""Row T11: everybody comes back at once, from far behind, while events go on; nobody else may notice."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from faults.readers import Readers, wrong
from faults.trials import figure, percentile
from sidecar.helpers import EPOCH, World

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.feed.archive import Archive
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.store import EventStore

CLIENTS: Final = 200
WITNESSES: Final = 3
PACE_S: Final = 0.01
QUIET_S: Final = 1.5
AT_ONCE: Final = 500
P99_MS: Final = 500.0
"""Beside what a busy machine takes without a storm."""
MEMORY_MIB: Final = 96
"""Less than twice what 200 clients may have unsent."""


def born(seq: int, padding: int = 0) -> Event:
    """Build an event that tells when it was made, monotonic ns."""
    told: dict[str, Any] = {
        "id": f"o-{seq % 100}",
        "pair": "B-ETH_USDT",
        "born_ns": time.monotonic_ns(),
        "n": seq,
        "pad": "x" * padding,
    }
    record, now_ns = msgspec.json.encode(told), time.time_ns()
    body, at = encode_envelope(seq, EventType.ORDER, Source.STREAM, now_ns, record)
    return Event(seq, EventType.ORDER, Source.STREAM, now_ns, Facts(told["id"], told["pair"]), body, at, len(record))


class Desk:
    """A sidecar, a log on disk and a ring with its end; events are stored, then shown, as by the pipeline."""

    def __init__(self, world: World, store: EventStore, padding: int) -> None:
        self.world, self._store, self._padding = world, store, padding
        self.most_unsent = 0

    async def publish(self, count: int = 1) -> None:
        first = self.world.ring.version + 1
        events = [born(seq, self._padding) for seq in range(first, first + count)]
        await asyncio.to_thread(self._store.append, events, EPOCH)
        for event in events:
            self.world.ring.append(event)
        self.world.sidecar.notify()

    async def go_on(self) -> None:
        """Publish at a pace until cancelled, and look at what is unsent."""
        while True:
            await self.publish()
            await asyncio.sleep(PACE_S)
            sessions = self.world.sidecar._sessions
            unsent = sum(session._transport.get_write_buffer_size() for session in sessions)
            self.most_unsent = max(self.most_unsent, unsent)


@contextlib.asynccontextmanager
async def desk(
    folder: Path, stored: int, kept: int, limits: Limits | None = None, padding: int = 0
) -> AsyncIterator[Desk]:
    """Run it with so many events stored, of which the ring keeps so many."""
    store = EventStore.open(f"sqlite:///{folder / 'events.sqlite'}", mode="demo", account="storm")
    store.begin_epoch(EPOCH, 1)
    world = World(capacity=kept, limits=limits)
    there = Desk(world, store, padding)
    for _ in range(stored // AT_ONCE):
        await there.publish(AT_ONCE)
    world.sidecar.past = Archive(store)
    try:
        async with world:
            yield there
    finally:
        store.close()


def rss_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.timed
@pytest.mark.timeout(900)
async def test_T11_two_hundred_resume_at_once_and_nobody_else_notices(tmp_path: Path, is_long: bool) -> None:
    """Half from the log, half from the ring: each gets every event once; the others get live ones in time."""
    stored, kept = (50_000, 10_000) if is_long else (1_500, 500)
    since = [number if number % 2 else stored - kept + number for number in range(CLIENTS)]
    async with desk(tmp_path, stored, kept) as there, Readers() as witnesses, Readers() as storm:
        world, publishing = there.world, asyncio.create_task(there.go_on())
        await witnesses.ask("connect", world.sidecar.port, [""] * WITNESSES)
        await witnesses.ask("ages")
        await asyncio.sleep(QUIET_S)
        quiet, before, cpu_s = await witnesses.ask("ages"), rss_mib(), time.process_time()
        await storm.ask("connect", world.sidecar.port, [f"since={seq}&epoch={EPOCH}" for seq in since])
        caught_up_s = await storm.ask("caught_up")
        stormy, grown, cpu_s = await witnesses.ask("ages"), rss_mib() - before, time.process_time() - cpu_s
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        await there.publish()
        last = world.ring.version
        reports, others = await storm.ask("upto", last), await witnesses.ask("upto", last)
        strange = wrong(reports, since, last)
        assert not strange, f"{len(strange)} clients, up to {last}, as {strange[:2]}"
        assert wrong(others, (report["first"] - 1 for report in others), last) == []
        assert world.sidecar.slow == 0
    quiet_ms, p99_ms, most_ms = percentile(quiet, 0.99), percentile(stormy, 0.99), max(stormy)
    deliveries = sum(report["count"] for report in reports)
    figure(
        "T11", clients=CLIENTS, deliveries=deliveries, all_caught_up_s=caught_up_s[-1], cpu_s=cpu_s, live=len(stormy),
        quiet_p99_ms=quiet_ms, p99_ms=p99_ms, most_ms=most_ms, rss_grown_mib=grown,
        most_unsent_mib=there.most_unsent / (1 << 20),
    )  # fmt: skip
    assert grown < MEMORY_MIB
    assert p99_ms < P99_MS + quiet_ms
