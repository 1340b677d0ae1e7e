"""A run of consecutive events, framed once, cut per filter on demand."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final, Protocol, Self

from coindcx_feed.feed.columns import Looked
from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar.frames import text_frame, text_frames
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import Wants
from coindcx_feed.sidecar.resume import PastRow

_MOST_MARKET: Final = 10_000


class MarketMessage(Protocol):
    """One market message; ``body`` is its complete envelope."""

    @property
    def mseq(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def pair(self) -> str | None: ...
    @property
    def body(self) -> bytes: ...


class MarketSource(Protocol):
    """The bounded buffer of market messages. Reads begin silently at the oldest kept."""

    @property
    def version(self) -> int:
        """The newest ``mseq``."""

    def since(self, mseq: int, limit: int) -> Sequence[MarketMessage]:
        """Return the messages after ``mseq``, oldest first."""


Row = tuple[str, str | None, bytes, Looked | None]
"""Type, pair and frame of one event, and what else filters look at where one of them does."""


class Batch:
    """Events after a position, bounded in count and bytes.

    Attributes:
        seq: Last account event in the batch, or the position it was read from.
        mseq: The same for market messages.
    """

    def __init__(self, seq: int, mseq: int, whole: bytes, count: int, rows: list[Row], market: list[Row]) -> None:
        self.seq = seq
        self.mseq = mseq
        self._whole = whole
        self._count = count
        self._rows = rows
        self._market = market

    @classmethod
    def read(
        cls,
        ring: Ring,
        market: MarketSource | None,
        seq: int,
        mseq: int,
        wanted: Sequence[Wants],
        limits: Limits,
        upto: int | None = None,
    ) -> Self:
        """Read what the given filters need; types and pairs are looked up only when one of them asks.

        Args:
            market: ``None`` leaves market messages out.
            upto: Nothing after this ``seq``.
        Raises:
            PositionLost: If ``seq`` is older than the ring; ask ``continued`` first.
        """
        most = limits.slice_events if upto is None else min(limits.slice_events, upto - seq)
        rows: list[Row] = []
        if all(wants.is_whole_account or not wants.is_account for wants in wanted):
            bodies = ring.bodies_since(seq, most)
            count = fitting(bodies, limits.slice_bytes)
            whole = text_frames(bodies[:count])
        else:
            rows = _read_rows(ring, seq, most, limits, any(wants.only is not None for wants in wanted))
            whole, count = b"".join([row[2] for row in rows]), len(rows)
        frames: list[Row] = []
        if market is not None:
            is_wanted = any(wants.is_market for wants in wanted)
            mseq, frames = _read_market(market, mseq, limits) if is_wanted else (market.version, frames)
        return cls(seq + count, mseq, whole, count, rows, frames)

    def cut(self, wants: Wants, *notices: bytes | None) -> tuple[bytes, int]:
        """Return what one filter lets through, as frames in one piece, and the number of events in it.

        Args:
            notices: Messages to put first, for filters with account types.
        """
        data, count = b"", 0
        if wants.is_account:
            data, count = (self._whole, self._count) if wants.is_whole_account else _passing(self._rows, wants)
            data = text_frames(notice for notice in notices if notice is not None) + data
        if self._market and wants.is_market:
            market, messages = _passing(self._market, wants)
            return data + market, count + messages
        return data, count


def market_newest(source: MarketSource, mseq: int, upto: int, wants: Wants) -> tuple[bytes, int, int]:
    """Conflate for a client that fell behind: of each type and pair only the newest message up to ``upto``.

    Returns:
        Frames in order, their number, and the new position.
    """
    if mseq >= upto or not wants.is_market:
        return b"", 0, upto
    newest: dict[tuple[str, str | None], MarketMessage] = {}
    for message in source.since(mseq, _MOST_MARKET):
        if message.mseq <= upto and wants.passes(message.type, message.pair):
            newest.pop((message.type, message.pair), None)  # so that the dictionary stays in order of arrival
            newest[message.type, message.pair] = message
    return text_frames(message.body for message in newest.values()), len(newest), upto


def of_past(rows: Sequence[PastRow], wants: Wants, *notices: bytes | None) -> tuple[bytes, int]:
    """Frame those of some older events that a filter lets through, after some messages."""
    passing = passing_of_past(rows, wants)
    return text_frames([*(notice for notice in notices if notice is not None), *passing]), len(passing)


def passing_of_past(rows: Iterable[PastRow], wants: Wants) -> list[bytes]:
    """Return the envelopes that a filter lets through of events that were read for it."""
    test = wants.row_test
    return [
        body
        for _, kind, pair, body, looked in rows
        if wants.passes(kind, pair) and (test is None or (looked is not None and test(looked)))
    ]


def _read_rows(ring: Ring, seq: int, most: int, limits: Limits, is_looked_at: bool) -> list[Row]:
    events = ring.since(seq, most)
    count = fitting([event.body for event in events], limits.slice_bytes)
    looked: Iterable[Looked | None] = ring.looked_since(seq, count) if is_looked_at else repeat(None, count)
    rows = zip(events[:count], looked, strict=True)
    return [(event.type, event.pair, text_frame(event.body), seen) for event, seen in rows]


def _read_market(market: MarketSource, mseq: int, limits: Limits) -> tuple[int, list[Row]]:
    messages = market.since(mseq, limits.slice_events)
    taken = messages[: fitting([message.body for message in messages], limits.slice_bytes)]
    frames: list[Row] = [(message.type, message.pair, text_frame(message.body), None) for message in taken]
    return (taken[-1].mseq if taken else market.version), frames


def _passing(rows: Sequence[Row], wants: Wants) -> tuple[bytes, int]:
    test = wants.row_test
    frames = [
        frame
        for kind, pair, frame, looked in rows
        if wants.passes(kind, pair) and (test is None or looked is None or test(looked))
    ]
    return b"".join(frames), len(frames)


def fitting(bodies: Sequence[bytes], most_bytes: int) -> int:
    """Return how many of the first bodies fit, at least one of a non-empty list."""
    if len(bodies) < 2 or sum(map(len, bodies)) <= most_bytes:
        return len(bodies)
    total = 0
    for count, body in enumerate(bodies):
        total += len(body)
        if total > most_bytes:
            return max(count, 1)
    return len(bodies)
