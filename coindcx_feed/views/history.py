"""Stored events as table rows and details, as the Events page shows those in memory."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import Event, EventType
from coindcx_feed.feed.ring import Stored
from coindcx_feed.views.moment import noted_gap, stored
from coindcx_feed.views.rows import NEAR, ONCE, RELATED_NS, TIMELINE, Row, change_text, details_of, related_of, row_of

MAX_NOTES: Final = 5_000
"""System events that are looked at; a search for their words would read the searched text of all events."""
NOTED_WITHIN_NS: Final = 86_400 * 10**9
"""A gap is told when it is over and compared: it may have begun in a range and be told after it."""
_GAP: Final = "upstream_gap"
_SYSTEM: Final = EventFilter(types=(EventType.SYSTEM.value,))


class Log(Protocol):
    """What is read of the durable log; see ``EventStore``."""

    def get(self, seq: int) -> Event | None: ...

    def fetch(self, seqs: Sequence[int]) -> list[Event]: ...

    def of_key(self, kind: EventType, key: str, upto: int | None = ..., limit: int = ...) -> list[Event]: ...

    def select(
        self, wanted: EventFilter, *, limit: int, upto: int | None = ..., from_ns: int | None, to_ns: int | None
    ) -> list[Event]: ...


def rows_of(log: Log, events: Sequence[Event]) -> list[Row]:
    """Build the rows of some events; those before them are read at once."""
    wanted = [event.previous for event in events if event.previous and event.type not in ONCE]
    known = {event.seq: event for event in events}
    known |= {event.seq: event for event in log.fetch([seq for seq in wanted if seq not in known])}
    return [_row(event, known.get(event.previous)) for event in events]


def _row(event: Event, before: Event | None) -> Row:
    found = stored(event)
    return row_of(found, change_text(None if before is None else stored(before), found))


def details(log: Log, seq: int) -> dict[str, Any] | None:
    """Build everything the drawer shows of one stored event, or ``None`` when it is not stored (any more)."""
    event = log.get(seq)
    if event is None:
        return None
    before = log.get(event.previous) if event.previous else None
    found = stored(event)
    return details_of(
        found,
        None if before is None else stored(before),
        rows_of(log, _life(log, event)),
        rows_of(log, _related(log, event, found)),
    )


def _life(log: Log, event: Event) -> list[Event]:
    if event.type is EventType.SYSTEM:
        return [event]
    newest = log.of_key(event.type, event.facts.key, None, TIMELINE)
    if any(each.seq == event.seq for each in newest):
        return newest
    return log.of_key(event.type, event.facts.key, event.seq, TIMELINE)


def _related(log: Log, event: Event, found: Stored) -> list[Event]:
    if event.type is EventType.SYSTEM:
        return []
    at_ns = event.received_ns
    near = log.select(EventFilter(), limit=NEAR, from_ns=at_ns - RELATED_NS, to_ns=at_ns + RELATED_NS + 1)
    others = {each.seq: each for each in near if each.facts.key != event.facts.key}
    return [others[each.seq] for each in related_of(found, [stored(each) for each in others.values()])]


def gaps(log: Log, from_ns: int, to_ns: int, noticed: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """List the times away from the exchange that touch a range, newest first.

    Args:
        noticed: Gaps that this process knows of: the one that lasts is in no event yet.
    """
    notes = log.select(_SYSTEM, limit=MAX_NOTES, from_ns=from_ns, to_ns=to_ns + NOTED_WITHIN_NS)
    told = [noted_gap(note) for note in notes if note.facts.message == _GAP]
    known = {int(gap["from_ms"]): gap for gap in [*noticed, *told] if gap is not None}
    inside = [
        gap
        for gap in known.values()
        if gap["from_ms"] * 1e6 < to_ns and (gap["to_ms"] is None or gap["to_ms"] * 1e6 >= from_ns)
    ]
    return sorted(inside, key=lambda gap: -float(gap["from_ms"]))
