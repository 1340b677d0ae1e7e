"""CSV lines of mixed events, a slice at a time, from the ring's columns."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coindcx_feed.analysis.cells import csv_line, neutralised, quoted, row_texts
from coindcx_feed.events import EventType
from coindcx_feed.feed.columns import SIDES, SOURCES, TYPES, Block, Seqs
from coindcx_feed.feed.ring import Ring

_SYSTEM: Final = TYPES.index(EventType.SYSTEM)
_BALANCE: Final = TYPES.index(EventType.BALANCE)


class Lines(NamedTuple):
    """Lines with their ends, UTF-8, and how many events they tell."""

    text: bytes | memoryview
    rows: int


LineWriter = Callable[[Seqs], Lines]


def header(columns: Iterable[str]) -> bytes:
    return csv_line(list(columns)).encode()


class EventLines:
    """Writes lines of mixed events without parsing any: the ring holds their texts in columns.

    Columns are joined by Arrow, which lets other threads run meanwhile.
    """

    def __init__(self, ring: Ring, mode: str) -> None:
        self._ring = ring
        self._mode = mode
        self._pairs, self._statuses, self._currencies = ring.codes
        origins = [f",{mode},{source},{kind}," for source in SOURCES for kind in TYPES]
        self._origins = pa.array(origins, pa.string())
        self._labels: dict[int, str] = {}

    def __call__(self, seqs: Seqs) -> Lines:
        block, odd = self._ring.block(seqs)
        if not len(block.seqs):
            return Lines(b"", 0)
        lines = self._join(block)
        if odd:
            mask = np.zeros(len(block.seqs), dtype=np.bool_)
            mask[block.odd] = True
            told = [csv_line(row_texts(body, self._ring.epoch, self._mode)) for body in odd]
            lines = pc.replace_with_mask(lines, pa.array(mask), pa.array(told, pa.string()))
        return Lines(_text_of(lines), len(block.seqs))

    def _join(self, block: Block) -> Any:
        exchange_ms = pa.array(block.exchange_ms, mask=block.exchange_ms == 0)
        received = pa.array(block.received_ns // 1_000_000, pa.timestamp("ms")).cast(pa.string())
        origin = block.source.astype(np.int16) * len(TYPES) + block.type
        return pc.binary_join_element_wise(
            pa.array(block.seqs).cast(pa.string()),
            f",{self._ring.epoch},",
            pc.binary_replace_slice(received, 10, 11, "T"),
            "Z,",
            exchange_ms.cast(pa.string()),
            self._origins.take(pa.array(origin)),
            _safe(self._ids(block)),
            self._label_texts(block),
            pa.array(block.figures, pa.binary()).view(pa.string()),
            ",",
            _safe(block.messages),
            "\r\n",
            "",
            null_handling="replace",
            null_replacement="",
        )

    def _ids(self, block: Block) -> list[str | None]:
        if not (block.type == _SYSTEM).any():
            return list(block.keys)
        kinds = block.type.tolist()
        return [None if kind == _SYSTEM else key for kind, key in zip(kinds, block.keys, strict=True)]

    def _label_texts(self, block: Block) -> Any:
        """Return ``,pair,side,status,`` of each event: few distinct ones, each written once."""
        is_balance = block.type == _BALANCE
        place = np.where(is_balance, block.currency, block.pair).astype(np.int64)
        codes = ((place << 1 | is_balance) << 2 | block.side) << 16 | block.status
        coded = pa.array(codes).dictionary_encode()
        texts = [self._labels.get(code) or self._label(code) for code in coded.dictionary.to_pylist()]
        return pa.array(texts, pa.string()).take(coded.indices)

    def _label(self, code: int) -> str:
        place, is_balance = code >> 19, code >> 18 & 1
        side = code >> 16 & 3
        names = self._currencies if is_balance else self._pairs
        # A side or code without a text belongs to an odd event, whose line is replaced.
        texts = (names.text(place), SIDES[side] if side < len(SIDES) else None, self._statuses.text(code & 0xFFFF))
        label = ",".join(("", *(quoted(neutralised(text or "")) for text in texts), ""))
        self._labels[code] = label
        return label


def _character_table(wanted: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
    return np.array([code < 128 and wanted(chr(code)) for code in range(256)])


_SPLITS: Final = _character_table(lambda letter: letter in '",;\t\r\n')
_HARMLESS_START: Final = _character_table(str.isalnum)


def _safe(texts: list[str | None]) -> Any:
    """Return the texts as an array of cells: neutralised and quoted where it is needed.

    Almost no text needs it: looking for those that might takes a thirtieth of asking each.
    """
    array = pa.array(texts, pa.string())
    suspects = _suspects(array)
    if not len(suspects):
        return array
    texts = list(texts)
    for place in suspects.tolist():
        if (text := texts[place]) is not None:
            texts[place] = quoted(neutralised(text))
    return pa.array(texts, pa.string())


def _suspects(array: Any) -> npt.NDArray[np.int64]:
    """Return the places of texts that hold a separator or begin with anything but a letter or digit."""
    _, offsets_buffer, data_buffer = array.buffers()
    if data_buffer is None:
        return np.empty(0, dtype=np.int64)
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[: len(array) + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8)[: offsets[-1]]
    # All separators but the semicolon stand below the minus sign, where ids have nothing and messages have blanks.
    low = np.flatnonzero(((data < ord("-")) & (data != ord(" "))) | (data == ord(";")))
    splits = low[_SPLITS[data[low]]]
    filled = np.flatnonzero(offsets[:-1] < offsets[1:])
    odd_starts = filled[~_HARMLESS_START[data[offsets[filled]]]]
    if not len(splits):
        return odd_starts
    return np.union1d(odd_starts, np.searchsorted(offsets, splits, side="right") - 1)


def _text_of(lines: Any) -> memoryview:
    """Return the text of an Arrow string array as one piece, without a copy."""
    _, offsets_buffer, data_buffer = lines.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data_buffer)[offsets[0] : offsets[-1]]
