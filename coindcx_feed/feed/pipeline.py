"""The one ordered path of account events: stamp, normalise, de-duplicate, number, store, publish."""

import asyncio
import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.records import BalanceRecord, CurrentPricesRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.compare import differences
from coindcx_feed.feed.dedup import Deduplicator, Verdict
from coindcx_feed.feed.durable import Store
from coindcx_feed.feed.kept import Kept, KeptApart
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.normalize import AccountItem, Frame, MarketItem, Rejected, derived_field, normalize, raw_text
from coindcx_feed.feed.pending import Pending
from coindcx_feed.feed.quirks import Quirks, quirk_of, quirks_of
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState
from coindcx_feed.feed.trailing import Wallets

log = logging.getLogger(__name__)

SLICE: Final = 200
"""Frames, or events where a frame carries many, handled before other tasks of the loop get their turn: about 10 ms."""

GATHER_S: Final = 0.001

_encode = msgspec.json.Encoder().encode


class Read(NamedTuple):
    """Rows of one REST read, queued among the frames like them. ``done`` gets the count of each verdict.

    ``asked_ns`` is when it was sent, ``away_ns`` the start of the gap that led to it, or 0.
    """

    items: list[AccountItem]
    received_ns: int
    source: Source
    done: "asyncio.Future[Counter[str]]"
    asked_ns: int = 0
    away_ns: int = 0


class Note(Frame):
    """Something this process says itself, queued among the frames so that the order of events is the order of facts."""


