"""Events and logs for the tests of this room."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.events import START_NS, events
from fakes.waiting import eventually_sync

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.store import EventStore

EPOCH = "20260923T050640-abcdef12"
MODE, ACCOUNT = "live", "an-api-key"

__all__ = ["START_NS", "events"]


_source = events(1_000_000)
_made: list[Event] = []


def made(count: int, first: int = 1) -> list[Event]:
    """Return recorded events numbered from ``first`` on; the same ones at every call."""
    _made.extend(itertools.islice(_source, max(0, first - 1 + count - len(_made))))
    return _made[first - 1 : first - 1 + count]


def event(
    seq: int, kind: EventType = EventType.SYSTEM, record: bytes = b"{}", *, received_ns: int = 0, **facts: Any
) -> Event:
    """Return one event of a record, with the facts that a test needs."""
    at_ns = received_ns or START_NS + seq * 1_000_000
    is_late, previous = facts.pop("is_late", False), facts.pop("previous", 0)
    derived = facts.pop("derived", None)
    known = Facts(**{"key": f"key-{seq}", **facts})
    body, at = encode_envelope(seq, kind, Source.STREAM, at_ns, record, derived, is_late=is_late)
    return Event(seq, kind, Source.STREAM, at_ns, known, body, at, len(record), previous, is_late)


def url_of(folder: Path, name: str = "events") -> str:
    return f"sqlite:///{folder / name}.sqlite"


def opened(url: str, **how: Any) -> EventStore:
    """Open a log for the test's account, with an epoch begun."""
    store = EventStore.open(url, **{"mode": MODE, "account": ACCOUNT} | how)
    if store.last_epoch is None and not store.is_read_only:
        store.begin_epoch(EPOCH, 1)
    return store


def fill(store: EventStore, source: Iterable[Event], group: int = 100, epoch: str = EPOCH) -> None:
    """Append events in groups, and wait until every full segment is summed up."""
    for part in groups(source, group):
        store.append(part, epoch)
    eventually_sync(lambda: store._folding is None or not store._folding.full)


def groups(source: Iterable[Event], group: int) -> Iterator[list[Event]]:
    rest = iter(source)
    while part := list(itertools.islice(rest, group)):
        yield part
