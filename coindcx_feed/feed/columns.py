"""Columns of the ring: flat arrays for what tables filter on, small integer codes instead of repeated text, and the
few texts a table row shows.

No locks here: the ring decides who may read and write when.
"""

from array import array
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from coindcx_feed.analysis.figures import NONE, ODD, Figures
from coindcx_feed.events import Event, EventType, Source

Mask = npt.NDArray[np.bool_]
Seqs = npt.NDArray[np.int64]
T = TypeVar("T")

TYPES: Final = tuple(EventType)
SOURCES: Final = tuple(Source)
SIDES: Final = (None, "buy", "sell")
_TYPE_CODES: Final = {name: code for code, name in enumerate(TYPES)}
_SOURCE_CODES: Final = {name: code for code, name in enumerate(SOURCES)}
_SIDE_CODES: Final = {name: code for code, name in enumerate(SIDES)}
_OTHER_SIDE: Final = len(SIDES)
_NAN: Final = float("nan")

MAX_CODES: Final = 60_000
"""A feed that invents more distinct texts than this gets one shared code: memory stays bounded."""
OVERFLOW: Final = 0


class Codes:
    """Interned texts: one small integer per distinct text, never forgotten, at most ``MAX_CODES``."""

    def __init__(self) -> None:
        self._codes: dict[str | None, int] = {None: 1}
        self._texts: list[str | None] = ["(too many to name)", None]

    def add(self, text: str | None) -> int:
        code = self._codes.get(text)
        if code is None:
            if len(self._codes) >= MAX_CODES:
                return OVERFLOW
            code = len(self._texts)
            self._texts.append(text)
            self._codes[text] = code
        return code

    def text(self, code: int) -> str | None:
        return self._texts[code]

    def find(self, texts: Iterable[str]) -> list[int]:
        """Return the codes of those texts that were ever seen."""
        return [self._codes[text] for text in texts if text in self._codes]

    def texts(self) -> list[str]:
        return [text for text in self._texts[2:] if text is not None]


class Block(NamedTuple):
    """Copies of what a table or an export shows of some events: one entry per event, codes where texts repeat.

    ``odd`` are the places of events that the columns cannot tell in full: their text is in the event only.
    """

    seqs: Seqs
    type: npt.NDArray[np.uint8]
    source: npt.NDArray[np.uint8]
    side: npt.NDArray[np.uint8]
    pair: npt.NDArray[np.uint16]
    status: npt.NDArray[np.uint16]
    currency: npt.NDArray[np.uint16]
    received_ns: npt.NDArray[np.int64]
    exchange_ms: npt.NDArray[np.int64]
    keys: list[str]
    messages: list[str | None]
    figures: list[bytes]
    odd: list[int]


