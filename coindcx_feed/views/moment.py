"""The account as it was at one stored event, made by the functions that show the present one.

Nothing here may be newer than that event, and what the log does not hold stays unknown.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import Event, EventType
from coindcx_feed.feed.marks import FRESH_S, Mark, with_breaks
from coindcx_feed.feed.normalize import stored_item
from coindcx_feed.feed.ring import Stored
from coindcx_feed.feed.state import AccountState
from coindcx_feed.feed.watch import ON_DEMAND
from coindcx_feed.views import account, series
from coindcx_feed.views.series import Floats

Rows = list[dict[str, Any]]

MAX_ORDERS: Final = 1_000
"""Orders of a moment: those touched last, and all that worked. A page shows 500."""
MAX_STEPS: Final = 500
"""Updates of one order in its chart."""
MAX_CHARTED: Final = 2_000
"""Events of one position or wallet in its chart: about one per pixel."""
MARK_WITHIN_S: Final = 3_600
"""How far back the last mark is looked for; an older one says nothing any more."""
GAP_WITHIN: Final = 20_000
"""A gap is noted right after the reads that follow it: within so many events."""
MAX_NOTES: Final = 2_000

_SYSTEM: Final = EventFilter(types=(EventType.SYSTEM.value,))
_GAP: Final = "upstream_gap"


class Holes(Protocol):
    """Numbers that were lost: how many, and the newest run of them."""

    @property
    def number(self) -> int: ...
    @property
    def from_seq(self) -> int: ...
    @property
    def to_seq(self) -> int: ...


class PastLog(Protocol):
    """What is read of the durable log."""

    def get(self, seq: int) -> Event | None: ...
    def state_at(self, seq: int, max_orders: int = ...) -> list[Event]: ...
    def holes_before(self, seq: int) -> Holes | None: ...
    def of_key(self, kind: EventType, key: str, upto: int | None = ..., limit: int = ...) -> list[Event]: ...
    def marks(self, pair: str, from_s: int, to_s: int) -> list[tuple[int, str]]: ...
    def select(
        self, wanted: EventFilter, *, limit: int, upto: int | None = ..., after: int = ..., from_ns: int | None = ...
    ) -> list[Event]: ...


class PastMarks:
    """The stored marks up to a time.

    Marks are stored by the second: one of the same second may be up to a second later than the event.

    Args:
        pairs: Those that were held: no others had their marks stored.
    """

    def __init__(self, log: PastLog, at_ns: int, pairs: Collection[str]) -> None:
        self._log = log
        self._at_s = at_ns // 10**9
        self._pairs = pairs

    def newest(self, pair: str) -> Mark | None:
        """Return the last mark of a held pair within ``MARK_WITHIN_S``."""
        at_s = self._at_s
        for from_s in (at_s - int(FRESH_S), at_s - MARK_WITHIN_S) if pair in self._pairs else ():
            found = self._log.marks(pair, from_s, at_s)
            if found:
                second, price = found[-1]
                return Mark(Decimal(price), second * 10**9, None)
        return None

    def series(self, pair: str, since_ms: float, now_ms: float) -> tuple[Floats, Floats]:
        """Return times (ms) and marks up to the time of this object, with NaN where none was fresh."""
        rows = self._log.marks(pair, int(since_ms // 1000), min(int(now_ms // 1000), self._at_s))
        seconds = np.array([second for second, _ in rows], dtype=np.int64)
        return with_breaks(seconds, np.array([float(price) for _, price in rows], dtype=np.float64))


def fold(events: Iterable[Event]) -> AccountState:
    """Return the state that stored events make, oldest first; what can no longer be read is left out."""
    state = AccountState()
    for event in events:
        item = stored_item(event)
        if item is not None:
            key = event.facts.key
            state.apply(event.type, item.record, event.seq, event.received_ns, is_late=event.is_late, key=key)
    return state


def positions(log: PastLog, state: AccountState, at_ns: int) -> Rows:
    """List every position known then; without a mark fresh at that second its results are unknown."""
    rows = account.positions(state, PastMarks(log, at_ns, state.open_pairs()), at_ns)
    for row in rows:
        if row["mark_age_s"] is not None:
            row["mark_age_s"] = max(0.0, row["mark_age_s"])
        if not row["mark_is_fresh"]:
            row |= {"unrealized_pnl": None, "pnl_share": None, "liquidation_distance": None}
    return rows


def order(log: PastLog, state: AccountState, order_id: str) -> dict[str, Any] | None:
    """Return an order as it was, with its steps until then; ``None`` when it was not known."""
    found = account.order(state, order_id)
    if found is None:
        return None
    return {"order": found, "steps": series.steps_of(_chain(log, found["seq"], order_id))}


def _chain(log: PastLog, seq: int, order_id: str) -> list[Stored]:
    # An order has few updates, each of which names the one before it: no need to look through the log for them.
    found: list[Stored] = []
    while seq and len(found) < MAX_STEPS:
        event = log.get(seq)
        if event is None or event.facts.key != order_id or event.type is not EventType.ORDER:
            break
        found.append(stored(event))
        seq = event.previous
    return found[::-1]


def position_series(
    log: PastLog, state: AccountState, position_id: str, seq: int, since_ms: float, at_ns: int
) -> dict[str, Any] | None:
    """Return the lines of a position until a moment; ``None`` when it was not known."""
    entity = state.position(position_id)
    if entity is None:
        return None
    pair = entity.record.pair
    events = _history(log, EventType.POSITION, position_id, seq)
    return series.position_lines(pair, events, PastMarks(log, at_ns, {pair}), since_ms, at_ns / 1e6)


def balance_series(log: PastLog, state: AccountState, currency: str, seq: int, since_ms: float) -> dict[str, Floats]:
    """Return the steps of a currency until a moment."""
    keys = {entity.record.id for entity in state.balances() if entity.record.currency_short_name == currency}
    events = [event for key in keys for event in _history(log, EventType.BALANCE, key, seq)]
    return series.balance_lines(sorted(events, key=lambda event: event.seq), since_ms)


def _history(log: PastLog, kind: EventType, key: str, seq: int) -> list[Stored]:
    return [stored(event) for event in log.of_key(kind, key, seq, MAX_CHARTED)]


def stored(event: Event) -> Stored:
    """Return an event in the form that views take from the ring."""
    facts = event.facts
    return Stored(
        event.seq,
        event.type,
        event.source,
        facts.pair,
        event.received_ns,
        facts.exchange_ms,
        event.previous,
        event.is_late,
        event.body,
        event.record_at,
        event.record_bytes,
    )


class _Note(msgspec.Struct):
    start: str | None = None
    end: str | None = None
    cause: str = ""
    recovered: int | None = None
    unknown: str | None = None
    coindcx_connected: bool | None = None


_decode = msgspec.json.Decoder(_Note).decode


def gaps(log: PastLog, seq: int, since_ns: int, at_ns: int, noticed: Sequence[dict[str, Any]] = ()) -> Rows:
    """List the times away from the exchange that began before a moment and ended after ``since_ns``, newest first.

    Args:
        noticed: Gaps that this process knows of: the one that lasts is in no event yet.
    """
    events = log.select(_SYSTEM, limit=MAX_NOTES, upto=seq, from_ns=since_ns)
    events += log.select(_SYSTEM, limit=MAX_NOTES, after=seq, upto=seq + GAP_WITHIN)
    noted = [noted_gap(event) for event in events if event.facts.message == _GAP]
    known = {int(gap["from_ms"]): gap for gap in [*noticed, *noted] if gap is not None}
    wanted = [
        gap
        for gap in known.values()
        if gap["from_ms"] < at_ns / 1e6 and (gap["to_ms"] is None or gap["to_ms"] >= since_ns / 1e6)
    ]
    return sorted(wanted, key=lambda gap: -float(gap["from_ms"]))


def noted_gap(event: Event) -> dict[str, Any] | None:
    """Read the gap that a system event tells of, ``None`` where it tells of none."""
    note = _note(event)
    if note is None or note.start is None:
        return None
    return {
        "from_ms": _unix_ms(note.start),
        "to_ms": None if note.end is None else _unix_ms(note.end),
        "cause": note.cause,
        "is_on_demand": note.cause == ON_DEMAND,
        "recovered": note.recovered,
        "unknown": note.unknown,
    }


def _note(event: Event) -> _Note | None:
    try:
        return _decode(event.record)
    except msgspec.DecodeError:
        return None


def _unix_ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def gap_of(found: Rows, at_ns: int) -> dict[str, Any] | None:
    """Return the gap that a moment lies in. Its own first millisecond is that of the last event before it."""
    at_ms = at_ns // 1_000_000
    inside = (gap for gap in found if gap["from_ms"] // 1 < at_ms and (gap["to_ms"] is None or at_ms < gap["to_ms"]))
    return next(inside, None)


def missing(log: PastLog, seq: int) -> dict[str, int] | None:
    """Return how many events up to a moment were lost, with the newest run of them; ``None`` when none was.

    All of them count, not those since the last snapshot only: what a lost event changed stays unknown for as long as
    no later one says it again.
    """
    found = log.holes_before(seq)
    return None if found is None else {"count": found.number, "from_seq": found.from_seq, "to_seq": found.to_seq}


def connection(log: PastLog, seq: int) -> dict[str, Any]:
    """Return the state of the connection that was told last before an event, ``None`` where none was."""
    for event in log.select(_SYSTEM, limit=20, upto=seq):
        note = _note(event)
        if event.facts.status is not None and note is not None:
            told_ms = event.received_ns / 1e6
            return {"state": event.facts.status, "connected": bool(note.coindcx_connected), "told_ms": told_ms}
    return {"state": None, "connected": False, "told_ms": None}
