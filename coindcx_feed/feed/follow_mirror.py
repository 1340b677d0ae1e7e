"""What a follower keeps: the other process's events under their own numbers, its account, its market data."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from coindcx_feed.client.envelope import RESUME_GAP, Envelope
from coindcx_feed.errors import ConfigError
from coindcx_feed.events import Event, EventType
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.feed.desk import Desk
from coindcx_feed.feed.follow_start import Start
from coindcx_feed.feed.followed import followed_event, market_frame
from coindcx_feed.feed.kept import Kept
from coindcx_feed.feed.normalize import AccountItem, MarketItem, Rejected, normalize
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.stage import ReplayState
from coindcx_feed.feed.watchlist import MOST_PAIRS, Watchlist

TURN: Final = 50
"""Messages taken before other tasks of the loop get their turn: about 10 ms."""

log = logging.getLogger(__name__)


class FollowRing(Ring):
    """A ring whose numbers another process gives: some may be missing, and they may begin anew."""

    def skip_to(self, seq: int) -> None:
        """Let the next event have a later number; what is before the hole is let go. Threads: the writer only."""
        with self._lock:
            self._start = self._next = seq

    def begin_anew(self, seq: int, epoch: str) -> None:
        """Forget everything; the next event has any number of another series. Threads: the writer only."""
        with self._lock:
            self._start = self._next = seq
            self._epochs = ((seq, epoch),)


class FollowedPairs(Watchlist):
    """The pairs of the other process, remembered nowhere."""

    def __init__(self) -> None:
        super().__init__(Path(), "follow")

    def load(self, first: Sequence[str]) -> tuple[str, ...]:
        """Nothing is known before the other process sends something."""
        return ()

    def save(self, pairs: Sequence[str]) -> None:
        """Nothing is kept."""


class FollowDesk(Desk):
    """A desk whose pairs are those that the other process watches, as its messages show."""

    def meet(self, pair: str | None) -> None:
        """Watch a pair that a message is about."""
        if pair is not None and pair not in self.pairs and len(self.pairs) < MOST_PAIRS and wire.is_pair(pair):
            with self._lock:
                self._choose((*self.pairs, pair))

    def watch(self, pair: str) -> None:
        """Refuse: pairs are chosen where the exchange is joined.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("the pairs are those of the feed that is followed: choose them in its own dashboard")

    def unwatch(self, pair: str) -> None:
        """Refuse, as ``watch``.

        Raises:
            ConfigError: Always.
        """
        self.watch(pair)


