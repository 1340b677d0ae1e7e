"""Columns of the ring: flat arrays for what tables filter on, small integer codes instead of repeated text, and the
few texts a table row shows.

No locks here: the ring decides who may read and write when.
"""

from array import array
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from coindcx_feed.analysis.shown import EMPTY
from coindcx_feed.events import Event, EventType, Facts, Source

Mask = npt.NDArray[np.bool_]
Seqs = npt.NDArray[np.int64]
TextTest = Callable[[str], bool]
"""Tests the id and the message of an event, lower case, a line each."""

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
    """Copies of what an export writes of some events: one entry per event.

    ``texts`` are cells joined as in ``analysis.shown``; ``odd`` are the places that have none.
    """

    seqs: Seqs
    type: npt.NDArray[np.uint8]
    source: npt.NDArray[np.uint8]
    received_ns: npt.NDArray[np.int64]
    exchange_ms: npt.NDArray[np.int64]
    texts: list[bytes]
    odd: list[int]


class Looked(NamedTuple):
    """What a filter looks at in one event besides type and pair. ``price`` is NaN where there is none."""

    side: str | None
    status: str | None
    price: float
    searched: str
    """Id and message, lower case, a line each."""

    @classmethod
    def of(cls, facts: Facts) -> "Looked":
        """Look at an event that is in no column."""
        price = _NAN if facts.price is None else facts.price
        return cls(facts.side, facts.status, price, searched_text(facts))


def searched_text(facts: Facts) -> str:
    """Return what a search for words looks at."""
    return f"{facts.key}\n{facts.message}".lower() if facts.message else facts.key.lower()


class Columns:
    """One slot per kept event.

    ``array`` stores a scalar at half the cost of NumPy; the NumPy views over the same memory filter without a copy.
    About 60 bytes per slot, and two texts: the cells of a row, and what a search looks at. They are in object arrays,
    which the garbage collector does not walk.
    """

    def __init__(self, capacity: int) -> None:
        def column(code: str, dtype: Any) -> "tuple[array[Any], npt.NDArray[Any]]":
            store = array(code, [0]) * capacity
            return store, np.frombuffer(store, dtype=dtype)

        self.pairs = Codes()
        self.statuses = Codes()
        self.texts = np.full(capacity, EMPTY, dtype=object)
        self.searched = np.full(capacity, "", dtype=object)
        self._type, self.type = column("B", np.uint8)
        self._source, self.source = column("B", np.uint8)
        self._side, self.side = column("B", np.uint8)
        self._late, self.late = column("B", np.uint8)
        self._odd, self.odd = column("B", np.uint8)
        self._pair, self.pair = column("H", np.uint16)
        self._status, self.status = column("H", np.uint16)
        self._price, self.price = column("d", np.float64)
        self._received_ns, self.received_ns = column("q", np.int64)
        self._exchange_ms, self.exchange_ms = column("q", np.int64)
        self._previous, self.previous = column("q", np.int64)
        self._key, self.key = column("q", np.int64)

    def write(self, slot: int, event: Event, texts: bytes | None, searched: str) -> None:
        facts = event.facts
        self._type[slot] = _TYPE_CODES[event.type]
        self._source[slot] = _SOURCE_CODES[event.source]
        self._side[slot] = _SIDE_CODES.get(facts.side, _OTHER_SIDE)
        self._late[slot] = event.is_late
        self._odd[slot] = texts is None
        self._pair[slot] = self.pairs.add(facts.pair)
        self._status[slot] = self.statuses.add(facts.status)
        self._price[slot] = _NAN if facts.price is None else facts.price
        self._received_ns[slot] = event.received_ns
        self._exchange_ms[slot] = facts.exchange_ms or 0
        self._previous[slot] = event.previous
        self._key[slot] = hash(facts.key)
        self.texts[slot] = texts or EMPTY
        self.searched[slot] = searched

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

    def look(self, slot: int) -> Looked:
        """Return what a filter looks at in one slot; a side that no filter knows is the empty text."""
        code = self._side[slot]
        side = SIDES[code] if code < _OTHER_SIDE else ""
        return Looked(side, self.statuses.text(self._status[slot]), self._price[slot], self.searched[slot])

    def found(self, seqs: Seqs, slots: Seqs, test: TextTest) -> Seqs:
        """Return those of some events whose id and message pass a text test."""
        rows = zip(seqs.tolist(), self.searched[slots].tolist(), strict=True)
        return np.array([seq for seq, searched in rows if test(searched)], dtype=np.int64)

    def block(self, seqs: Seqs, slots: Seqs) -> Block:
        """Copy the columns of some slots, ascending in ``seqs``."""
        where = run(slots)
        return Block(
            seqs,
            self.type[where].copy(),
            self.source[where].copy(),
            self.received_ns[where].copy(),
            self.exchange_ms[where].copy(),
            self.texts[where].tolist(),
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


def _any_of(column: npt.NDArray[Any], codes: list[int]) -> Mask:
    if not codes:
        return np.zeros(len(column), dtype=np.bool_)
    mask: Mask = column == codes[0]
    for code in codes[1:]:
        mask |= column == code
    return mask