class Columns:
    """One slot per kept event.

    ``array`` stores a scalar at half the cost of NumPy; the NumPy views over the same memory filter without a copy.
    About 60 bytes per slot, and the texts of a row: id, message and figures.
    """

    def __init__(self, capacity: int) -> None:
        def column(code: str, dtype: Any) -> "tuple[array[Any], npt.NDArray[Any]]":
            store = array(code, [0]) * capacity
            return store, np.frombuffer(store, dtype=dtype)

        self.pairs = Codes()
        self.statuses = Codes()
        self.currencies = Codes()
        self.keys: list[str] = [""] * capacity
        self.messages: list[str | None] = [None] * capacity
        self.figures: list[bytes] = [NONE] * capacity
        self._type, self.type = column("B", np.uint8)
        self._source, self.source = column("B", np.uint8)
        self._side, self.side = column("B", np.uint8)
        self._late, self.late = column("B", np.uint8)
        self._odd, self.odd = column("B", np.uint8)
        self._pair, self.pair = column("H", np.uint16)
        self._status, self.status = column("H", np.uint16)
        self._currency, self.currency = column("H", np.uint16)
        self._price, self.price = column("d", np.float64)
        self._received_ns, self.received_ns = column("q", np.int64)
        self._exchange_ms, self.exchange_ms = column("q", np.int64)
        self._previous, self.previous = column("q", np.int64)
        self._key, self.key = column("q", np.int64)

    def write(self, slot: int, event: Event, figures: Figures) -> None:
        facts = event.facts
        self._type[slot] = _TYPE_CODES[event.type]
        self._source[slot] = _SOURCE_CODES[event.source]
        text, currency_name = figures
        self._side[slot] = side = _SIDE_CODES.get(facts.side, _OTHER_SIDE)
        self._late[slot] = event.is_late
        self._pair[slot] = pair = self.pairs.add(facts.pair)
        self._status[slot] = status = self.statuses.add(facts.status)
        self._currency[slot] = currency = self.currencies.add(currency_name)
        self._odd[slot] = side == _OTHER_SIDE or not (pair and status and currency) or text == ODD
        self._price[slot] = _NAN if facts.price is None else facts.price
        self._received_ns[slot] = event.received_ns
        self._exchange_ms[slot] = facts.exchange_ms or 0
        self._previous[slot] = event.previous
        self._key[slot] = hash(facts.key)
        self.keys[slot] = facts.key
        self.messages[slot] = facts.message
        self.figures[slot] = text

    def read(self, slot: int) -> tuple[EventType, Source, str | None, int, int | None, int, bool]:
        """Return type, source, pair, received ns, exchange ms, previous seq and lateness of one slot."""
        return (
            TYPES[self._type[slot]],
            SOURCES[self._source[slot]],
            self.pairs.text(self._pair[slot]),
            self._received_ns[slot],
            self._exchange_ms[slot] or None,
            self._previous[slot],
            bool(self._late[slot]),
        )

    def searched(self, slot: int) -> str:
        """Return what a text search looks at: id and message, lower case."""
        message = self.messages[slot]
        return f"{self.keys[slot]}\n{message}".lower() if message else self.keys[slot].lower()

    def block(self, seqs: Seqs, slots: Seqs) -> Block:
        """Copy the columns of some slots, ascending in ``seqs``."""
        where = run(slots)
        return Block(
            seqs,
            self.type[where].copy(),
            self.source[where].copy(),
            self.side[where].copy(),
            self.pair[where].copy(),
            self.status[where].copy(),
            self.currency[where].copy(),
            self.received_ns[where].copy(),
            self.exchange_ms[where].copy(),
            pick(self.keys, where),
            pick(self.messages, where),
            pick(self.figures, where),
            np.flatnonzero(self.odd[where]).tolist(),
        )

    def mask_of_types(self, rows: slice, names: Iterable[str]) -> Mask:
        return _any_of(self.type[rows], [_TYPE_CODES[EventType(name)] for name in names])

    def mask_of_sides(self, rows: slice, names: Iterable[str]) -> Mask:
        return _any_of(self.side[rows], [_SIDE_CODES.get(name, _OTHER_SIDE) for name in names])

    def mask_of_pairs(self, rows: slice, names: Iterable[str]) -> Mask:
        return _any_of(self.pair[rows], self.pairs.find(names))

    def mask_of_statuses(self, rows: slice, names: Iterable[str]) -> Mask:
        return _any_of(self.status[rows], self.statuses.find(names))

    def mask_of_key(self, rows: slice, key: str) -> Mask:
        """Rows whose key has the same hash: the reader compares the text of those few."""
        mask: Mask = self.key[rows] == hash(key)
        return mask


def run(slots: Seqs) -> slice | Seqs:
    """Return ascending slots as one run if they have no hole: a run is copied as one."""
    if len(slots) and slots[-1] - slots[0] == len(slots) - 1:
        return slice(int(slots[0]), int(slots[-1]) + 1)
    return slots


def pick(values: list[T], where: slice | Seqs) -> list[T]:
    """Copy the values of some slots."""
    if isinstance(where, slice):
        return values[where]
    # A run covers one slot alone, so here it is none or several.
    return list(itemgetter(*where.tolist())(values)) if len(where) else []


def _any_of(column: npt.NDArray[Any], codes: list[int]) -> Mask:
    if not codes:
        return np.zeros(len(column), dtype=np.bool_)
    mask: Mask = column == codes[0]
    for code in codes[1:]:
        mask |= column == code
    return mask