class Mirror:
    """Takes the other process's messages in. Methods belong to the feed's loop.

    Args:
        pipeline: Whose ring, state, marks, market buffer and counters are filled; it never runs.
        ring: The pipeline's.
        state: The pipeline's.
        on_publish: Called when there is something new.
        on_gap: Told in one line which events are missing.
        on_system: Gets the data of each system event.
        on_anew: Awaited when the numbers have begun anew: nobody's place means anything any more.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        ring: FollowRing,
        state: ReplayState,
        on_publish: Callable[[], None],
        on_gap: Callable[[str], None],
        on_system: Callable[[dict[str, Any]], None],
        on_anew: Callable[[], Awaitable[None]],
    ) -> None:
        self._pipeline, self._ring, self._state = pipeline, ring, state
        self._on_publish, self._on_gap, self._on_system, self._on_anew = on_publish, on_gap, on_system, on_anew
        self._is_anew = True
        self._turn = 0
        self.taken = 0
        """Events with a record since the start."""

    def begin_anew(self) -> None:
        """Expect numbers that have nothing to do with those so far."""
        self._is_anew = True

    def begin(self, start: Start) -> None:
        """Take the account as it is known at a place; what comes next is the event after it."""
        self._is_anew = False
        self._ring.begin_anew(start.seq + 1, start.epoch)
        self._state.clear()
        for item, seq, received_ns in start.known:
            self._state.apply(item.type, item.record, seq, received_ns, is_late=False)

    async def take(self, envelope: Envelope) -> None:
        """Take one message in. What is no message of a sidecar goes to quarantine."""
        if "seq" in envelope:
            await self._take_event(envelope)
        elif "mseq" in envelope:
            self._take_market(envelope)
        elif envelope.get("type") == "system" and envelope["data"].get("message") == RESUME_GAP:
            self._take_gap(envelope["data"])
        self._turn += 1
        if self._turn % TURN == 0:
            await asyncio.sleep(0)

    def _take_gap(self, data: dict[str, Any]) -> None:
        first, last, reason = data.get("missed_from"), data.get("missed_to"), str(data.get("reason"))
        if isinstance(last, int):
            self._on_gap(f"events {first} to {last} are missing: {reason}")
            return
        self._is_anew = True
        if self._ring.version:
            self._on_gap(f"the numbers of the other process begin anew: {reason}")

    async def _take_event(self, envelope: Envelope) -> None:
        ring, seq = self._ring, int(envelope["seq"])
        found = followed_event(envelope.raw, envelope)
        if found is None:
            self._refuse(envelope, "expected an event of this kind of feed, was another message")
            return
        if self._is_anew:
            await self._restart(seq, envelope.epoch)
        if seq <= ring.version:
            self._refuse(envelope, f"expected an event after {ring.version}, was {seq}")
            return
        if seq > ring.version + 1:
            ring.skip_to(seq)
        if envelope.epoch != ring.epoch:
            self._change_epoch(envelope)
        self._publish(*found)
        if found[0].type is EventType.SYSTEM:
            self._on_system(envelope["data"])

    async def _restart(self, seq: int, epoch: str) -> None:
        is_first = not self._ring.version
        self._is_anew = False
        self._ring.begin_anew(seq, epoch)
        self._state.clear()
        if not is_first:
            await self._on_anew()

    def _change_epoch(self, envelope: Envelope) -> None:
        self._ring.begin_epoch(envelope.epoch)
        if envelope.mode == "replay":  # one that begins anew knows nothing, unlike a feed whose log had to wait
            self._state.clear()

    def _publish(self, event: Event, item: AccountItem | None) -> None:
        pipeline, kind, key = self._pipeline, event.type, event.facts.key
        if item is not None:
            event = event._replace(previous=self._state.last_seq(kind, key))
        self._ring.append(event)
        self.taken += item is not None
        pipeline.counters["records"] += item is not None
        pipeline.counters["late"] += event.is_late
        if item is not None:
            self._state.apply(kind, item.record, event.seq, event.received_ns, is_late=event.is_late, key=key)
        self._on_publish()

    def _take_market(self, envelope: Envelope) -> None:
        pipeline = self._pipeline
        data = envelope["data"]
        frame = market_frame(envelope.raw, data) if isinstance(data, dict) else None
        if frame is None:
            self._refuse(envelope, "expected a market message of this kind of feed, was another")
            return
        for item in normalize(frame):
            if not isinstance(item, MarketItem):
                if isinstance(item, Rejected):
                    self._refuse(envelope, item.reason)
                continue
            pipeline.counters["market"] += 1
            pipeline.market.append(item, frame.received_ns)
            if isinstance(item.record, CurrentPricesRecord):
                pipeline.marks.update(item.record, frame.received_ns, self._state.open_pairs())
            if pipeline.on_market is not None:
                pipeline.on_market(frame.event, item, frame.received_ns)
            self._on_publish()

    def _refuse(self, envelope: Envelope, reason: str) -> None:
        number = envelope.get("seq") or envelope.get("mseq") or 0
        log.warning("not taken number=%s reason=%r", number, reason)
        kind = f"followed {envelope.get('type')}"
        self._pipeline.quarantine.add(Kept(int(number), time.time_ns(), kind, reason, envelope.raw))
