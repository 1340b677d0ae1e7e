"""The one queue of the account feed: a fixed number of the newest events, one writer, any number of reading threads."""

import threading
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coindcx_feed.analysis.part import Part
from coindcx_feed.analysis.shown import shown_texts
from coindcx_feed.errors import EpochChanged, PositionLost
from coindcx_feed.events import Event, EventType, Source
from coindcx_feed.feed.columns import SOURCES, Block, Columns, Looked, Mask, Seqs, TextTest, run, searched_text

ColumnTest = Callable[[Columns, slice], Mask]
"""Marks the wanted rows of one contiguous run of slots; must not keep the arrays."""


class Stored(NamedTuple):
    """An event as the ring hands it out: numbers from the columns, texts from ``body``."""

    seq: int
    type: EventType
    source: Source
    pair: str | None
    received_ns: int
    exchange_ms: int | None
    previous: int
    is_late: bool
    body: bytes
    record_at: int
    record_bytes: int

    @property
    def record(self) -> bytes:
        """The exchange's record, verbatim."""
        return self.body[self.record_at : self.record_at + self.record_bytes - 1] + b"}"


class Timings(NamedTuple):
    """Copies of columns, one entry per event: type code (index into ``TYPES``), ns, ms (0: none or read), lateness."""

    type: npt.NDArray[np.uint8]
    received_ns: npt.NDArray[np.int64]
    exchange_ms: npt.NDArray[np.int64]
    late: npt.NDArray[np.uint8]


Key = tuple[int, int]
"""An event's ``seq`` and the time it was received, ns: a number alone may come again in another epoch."""


class Found(NamedTuple):
    """Like ``Selection``, with the names of the events only."""

    keys: list[Key]
    matching: int
    kept: int
    newest: int


class Selection(NamedTuple):
    """The newest matching events, newest first, with the counts a page shows.

    ``newest`` is the ring's last ``seq`` when the question was asked: nothing later is in it.
    """

    events: list[Stored]
    matching: int
    kept: int
    newest: int


