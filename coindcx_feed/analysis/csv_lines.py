"""CSV lines of mixed events, a part at a time, from the texts of their cells. No event is parsed for it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coindcx_feed.analysis.cells import csv_line, row_texts
from coindcx_feed.analysis.parts import Part
from coindcx_feed.feed.columns import SOURCES, TYPES, Block


class Lines(NamedTuple):
    """Lines with their ends, UTF-8, and how many events they tell."""

    text: bytes | memoryview
    rows: int


LineWriter = Callable[[Part], Lines]


def header(columns: Iterable[str]) -> bytes:
    return csv_line(list(columns)).encode()


class EventLines:
    """Writes lines of mixed events.

    The texts of nearly all are cells already; Arrow joins them with the columns and lets other threads run meanwhile.
    Odd ones are written from their JSON.
    """

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._origins = pa.array([f",{mode},{source},{kind}," for source in SOURCES for kind in TYPES], pa.string())

    def __call__(self, part: Part) -> Lines:
        block, odd = part.block()
        if not len(block.seqs):
            return Lines(b"", 0)
        lines = self._join(block, part.epoch)
        if odd:
            told = [csv_line(row_texts(body, part.epoch, self._mode)) for body in odd]
            mask = np.zeros(len(block.seqs), dtype=np.bool_)
            mask[block.odd] = True
            lines = pc.replace_with_mask(lines, pa.array(mask), pa.array(told, pa.string()))
        return Lines(_text_of(lines), len(block.seqs))

    def _join(self, block: Block, epoch: str) -> Any:
        exchange_ms = pa.array(block.exchange_ms, mask=block.exchange_ms == 0)
        received = pa.array(block.received_ns // 1_000_000, pa.timestamp("ms")).cast(pa.string())
        origin = block.source.astype(np.int16) * len(TYPES) + block.type
        return pc.binary_join_element_wise(
            pa.array(block.seqs).cast(pa.string()),
            f",{epoch},",
            pc.binary_replace_slice(received, 10, 11, "T"),
            "Z,",
            exchange_ms.cast(pa.string()),
            self._origins.take(pa.array(origin)),
            pa.array(block.texts, pa.binary()).view(pa.string()),
            "\r\n",
            "",
            null_handling="replace",
            null_replacement="",
        )


def _text_of(lines: Any) -> memoryview:
    """Return the text of an Arrow string array as one piece, without a copy."""
    _, offsets_buffer, data_buffer = lines.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data_buffer)[offsets[0] : offsets[-1]]
