"""Slices of what is exported: after this nobody needs to know whether events came from the ring or from the log."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from coindcx_feed.analysis.shown import EMPTY, shown_texts
from coindcx_feed.events import Event
from coindcx_feed.feed.columns import SOURCES, TYPES, Block, Seqs
from coindcx_feed.feed.ring import Ring

Epochs = Sequence[tuple[int, str]]
"""First number and name of every series, oldest first."""

# By their texts: an enum's own hash is a Python call.
_TYPE_CODES: Final = {kind.value: code for code, kind in enumerate(TYPES)}
_SOURCE_CODES: Final = {source.value: code for code, source in enumerate(SOURCES)}


class Part(Protocol):
    """Some events of one epoch, ascending in ``seq``. What is no longer kept when it is read is left out."""

    @property
    def epoch(self) -> str: ...

    @property
    def ends(self) -> tuple[int, int]:
        """First and last number."""

    def __len__(self) -> int: ...

    def bodies(self) -> list[bytes]:
        """Return the envelopes."""

    def block(self) -> tuple[Block, list[bytes]]:
        """Return the columns, and the envelopes of those whose cells have to be taken from their JSON."""


@dataclass(frozen=True, slots=True)
class RingPart:
    """Events of the ring, by number."""

    ring: Ring
    seqs: Seqs
    epoch: str

    @property
    def ends(self) -> tuple[int, int]:
        return int(self.seqs[0]), int(self.seqs[-1])

    def __len__(self) -> int:
        return len(self.seqs)

    def bodies(self) -> list[bytes]:
        return self.ring.bodies(self.seqs)

    def block(self) -> tuple[Block, list[bytes]]:
        return self.ring.block(self.seqs)


@dataclass(frozen=True, slots=True)
class LogPart:
    """Events that were read from the durable log."""

    events: Sequence[Event]
    epoch: str

    @property
    def ends(self) -> tuple[int, int]:
        return self.events[0].seq, self.events[-1].seq

    def __len__(self) -> int:
        return len(self.events)

    def bodies(self) -> list[bytes]:
        return [event.body for event in self.events]

    def block(self) -> tuple[Block, list[bytes]]:
        found = self.events
        texts = [shown_texts(event) for event in found]
        odd = [place for place, text in enumerate(texts) if text is None]
        seqs, kinds, sources, received, facts, *_ = zip(*found, strict=True)
        block = Block(
            np.array(seqs, dtype=np.int64),
            np.array([_TYPE_CODES[kind._value_] for kind in kinds], dtype=np.uint8),
            np.array([_SOURCE_CODES[source._value_] for source in sources], dtype=np.uint8),
            np.array(received, dtype=np.int64),
            np.array([each.exchange_ms or 0 for each in facts], dtype=np.int64),
            [text or EMPTY for text in texts],
            odd,
        )
        return block, [found[place].body for place in odd]


def ring_parts(ring: Ring, seqs: Seqs, size: int) -> Iterator[Part]:
    """Cut numbers of the ring into parts of one epoch each."""
    epochs = ring.epochs
    for start in range(0, len(seqs), size):
        piece = seqs[start : start + size]
        for first, end, name in _runs(piece, epochs):
            yield RingPart(ring, piece[first:end], name)


def log_parts(slices: Iterator[list[Event]], epochs: Epochs) -> Iterator[Part]:
    """Cut slices of the log into parts of one epoch each."""
    for events in slices:
        for first, end, name in _runs([event.seq for event in events], epochs):
            yield LogPart(events if end - first == len(events) else events[first:end], name)


def _runs(seqs: Sequence[int] | Seqs, epochs: Epochs) -> Iterator[tuple[int, int, str]]:
    starts = [first for first, _ in epochs]
    begin = 0
    while begin < len(seqs):
        # What is older than every series that is known counts to the first.
        place = max(bisect_right(starts, seqs[begin]) - 1, 0)
        is_last = place + 1 >= len(starts)
        end = len(seqs) if is_last else begin + int(np.searchsorted(seqs[begin:], starts[place + 1]))
        yield begin, end, epochs[place][1] if epochs else ""
        begin = end