class Ring:
    """Keep the newest ``capacity`` events.

    The writer calls ``append`` from one thread only. Readers may be any threads: they filter the columns without the
    lock and take it only to fetch rows; whatever was overwritten meanwhile is dropped by its number, never torn.

    Args:
        capacity: Events kept.
        epoch: Name of this series of numbers.
        first_seq: Number of the first event.
    """

    def __init__(self, capacity: int, epoch: str, first_seq: int = 1) -> None:
        self.capacity = capacity
        self._epochs: tuple[tuple[int, str], ...] = ((first_seq, epoch),)
        self._columns = Columns(capacity)
        # An object array: unlike a list, the garbage collector does not walk it.
        self._bodies = np.full(capacity, None, dtype=object)
        self._spans = array("Q", [0]) * capacity
        self._lock = threading.Lock()
        self._start = first_seq
        self._next = first_seq
        self.published: Counter[str] = Counter()
        """Events by type since the start, also those overwritten since. Threads: the writer's loop."""

    @property
    def epoch(self) -> str:
        """The series that the next event belongs to. Threads: any."""
        return self._epochs[-1][1]

    @property
    def epochs(self) -> tuple[tuple[int, str], ...]:
        """First ``seq`` and name of every epoch begun here, oldest first. Threads: any."""
        return self._epochs

    def epoch_of(self, seq: int) -> str:
        """Return the series of an event; what is older than all counts to the first. Threads: any."""
        return next((name for first, name in reversed(self._epochs) if first <= seq), self._epochs[0][1])

    def begin_epoch(self, epoch: str) -> None:
        """Let the next event begin another series; numbers go on. Threads: the writer only."""
        self._epochs = (*(kept for kept in self._epochs if kept[0] < self._next), (self._next, epoch))

    def begin_at(self, seq: int, epoch: str) -> None:
        """Let the first event have a number; while nothing was appended. Threads: the writer only.

        Raises:
            ValueError: If there are events: their numbers stand.
        """
        if self._next != self._start:
            raise ValueError(f"expected an empty ring, was one with {len(self)} events")
        self._start = self._next = seq
        self._epochs = ((seq, epoch),)

    @property
    def version(self) -> int:
        """The newest ``seq``; moves exactly when there is something new. Threads: any."""
        return self._next - 1

    @property
    def oldest(self) -> int:
        """The oldest ``seq`` still kept, or one more than ``version`` when empty."""
        return max(self._start, self._next - self.capacity)

    def __len__(self) -> int:
        return self._next - self.oldest

    @property
    def pairs(self) -> list[str]:
        """Every pair or currency seen, in order of first sight."""
        return self._columns.pairs.texts()

    @property
    def statuses(self) -> list[str]:
        return self._columns.statuses.texts()

    def append(self, event: Event) -> None:
        """Store the next event. Threads: the writer only.

        Raises:
            ValueError: If ``event.seq`` is not the next number: a hole must never be stored.
        """
        if event.seq != self._next:
            raise ValueError(f"expected seq {self._next}, was {event.seq}")
        slot = event.seq % self.capacity
        searched = searched_text(event.facts)
        texts = shown_texts(event)
        with self._lock:
            self._columns.write(slot, event, texts, searched)
            self._bodies[slot] = event.body
            self._spans[slot] = event.record_at << 40 | event.record_bytes
            self._next = event.seq + 1
        self.published[event.type] += 1

    def since(self, seq: int, limit: int, epoch: str | None = None) -> list[Stored]:
        """Return the events after a position, oldest first, dense in ``seq``.

        Args:
            seq: Last number already seen; 0 means from the first.
            limit: At most so many events.
            epoch: Series the position belongs to, if the caller kept it.
        Raises:
            EpochChanged: If ``epoch`` is not this ring's.
            PositionLost: If events after ``seq`` were already overwritten.
        Threads: any.
        """
        if epoch is not None and all(epoch != name for _, name in self._epochs):
            raise EpochChanged(f"expected epoch {self.epoch}, was {epoch}: begin anew, or ask for the earliest kept")
        with self._lock:
            first = max(seq + 1, self._start)
            oldest = self.oldest
            if first < oldest:
                raise PositionLost(first, oldest - 1)
            return [self._stored(number) for number in range(first, min(first + limit, self._next))]

    def bodies_since(self, seq: int, limit: int) -> list[bytes]:
        """Like ``since`` but only the encoded envelopes, for fan-out."""
        with self._lock:
            first = max(seq + 1, self._start)
            oldest = self.oldest
            if first < oldest:
                raise PositionLost(first, oldest - 1)
            runs = self._runs(first, min(first + limit, self._next) - 1)
            return [body for start, end in runs for body in self._bodies[self._slots(start, end)].tolist()]

    def looked_since(self, seq: int, limit: int) -> list[Looked]:
        """Like ``since`` but only what filters look at; ``seq`` must not be older than the ring. Threads: any."""
        with self._lock:
            first = max(seq + 1, self._start)
            return [self._columns.look(n % self.capacity) for n in range(first, min(first + limit, self._next))]

    def latest(self, count: int) -> list[Stored]:
        """Return the newest events, newest first. Threads: any."""
        with self._lock:
            last = self._next - 1
            return [self._stored(number) for number in range(last, max(last - count, self.oldest - 1), -1)]

    def get(self, seq: int) -> Stored | None:
        """Return one event, or ``None`` when it is not kept. Threads: any."""
        with self._lock:
            return self._stored(seq) if self.oldest <= seq < self._next else None

    def history(self, seq: int, limit: int = 200) -> list[Stored]:
        """Follow ``previous`` from an event back: all kept events of its type and key up to it, newest first."""
        found: list[Stored] = []
        event = self.get(seq)
        while event is not None and len(found) < limit:
            found.append(event)
            event = self.get(event.previous) if event.previous else None
        return found

    def select(
        self,
        test: ColumnTest | None,
        text: TextTest | None = None,
        limit: int = 500,
        upto: int | None = None,
        after: int = 0,
    ) -> Selection:
        """Find the newest events that pass both tests.

        Args:
            test: Column test; ``None`` passes all.
            text: Test of the lower-case id and message; ``None`` passes all.
            limit: At most so many events are returned; all matches are counted.
            upto: Ignore events after this ``seq``.
            after: Ignore events up to this ``seq`` (a cleared view).
        Threads: any.
        """
        found = self.find(test, text, limit, upto, after)
        return Selection(self.fetch(seq for seq, _ in found.keys), found.matching, found.kept, found.newest)

    def find(
        self,
        test: ColumnTest | None,
        text: TextTest | None = None,
        limit: int = 500,
        upto: int | None = None,
        after: int = 0,
    ) -> Found:
        """Like ``select``, but only name the events: a reader that has most of them already fetches the rest."""
        newest = self.version if upto is None else min(upto, self.version)
        matches = self._matches(test, text, newest, after)
        with self._lock:
            matches = matches[matches >= self.oldest]
            seqs = matches[-limit:][::-1] if limit else matches[:0]
            received_ns = self._columns.received_ns[seqs % self.capacity]
            keys = list(zip(seqs.tolist(), received_ns.tolist(), strict=True))
            return Found(keys, len(matches), len(self), newest)

    def numbers(
        self, test: ColumnTest | None, text: TextTest | None = None, upto: int | None = None, after: int = 0
    ) -> Seqs:
        """Return the ``seq`` of all matches, oldest first: an export reads them on in slices."""
        return self._matches(test, text, self.version if upto is None else min(upto, self.version), after)

    def fetch(self, numbers: Iterable[int]) -> list[Stored]:
        """Return those of the given events that are still kept, in the order asked. Threads: any."""
        with self._lock:
            oldest, end = self.oldest, self._next
            return [self._stored(seq) for seq in numbers if oldest <= seq < end]

    def bodies(self, seqs: Seqs) -> list[bytes]:
        """Return the envelopes of those of the given events that are still kept; ``seqs`` ascend. Threads: any."""
        with self._lock:
            slots = seqs[seqs >= self.oldest] % self.capacity
            bodies: list[bytes] = self._bodies[run(slots)].tolist()
            return bodies

    def block(self, seqs: Seqs) -> tuple[Block, list[bytes]]:
        """Copy the columns of those of the given events that are still kept, and the envelopes of the odd ones.

        ``seqs`` ascend. Threads: any.
        """
        with self._lock:
            kept = seqs[seqs >= self.oldest]
            block = self._columns.block(kept, kept % self.capacity)
            return block, [self._bodies[seq % self.capacity] for seq in kept[block.odd].tolist()]

    def part(self, after: int, upto: int) -> Part:
        """Copy what is looked at of the kept events after a number up to another. Threads: any."""
        with self._lock:
            seqs = np.arange(max(after + 1, self.oldest), min(upto, self.version) + 1, dtype=np.int64)
            slots = seqs % self.capacity
            columns = self._columns
            return Part(
                seqs,
                columns.type[slots],
                columns.key[slots],
                ~np.isnan(columns.price[slots]),
                columns.late[slots] == 0,
                columns.status[slots],
                lambda words: columns.statuses.find(text for text in columns.statuses.texts() if text.lower() in words),
            )

    def timings(self, since_ns: int = 0) -> Timings:
        """Copy the time columns of the kept events received at or after a time, in order. Threads: any."""
        with self._lock:
            columns = self._columns
            runs = [self._slots(first, last) for first, last in self._runs(self.oldest, self._next - 1)]
            found = [np.flatnonzero(columns.received_ns[rows] >= since_ns) + rows.start for rows in runs]
            slots = np.concatenate([np.empty(0, dtype=np.int64), *found])
            # A row of a read is as old as the read, not as the exchange's stamp: it has no delay.
            stamped = np.where(columns.source[slots] == SOURCES.index(Source.STREAM), columns.exchange_ms[slots], 0)
            return Timings(columns.type[slots], columns.received_ns[slots], stamped, columns.late[slots])

    def _matches(self, test: ColumnTest | None, text: TextTest | None, newest: int, after: int) -> Seqs:
        found = self._passing(test, newest, after)
        return found if text is None else self._columns.found(found, found % self.capacity, text)

    def _passing(self, test: ColumnTest | None, newest: int, after: int) -> Seqs:
        oldest = max(self.oldest, after + 1)
        if newest < oldest:
            return np.empty(0, dtype=np.int64)
        if test is None:
            return np.arange(oldest, newest + 1, dtype=np.int64)
        found = []
        for first, last in self._runs(oldest, newest):
            rows = self._slots(first, last)
            found.append(np.flatnonzero(test(self._columns, rows)) + first)
        return np.concatenate(found)

    def _slots(self, first: int, last: int) -> slice:
        """Return the slots of a run that does not wrap."""
        return slice(first % self.capacity, first % self.capacity + last - first + 1)

    def _runs(self, first: int, last: int) -> list[tuple[int, int]]:
        """Split a range of numbers where it wraps around the end of the slots."""
        if last < first:
            return []
        wrap = first - first % self.capacity + self.capacity
        return [(first, last)] if last < wrap else [(first, wrap - 1), (wrap, last)]

    def _stored(self, seq: int) -> Stored:
        slot = seq % self.capacity
        body: bytes = self._bodies[slot]
        span = self._spans[slot]
        return Stored(seq, *self._columns.read(slot), body, span >> 40, span & 0xFF_FFFF_FFFF)