class Pipeline:
    """Turns frames into events. All methods run on the feed's loop; the parts it fills may be read from any thread.

    Args:
        ring: Account events.
        market: Market messages.
        marks: Mark prices.
        state: Present state of the account.
        store: Seam of the durable log; may be replaced before the first frame.
    """

    def __init__(self, ring: Ring, market: MarketFeed, marks: Marks, state: AccountState, store: Store) -> None:
        self.ring, self.market, self.marks, self.state = ring, market, marks, state
        self.quarantine, self.duplicates = KeptApart(), KeptApart()
        self.quirks = Quirks()
        self.counters: Counter[str] = Counter()
        self.on_fill: Callable[[OrderRecord], None] | None = None
        self.on_market: Callable[[str, MarketItem, int], None] | None = None
        """Gets each market message: its event, the item, and when it was received (Unix ns)."""
        self.dedup = Deduplicator()
        self._wallets = Wallets()
        self.store = store
        self._pending = Pending(state)
        self._inbox: deque[Frame | Read] = deque()
        self._held: deque[Frame] | None = None
        self._wake = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self._arrivals = 0
        self._is_finishing = False

    def on_publish(self, listener: Callable[[], None]) -> None:
        """Call a function on the loop after each slice that published something."""
        self._listeners.append(listener)

    def receive(self, event: str, argument: object) -> None:
        """Stamp a frame and queue it. This is all that a socket handler does: it must never wait."""
        self._arrivals += 1
        self._inbox.append(Frame(self._arrivals, event, argument, time.time_ns()))
        self._wake.set()

    def note(self, message: str, **data: object) -> None:
        """Queue a system event of this process, in order with the frames around it."""
        self._inbox.append(Note(self._arrivals, "system", {"message": message, **data}, time.time_ns()))
        self._wake.set()

    async def settle(
        self, items: list[AccountItem], source: Source = Source.REST, *, asked_ns: int = 0, away_ns: int = 0
    ) -> Counter[str]:
        """Take rows of a REST read in their turn; what differs from the state becomes events.

        Args:
            asked_ns: When the read was sent, wall clock; 0 stands for now.
            away_ns: Start of the gap that led to it, or 0.
        Returns:
            How many rows were ``new``, ``confirmed``, ``older``, or ``trailing``: wallets that are left to the stream.
        """
        done: asyncio.Future[Counter[str]] = asyncio.get_running_loop().create_future()
        now_ns = time.time_ns()
        self._inbox.append(Read(items, now_ns, source, done, asked_ns or now_ns, away_ns))
        self._wake.set()
        return await done

    def refuse(self, reason: str, raw: bytes) -> None:
        """Keep a row of a read that is no record, with its text."""
        self._keep(self.quarantine, Frame(self._arrivals, "read", None, time.time_ns()), reason, raw)

    def hold(self) -> None:
        """Keep account frames waiting, in order, while a snapshot of the account is being read."""
        if self._held is None:
            self._held = deque()

    def release(self) -> None:
        """Let the held frames go on, before anything that came later; harmless when nothing is held."""
        held, self._held = self._held, None
        if held:
            self._inbox.extendleft(reversed(held))
            self._wake.set()

    def finish(self) -> None:
        """Let ``run`` end when the inbox is empty: a slice that is being stored must not be cut off."""
        self._is_finishing = True
        self._wake.set()

    async def run(self) -> None:
        """Drain the inbox until ``finish``."""
        while self._inbox or not self._is_finishing:
            await self._wake.wait()
            self._wake.clear()
            while self._inbox:
                await self.drain(SLICE)
                # A lone frame is handled at once; the frames of a burst gather for a moment and share one wake-up.
                await asyncio.sleep(0 if self._inbox else GATHER_S)

    async def drain(self, limit: int | None = None) -> None:
        """Handle queued frames until ``limit`` frames or events are reached, and publish what they became."""
        inbox = self._inbox
        count = len(inbox) if limit is None else min(limit, len(inbox))
        most = math.inf if limit is None else limit
        events: list[Event] = []
        before = self.market.version
        for _ in range(count):
            self._turn(inbox.popleft(), events)
            if len(events) >= most:
                break
        if events:
            await self._publish(events)
        if events or self.market.version != before:
            for listener in self._listeners:
                listener()

    async def _publish(self, events: list[Event]) -> None:
        for event in await self.store.append(events):
            self.ring.append(event)
        self._pending.settle()

    def _turn(self, entry: Frame | Read, out: list[Event]) -> None:
        if isinstance(entry, Read):
            self._take_read(entry, out)
        elif self._held is not None and entry.event in wire.ACCOUNT_EVENTS:
            self._held.append(entry)
        else:
            self._handle(entry, out)

    def _take_read(self, read: Read, out: list[Event]) -> None:
        counts: Counter[str] = Counter()
        frame = Frame(self._arrivals, "read", None, read.received_ns)
        waiting = self._wallets_held() if read.source is Source.REST else set()
        for item in read.items:
            known = self._pending.known(item.type, item.facts.key)
            if self._is_trailing(item, known, read, waiting):
                counts["trailing"] += 1
                continue
            verdict = self.dedup.judge_read(item, known)
            counts[verdict.value] += 1
            if verdict is Verdict.NEW:
                self._number(item, frame, out, read.source, known)
        if not read.done.done():
            read.done.set_result(counts)

    def _is_trailing(self, item: AccountItem, known: object, read: Read, waiting: set[str]) -> bool:
        record = item.record
        if not isinstance(record, BalanceRecord):
            return False
        if item.facts.key in waiting:  # the stream goes on about it, from before the read to after it
            return True
        if not isinstance(known, BalanceRecord):
            return False
        is_other = bool(differences(item.type, known, record))
        return is_other and self._wallets.is_trailing(record, read.asked_ns, read.away_ns)

    def _wallets_held(self) -> set[str]:
        frames = [frame for frame in self._held or () if frame.event == wire.BALANCE_EVENT]
        return {item.facts.key for frame in frames for item in normalize(frame) if isinstance(item, AccountItem)}

    def _handle(self, frame: Frame, out: list[Event]) -> None:
        try:
            if isinstance(frame, Note):
                self._number_note(frame, out)
                return
            self.counters["frames"] += 1
            for item in normalize(frame):
                self._take(item, frame, out)
        except Exception as error:
            self.counters["failures"] += 1
            log.exception("pipeline failure arrival=%d event=%.64r", frame.arrival, frame.event)
            self._keep(self.quarantine, frame, f"internal error {type(error).__name__}", raw_text(frame.argument))

    def _take(self, item: AccountItem | MarketItem | Rejected, frame: Frame, out: list[Event]) -> None:
        match item:
            case AccountItem():
                self.counters["records"] += 1
                self._take_account(item, frame, out)
            case MarketItem():
                self.counters["market"] += 1
                self.market.append(item, frame.received_ns)
                if isinstance(item.record, CurrentPricesRecord):
                    self.marks.update(item.record, frame.received_ns, self.state.open_pairs())
                if self.on_market is not None:
                    self.on_market(frame.event, item, frame.received_ns)
            case Rejected():
                self._keep(self.quarantine, frame, item.reason, item.raw)
                quirk = quirk_of(item.reason)
                if quirk is not None:
                    self.quirks.meet(quirk, frame.received_ns, item.raw)
                log.warning("quarantine arrival=%d event=%.64r reason=%.200r", frame.arrival, frame.event, item.reason)

    def _take_account(self, item: AccountItem, frame: Frame, out: list[Event]) -> None:
        known = self._pending.known(item.type, item.facts.key)
        verdict = self.dedup.judge(item, known)
        if verdict is Verdict.DUPLICATE:
            self._keep(self.duplicates, frame, "equals a record already taken", item.raw)
            return
        is_late = verdict is Verdict.LATE
        if is_late:
            self.counters["late"] += 1
        if isinstance(item.record, BalanceRecord):
            self._wallets.add(item.record, frame.received_ns)
        for quirk in quirks_of(item, known, is_late=is_late):
            self.quirks.meet(quirk, frame.received_ns, item.raw)
        self._number(item, frame, out, Source.STREAM, known, is_late=is_late)

    def _number(
        self,
        item: AccountItem,
        frame: Frame,
        out: list[Event],
        source: Source,
        before: object,
        *,
        is_late: bool = False,
    ) -> None:
        record = item.record
        mark = self.marks.fresh(record.pair, frame.received_ns) if isinstance(record, PositionRecord) else None
        derived = derived_field(item, mark)
        seq, kind, key = self._next_seq(out), item.type, item.facts.key
        body, at = encode_envelope(
            seq, kind, source, frame.received_ns, item.raw, derived, is_late=is_late, is_durable=self.store.is_durable
        )
        previous = self._pending.last_seq(kind, key)
        out.append(Event(seq, kind, source, frame.received_ns, item.facts, body, at, len(item.raw), previous, is_late))
        self._pending.take(kind, record, seq, frame.received_ns, is_late=is_late, key=key)
        if isinstance(record, OrderRecord) and self.on_fill is not None and _has_filled(before, record):
            self.on_fill(record)

    def _number_note(self, note: Note, out: list[Event]) -> None:
        data = note.argument
        message = data["message"] if isinstance(data, dict) else None
        status = data.get("state") if isinstance(data, dict) else None
        seq = self._next_seq(out)
        raw = _encode(data)
        is_durable = self.store.is_durable
        body, at = encode_envelope(seq, EventType.SYSTEM, Source.LOCAL, note.received_ns, raw, is_durable=is_durable)
        facts = Facts("system", status=status, message=message)
        out.append(Event(seq, EventType.SYSTEM, Source.LOCAL, note.received_ns, facts, body, at, len(raw)))

    def _next_seq(self, pending: list[Event]) -> int:
        return self.ring.version + len(pending) + 1

    def _keep(self, where: KeptApart, frame: Frame, reason: str, raw: bytes) -> None:
        where.add(Kept(frame.arrival, frame.received_ns, frame.event, reason, raw))

    async def replay(self, frames: list[Frame], out_of: str) -> None:
        """Take frames of the past with their own times before the first live one, in one go.

        Used for the demo's simulated history only. ``out_of`` names their origin in the system event that follows.
        """
        events: list[Event] = []
        for frame in frames:
            self._arrivals += 1
            self._handle(frame._replace(arrival=self._arrivals), events)
        await self._publish(events)
        self.note(out_of)


def _has_filled(before: object, record: OrderRecord) -> bool:
    filled = record.filled_quantity
    known = before.filled_quantity if isinstance(before, OrderRecord) else None
    return bool(filled) and filled != known
