"""One trial: the scriptable exchange, a faulty line, the feed and a client, all real, with the checker at the end."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from fakes.numbered import NumberedExchange, numbered_exchange
from fakes.proxy import FaultProxy, fault_proxy
from fakes.rest_api import KEY, SECRET
from fakes.runtimes import settings_for
from fakes.trader import Trader
from fakes.waiting import eventually
from faults.checker import Span, Taken, Verdict, check_client, check_feed, check_state
from faults.deliveries import Deliveries
from pydantic import SecretStr

from coindcx_feed import client
from coindcx_feed.exchange.states import Timings
from coindcx_feed.feed.kept import KeptApart
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService
from coindcx_feed.simulator.behaviour import Behaviour

SHORT = Timings(joined_after_s=0.2, proof_s=1.0, stable_s=0.3, retry_first_s=0.05, retry_most_s=0.3, tick_s=0.02)
END_S: Final = 20.0


class Trial:
    """What a test of this folder works with. Threads: the test's loop; the feed has its own thread."""

    def __init__(self, exchange: NumberedExchange, proxy: FaultProxy, runtime: FeedRuntime, seed: int) -> None:
        self.exchange, self.proxy, self.runtime = exchange, proxy, runtime
        self.deliveries = Deliveries()
        proxy.passed = self.deliveries.passed
        self.service = FeedService(runtime)
        self.trader = Trader(exchange, seed)
        self.received: list[dict[str, Any]] = []
        self.raws: list[bytes] = []

    @property
    def is_watched(self) -> bool:
        return self.runtime.change.state.is_connected

    @property
    def joins(self) -> list[float]:
        """When the private channel was asked for, monotonic seconds."""
        return [join.mono for join in self.exchange.server.joins if join.channel == "coindcx"]

    @property
    def states(self) -> list[str]:
        return [str(change.state) for change in self.runtime.watch.changes()]

    async def watched(self) -> None:
        """Wait until the account is watched and was compared with the lists."""
        await eventually(lambda: self.is_compared)

    async def rejoined(self, after: int) -> None:
        """Wait for a private join beyond so many, and until it is watched."""
        await eventually(lambda: len(self.joins) > after)
        await self.watched()

    @property
    def is_compared(self) -> bool:
        """Whether the account is watched and was compared since the last join."""
        recovery, changes = self.runtime.recovery, self.runtime.watch.changes()
        joined = [c.at_ns for a, c in itertools.pairwise(changes) if _is_return(a, c)]
        last = None if recovery is None else recovery.last
        return self.is_watched and bool(joined) and last is not None and last.at_ns >= joined[-1]

    def taken(self) -> list[Taken]:
        """Return the account events with a record."""
        events = self.runtime.ring.since(self.runtime.ring.oldest - 1, 1_000_000)
        kinds = ("order", "position", "balance")
        return [Taken(e.seq, e.record, str(e.source), e.received_ns) for e in events if str(e.type) in kinds]

    def taken_records(self) -> list[dict[str, Any]]:
        """Return the envelopes of orders, positions and balances that the client received."""
        return [message for message in self.received if message["type"] in ("order", "position", "balance")]

    def gaps(self) -> list[Span]:
        """Return the recorded gaps, the open one and the time before the first join included."""
        first = next((c.at_ns for c in self.runtime.watch.changes() if c.state.is_connected), time.time_ns())
        gaps = [Span(gap.start_ns, gap.end_ns or time.time_ns()) for gap in self.runtime.watch.gaps()]
        return [Span(0, first), *gaps]

    def check(self) -> Verdict:
        """Compare all stages now."""
        verdict, pipeline, ring = Verdict(), self.runtime.pipeline, self.runtime.ring
        apart = [*pipeline.duplicates.newest(10**9), *pipeline.quarantine.newest(10**9)]
        verdict.duplicates, verdict.quarantined = pipeline.duplicates.count, pipeline.quarantine.count
        raws = [kept.raw for kept in apart]
        sent, listed = list(self.exchange.sent), set(self.exchange.listed)
        check_feed(verdict, sent, self.taken(), raws, listed, self.gaps(), self.deliveries.times)
        state = self.runtime.state
        for kind, shown in (("order", state.orders()), ("position", state.positions()), ("balance", state.balances())):
            check_state(verdict, kind, self.exchange.present(kind), {item.record.id: item.record for item in shown})
        bodies = {event.seq: event.body for event in ring.since(ring.oldest - 1, 1_000_000)}
        count = len(self.raws)
        check_client(verdict, bodies, self.received[:count], self.raws[:count])
        return verdict

    async def end(self, deadline_s: float = END_S) -> Verdict:
        """Wait until every stage agrees, and fail with the findings if they never do."""
        await self.watched()
        await self.trader.settle()
        verdict, end_s = await asyncio.to_thread(self.check), time.monotonic() + deadline_s
        while verdict.findings and time.monotonic() < end_s:
            await asyncio.sleep(0.1)
            # In a thread: after a long soak it takes seconds, in which the exchange must not fall silent.
            verdict = await asyncio.to_thread(self.check)
        assert not verdict.findings, f"{verdict}\n{verdict.findings}\ngaps {self.gaps()}"
        return verdict

    async def fills_arrived(self, deadline_s: float = END_S) -> None:
        """Wait until the fills and ledger rows of the exchange are events, each once."""
        for name, rows in (("fill", self.exchange.fills), ("ledger", self.exchange.ledger)):
            await eventually(partial(self._has_all, name, len(rows)), deadline_s)
            assert sorted(self.keys(name)) == sorted(row["fill_id"] for row in rows)

    def _has_all(self, name: str, count: int) -> bool:
        return len(self.keys(name)) >= count

    def keys(self, name: str) -> list[str]:
        """Return the ``fill_id`` of every event of a type that the client received."""
        return [message["data"]["fill_id"] for message in self.received if message["type"] == name]

    def notes(self, text: str) -> list[dict[str, Any]]:
        """Return the data of the system events with this message that the client received."""
        found = (message["data"] for message in self.received if message["type"] == "system")
        return [data for data in found if data["message"] == text]

    async def _listen(self) -> None:
        url = f"ws://127.0.0.1:{self.runtime.sidecar.port}"
        async with contextlib.aclosing(client.events(url, since="earliest")) as stream:
            async for envelope in stream:
                self.received.append(envelope)
                self.raws.append(envelope.raw)


