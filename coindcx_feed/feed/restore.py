"""What the durable log knew, taken back at the start: numbers, account state, and the newest events for the pages."""

from collections.abc import Sequence
from typing import Final, Protocol

from coindcx_feed.events import Event, new_epoch
from coindcx_feed.feed.dedup import Deduplicator
from coindcx_feed.feed.normalize import stored_item
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState

IN_MEMORY: Final = 10_000
"""Newest events put into the ring: about 0.3 s. Older ones stay in the log, and readers go on there."""
ORDERS: Final = 5_000
"""Orders known again: all that work, and those touched last."""


class StoredEpoch(Protocol):
    """A series of numbers in the log."""

    @property
    def name(self) -> str: ...
    @property
    def first_seq(self) -> int: ...


class StoredLog(Protocol):
    """What is read back at the start."""

    @property
    def last_seq(self) -> int: ...
    @property
    def last_epoch(self) -> str | None: ...
    @property
    def last_epoch_is_settled(self) -> bool: ...
    def epochs(self) -> Sequence[StoredEpoch]: ...
    def read(self, after: int, limit: int) -> list[Event]: ...
    def state_at(self, seq: int, max_orders: int = ...) -> list[Event]: ...
    def begin_epoch(self, epoch: str, first_seq: int) -> None: ...


def restore(log: StoredLog, ring: Ring, state: AccountState, dedup: Deduplicator) -> int:
    """Fill an empty ring, the state and the memory of repeats from the log.

    A log whose newest series was not completely stored when the process ended is continued in a new series: numbers of
    that one were shown that the log does not know.

    Returns:
        When the newest event was received, wall clock ns, or 0 when there is none.
    Raises:
        StoreError: If the log cannot be read.
    """
    last = log.last_seq
    epoch = log.last_epoch if log.last_epoch_is_settled else None
    if epoch is None:
        epoch = new_epoch()
        log.begin_epoch(epoch, last + 1)
    tail = _dense_end(log.read(max(0, last - min(IN_MEMORY, ring.capacity)), IN_MEMORY), last)
    _remember(log.state_at(last, ORDERS) if last else [], state, dedup)
    _fill(ring, tail, [(row.first_seq, row.name) for row in log.epochs()], last + 1, epoch)
    _remember(tail, None, dedup)
    return tail[-1].received_ns if tail else 0


def _dense_end(events: list[Event], last: int) -> list[Event]:
    """Leave out what stands before a hole: the ring has none."""
    first = last + 1
    for event in reversed(events):
        if event.seq != first - 1:
            break
        first = event.seq
    return [event for event in events if event.seq >= first]


def _fill(ring: Ring, events: list[Event], epochs: list[tuple[int, str]], next_seq: int, epoch: str) -> None:
    first_seq = events[0].seq if events else next_seq
    earlier = [name for first, name in epochs if first <= first_seq]
    later = {first: name for first, name in epochs if first > first_seq}
    ring.begin_at(first_seq, earlier[-1] if earlier else epoch)
    for event in events:
        if event.seq in later:
            ring.begin_epoch(later[event.seq])
        ring.append(event)
    ring.published.clear()  # by the process before this one
    if ring.epoch != epoch:
        ring.begin_epoch(epoch)


def _remember(events: list[Event], state: AccountState | None, dedup: Deduplicator) -> None:
    for event in events:
        item = stored_item(event)
        if item is None:
            continue
        dedup.recall(item, event.source)
        if state is not None:
            key = event.facts.key
            state.apply(event.type, item.record, event.seq, event.received_ns, is_late=event.is_late, key=key)
