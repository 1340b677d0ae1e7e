"""Per-minute figures of some events: counts, and sums of money as exact decimals."""

from collections import Counter
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from coindcx_feed.analysis.fill_times import class_of
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import WIDE, written
from coindcx_feed.store.columns import TYPES, Columns, Mask
from coindcx_feed.store.latest import STATE_COLUMNS, Latest
from coindcx_feed.store.rows import PLACES, Cells

MINUTE_NS: Final = 60_000_000_000
FUNDING: Final = "funding"
"""Stage of the ledger rows that are funding; every other stage is a realised result."""
SUMS: Final = frozenset(
    {"events", "orders", "fill_ms", "fill_times", "volume", "fees", "pnl", "wins", "losses", "funding"}
)
"""Measures whose minutes add up."""
VERSION: Final = 2
"""Grows with a new measure: what was summed up before lacks it until the sums are made anew."""
LASTS: Final = frozenset({"unrealized", "balance", "locked"})
"""Measures of which the last value of a minute is kept."""
MEASURES: Final = tuple(sorted(SUMS | LASTS))


class Minute(NamedTuple):
    """One measure in one minute, of ``number`` events.

    ``pair`` and ``label`` are empty where they say nothing; ``amount`` is exact.
    """

    measure: str
    minute: int
    pair: str
    label: str
    number: int
    amount: Decimal = Decimal(0)

    def written(self) -> str:
        return written(self.amount)


class _Order(msgspec.Struct, gc=False):
    created_at: Decimal | None = None
    updated_at: Decimal | None = None


class _Fill(msgspec.Struct, gc=False):
    price: Decimal | None = None
    quantity: Decimal | None = None
    fee_amount: Decimal | None = None


class _Ledger(msgspec.Struct, gc=False):
    amount: Decimal | None = None
    stage: str = ""
    margin_currency_short_name: str | None = None


class _Position(msgspec.Struct, gc=False):
    unrealized_pnl: Decimal | None = None
    margin_currency_short_name: str | None = None


class _Balance(msgspec.Struct, gc=False):
    currency_short_name: str = ""
    balance: Decimal | None = None
    locked_balance: Decimal | None = None


_SHAPES: Final[dict[str, Any]] = {
    EventType.ORDER.value: _Order,
    EventType.FILL.value: _Fill,
    EventType.LEDGER.value: _Ledger,
    EventType.POSITION.value: _Position,
    EventType.BALANCE.value: _Balance,
}
_DECODE: Final = {kind: msgspec.json.Decoder(shape).decode for kind, shape in _SHAPES.items()}


def rolled(cells: Cells, columns: Columns, latest: Latest) -> list[Minute]:
    """Sum up some events, ascending in ``seq``.

    Args:
        cells: Their rows, with bodies.
        columns: The same events as arrays.
        latest: The state before them, and after them on return.
    """
    fold = _Fold(cells, columns)
    fold.count_events()
    for place, status in latest.apply(columns.seqs.tolist(), *(cells[PLACES[name]] for name in STATE_COLUMNS)):
        fold.take_end(place, status)
    for place in np.flatnonzero(_is(columns, EventType.FILL, EventType.LEDGER)).tolist():
        fold.take_booking(place)
    keys, lates = cells[PLACES["key"]], cells[PLACES["is_late"]]
    standing = np.flatnonzero(_is(columns, EventType.POSITION, EventType.BALANCE)).tolist()
    last = {(fold.times[place], keys[place]): place for place in standing if not lates[place]}
    for place in last.values():
        fold.take_standing(place)
    return fold.minutes()


def _is(columns: Columns, *kinds: EventType) -> Mask:
    return columns.mask(EventFilter(types=tuple(kind.value for kind in kinds)))


class _Fold:
    def __init__(self, cells: Cells, columns: Columns) -> None:
        self._kinds, self._bodies, self._starts = (cells[PLACES[name]] for name in ("type", "body", "record_at"))
        self._pairs, self._columns = cells[PLACES["pair"]], columns
        assert columns.received is not None
        self._minutes = columns.received // MINUTE_NS
        self.times: list[int] = self._minutes.tolist()
        self.counts: Counter[tuple[str, int, str, str]] = Counter()
        self._amounts: dict[tuple[str, int, str, str], Decimal] = {}

    def count_events(self) -> None:
        # Minute, pair and type as one number each: distinct ones are counted ten times as fast as tuples.
        columns = self._columns
        of = (self._minutes << 24) | (columns.pairs.astype(np.int64) << 8) | columns.types
        for code, number in zip(*(part.tolist() for part in np.unique(of, return_counts=True)), strict=True):
            pair = columns.texts.pairs[code >> 8 & 0xFFFF] or ""
            self.counts["events", code >> 24, pair, TYPES[code & 0xFF]] += number

    def take_end(self, place: int, status: str) -> None:
        self.counts["orders", self.times[place], self._pairs[place] or "", status] += 1
        record = self._record(place) if status == "filled" else None
        if record is not None and record.created_at and record.updated_at:
            taken_ms = max(Decimal(0), record.updated_at - record.created_at)
            self._add("fill_ms", place, "", taken_ms)
            self._add("fill_times", place, class_of(taken_ms), taken_ms)

    def take_booking(self, place: int) -> None:
        record = self._record(place)
        if isinstance(record, _Fill):
            currency = (self._pairs[place] or "").rpartition("_")[2]
            if record.price is not None and record.quantity is not None:
                self._add("volume", place, currency, WIDE.multiply(record.price, record.quantity))
            if record.fee_amount is not None:
                self._add("fees", place, currency, record.fee_amount)
        elif isinstance(record, _Ledger) and record.amount is not None:
            currency = record.margin_currency_short_name or ""
            is_funding = record.stage == FUNDING
            self._add("funding" if is_funding else "pnl", place, currency, record.amount)
            # An order that opens a position is booked with 0: only what closes one wins or loses.
            if record.amount and not is_funding:
                self._add("wins" if record.amount > 0 else "losses", place, currency, record.amount)

    def take_standing(self, place: int) -> None:
        record = self._record(place)
        if isinstance(record, _Position):
            if record.unrealized_pnl is not None:
                self._set("unrealized", place, record.margin_currency_short_name or "", record.unrealized_pnl)
        elif isinstance(record, _Balance):
            for measure, amount in (("balance", record.balance), ("locked", record.locked_balance)):
                if amount is not None:
                    self._set(measure, place, record.currency_short_name, amount)

    def minutes(self) -> list[Minute]:
        return [Minute(*of, number, self._amounts.get(of, Decimal(0))) for of, number in self.counts.items()]

    def _add(self, measure: str, place: int, label: str, amount: Decimal) -> None:
        of = measure, self.times[place], self._pairs[place] or "", label
        self.counts[of] += 1
        self._amounts[of] = WIDE.add(self._amounts.get(of, Decimal(0)), amount)

    def _set(self, measure: str, place: int, label: str, amount: Decimal) -> None:
        of = measure, self.times[place], self._pairs[place] or "", label
        self.counts[of] = 1
        self._amounts[of] = amount

    def _record(self, place: int) -> Any:
        # A record that does not fit its documented shape counts as an event and nowhere else.
        try:
            return _DECODE[self._kinds[place]](self._bodies[place][self._starts[place] : -1])
        except (ValueError, ArithmeticError, RecursionError):
            return None