def _is_return(before: Any, after: Any) -> bool:
    return after.state.is_connected and not before.state.is_connected


def figure(row: str, **values: object) -> None:
    """Print the measured figures of a row on one line."""
    shown = " ".join(f"{name}={f'{v:.3f}' if isinstance(v, float) else v}" for name, v in values.items())
    print(f"FIGURE {row} {shown}")


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which this share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextlib.asynccontextmanager
async def trial(
    folder: Path,
    timings: Timings | None = SHORT,
    *,
    seed: int = 1,
    behaviour: Behaviour | None = None,
    linger_s: float = 0.3,
    **settings: Any,
) -> AsyncIterator[Trial]:
    """Run all parts until the account is watched; the stream goes through the proxy, the reads do not.

    Args:
        timings: ``None`` takes those of the settings, as shipped.
    """
    async with numbered_exchange(behaviour) as exchange, fault_proxy(exchange.server.url) as proxy:
        fields = {"api_key": SecretStr(KEY), "api_secret": SecretStr(SECRET), "rest_per_minute": 900, **settings}
        chosen = settings_for(exchange.server.url, folder, **{"stream_url": proxy.url.replace("http", "ws"), **fields})
        runtime = FeedRuntime(chosen, "serve", timings=timings)
        runtime.linger_s = linger_s
        runtime.pipeline.duplicates, runtime.pipeline.quarantine = _large(), _large()
        there = Trial(exchange, proxy, runtime, seed)
        await asyncio.to_thread(runtime.start)
        listening = asyncio.create_task(there._listen())
        try:
            await there.watched()
            yield there
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await asyncio.to_thread(runtime.stop)


def _large() -> KeptApart:
    return KeptApart(1_000_000, 1 << 30)
