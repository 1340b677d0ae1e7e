"""What filters look at, as flat arrays: of one segment, or of the events that are in none yet."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import EventType
from coindcx_feed.store.rows import PLACES, Cells

Mask = npt.NDArray[np.bool_]
Seqs = npt.NDArray[np.int64]

TYPES: Final = tuple(kind.value for kind in EventType)
SIDES: Final = (None, "buy", "sell")
_OTHER_SIDE: Final = len(SIDES)
_TYPE_CODES: Final = {kind: code for code, kind in enumerate(TYPES)}
_SIDE_CODES: Final = {side: code for code, side in enumerate(SIDES)}
_BETWEEN: Final = "\uffff"
BETWEEN: Final = _BETWEEN.encode()
"""Stands between the searched texts of two events; Unicode keeps it for such a use, no text means anything by it."""
SMALL: Final = ("texts", "types", "sides", "pairs", "statuses", "offsets")
"""The columns that every filter needs; the others are eight bytes per event."""


class Texts(NamedTuple):
    """The distinct texts of a segment; codes are places in these lists."""

    pairs: list[str | None]
    statuses: list[str | None]


class Columns(NamedTuple):
    """One entry per event. ``None`` for what was not loaded. Times: Unix ns. ``price``: NaN where there is none."""

    seqs: Seqs
    texts: Texts
    types: npt.NDArray[np.uint8]
    sides: npt.NDArray[np.uint8]
    pairs: npt.NDArray[np.uint16]
    statuses: npt.NDArray[np.uint16]
    prices: npt.NDArray[np.float64] | None = None
    received: npt.NDArray[np.int64] | None = None
    keys: npt.NDArray[np.uint32] | None = None
    searched: bytes | None = None

    def mask(self, wanted: EventFilter) -> Mask:
        """Mark the events that pass everything but the text."""
        mask = np.ones(len(self.seqs), dtype=np.bool_)
        if wanted.types:
            mask &= _any_of(self.types, (_TYPE_CODES[kind] for kind in wanted.types))
        if wanted.sides:
            mask &= _any_of(self.sides, (_SIDE_CODES.get(side, _OTHER_SIDE) for side in wanted.sides))
        if wanted.pairs:
            mask &= _any_of(self.pairs, _places(self.texts.pairs, wanted.pairs))
        if wanted.statuses:
            mask &= _any_of(self.statuses, _places(self.texts.statuses, wanted.statuses))
        if self.prices is not None and wanted.price_min is not None:
            mask &= self.prices >= float(wanted.price_min)
        if self.prices is not None and wanted.price_max is not None:
            mask &= self.prices <= float(wanted.price_max)
        return mask

    def found(self, mask: Mask, words: Sequence[bytes]) -> Mask:
        """Leave the marks of those events whose id and message contain every word."""
        searched = self.searched
        if searched is None or not words or not mask.any():
            return mask
        if not all(word in searched for word in words):
            return np.zeros_like(mask)
        texts = searched.split(BETWEEN)
        for word in words:
            mask = mask & np.fromiter((word in text for text in texts), dtype=np.bool_, count=len(texts))
        return mask


def words_of(wanted: EventFilter) -> list[bytes]:
    return [word.encode("utf-8", "replace") for word in wanted.text.lower().split()]


def code_of_key(key: str) -> int:
    """Return a number that equal keys share; whoever finds it compares the keys themselves."""
    return zlib.crc32(key.encode("utf-8", "replace"))


def columns_of(cells: Cells) -> Columns:
    """Build the columns of some events, which ascend in ``seq``; bodies are not looked at."""
    pairs, pair_codes = _coded(cells[PLACES["pair"]])
    statuses, status_codes = _coded(cells[PLACES["status"]])
    kinds, sides, keys = cells[PLACES["type"]], cells[PLACES["side"]], cells[PLACES["key"]]
    return Columns(
        seqs=np.array(cells[PLACES["seq"]], dtype=np.int64),
        texts=Texts(pairs, statuses),
        types=np.fromiter(map(_TYPE_CODES.__getitem__, kinds), dtype=np.uint8, count=len(kinds)),
        sides=np.fromiter(map(_SIDE_CODES.get, sides, repeat(_OTHER_SIDE)), dtype=np.uint8, count=len(sides)),
        pairs=pair_codes,
        statuses=status_codes,
        prices=np.array(cells[PLACES["price"]], dtype=np.float64),
        received=np.array(cells[PLACES["received_ns"]], dtype=np.int64),
        keys=_codes_of(keys),
        searched=_searched(keys, cells[PLACES["message"]]),
    )


def packed(columns: Columns) -> dict[str, bytes]:
    """Return the columns as the texts of bytes that a segment keeps."""
    assert columns.prices is not None
    assert columns.received is not None
    assert columns.keys is not None
    assert columns.searched is not None
    return {
        "texts": msgspec.json.encode(columns.texts),
        "types": columns.types.tobytes(),
        "sides": columns.sides.tobytes(),
        "pairs": columns.pairs.astype("<u2").tobytes(),
        "statuses": columns.statuses.astype("<u2").tobytes(),
        "offsets": (columns.seqs - columns.seqs[0]).astype("<u4").tobytes(),
        "keys": columns.keys.astype("<u4").tobytes(),
        "prices": columns.prices.astype("<f8").tobytes(),
        "received": columns.received.astype("<i8").tobytes(),
        "searched": columns.searched,
    }


def unpacked(first_seq: int, kept: Mapping[str, Any]) -> Columns:
    """Read back what ``packed`` wrote; ``kept`` has at least the ``SMALL`` columns."""

    def array(name: str, kind: str) -> npt.NDArray[Any]:
        return np.frombuffer(bytes(kept[name]), dtype=kind)

    return Columns(
        seqs=array("offsets", "<u4").astype(np.int64) + first_seq,
        texts=msgspec.json.decode(bytes(kept["texts"]), type=Texts),
        types=array("types", "u1"),
        sides=array("sides", "u1"),
        pairs=array("pairs", "<u2"),
        statuses=array("statuses", "<u2"),
        prices=array("prices", "<f8") if "prices" in kept else None,
        received=array("received", "<i8") if "received" in kept else None,
        keys=array("keys", "<u4") if "keys" in kept else None,
        searched=bytes(kept["searched"]) if "searched" in kept else None,
    )


def _codes_of(keys: Sequence[str]) -> npt.NDArray[np.uint32]:
    try:
        codes = map(zlib.crc32, map(str.encode, keys))
        return np.fromiter(codes, dtype=np.uint32, count=len(keys))
    except UnicodeEncodeError:
        return np.fromiter(map(code_of_key, keys), dtype=np.uint32, count=len(keys))


def _searched(keys: Sequence[str], messages: Sequence[str | None]) -> bytes:
    texts = [f"{key}\n{message}" if message else key for key, message in zip(keys, messages, strict=True)]
    joined = _BETWEEN.join(texts)
    if joined.count(_BETWEEN) >= len(texts):
        joined = _BETWEEN.join(text.replace(_BETWEEN, " ") for text in texts)
    return joined.lower().encode("utf-8", "replace")


def _coded(texts: Sequence[str | None]) -> tuple[list[str | None], npt.NDArray[np.uint16]]:
    codes = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    return list(codes), np.fromiter(map(codes.__getitem__, texts), dtype=np.uint16, count=len(texts))


def _places(texts: Sequence[str | None], wanted: Iterable[str]) -> list[int]:
    return [texts.index(text) for text in wanted if text in texts]


def _any_of(column: npt.NDArray[Any], codes: Iterable[int]) -> Mask:
    mask = np.zeros(len(column), dtype=np.bool_)
    for code in codes:
        mask |= column == code
    return mask
