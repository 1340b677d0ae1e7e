"""One order book made of snapshots and updates: either equal to the exchange's, or it says that it is not. No I/O."""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, NamedTuple

HELD: Final = 240
"""Updates that wait for a seed: two minutes of a book."""
BEHIND: Final = 40
"""So many frames may still be older than a seed; more of them mean that the exchange counts anew."""
MOST_LEVELS: Final = 5_000
"""Of one side of one frame; the exchange sends at most about a hundred."""
MAX_EXPONENT: Final = 40

CONNECTION: Final = "the connection ended"


class BookState(StrEnum):
    """What a book is worth."""

    WAITING = "waiting"
    SYNCED = "synced"
    UNSYNCED = "unsynced"


class Level(NamedTuple):
    """Price (USDT) and size (base coins), exact."""

    price: Decimal
    size: Decimal


class BookFrame(NamedTuple):
    """A snapshot, an update, or a REST book: price text to size text. ``exchange_ms``: Unix ms."""

    is_snapshot: bool
    vs: int
    bids: Mapping[str, str]
    asks: Mapping[str, str]
    exchange_ms: int
    received_ns: int


class BookView(NamedTuple):
    """A book at one moment, best levels first. Levels are empty unless it is synced.

    ``received_ns`` is when its newest frame came, 0 before the first one; ``reason`` says why it is not synced.
    """

    state: BookState
    reason: str | None
    vs: int
    exchange_ms: int
    received_ns: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


_Side = dict[Decimal, Decimal]


class _Unusable(Exception):
    """A frame that makes no book; the text says why."""


class Book:
    """The book of one pair at one depth. One writer; ``view`` may be read from any thread.

    Source: frames count +1 in ``vs`` across snapshots and updates; the REST book with ``vs`` V equals the stream after
    frame V; updates mention prices beyond the window, so both sides are trimmed after each.

    Args:
        depth: Levels a side.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._bids: _Side = {}
        self._asks: _Side = {}
        self._held: deque[BookFrame] = deque(maxlen=HELD)
        self._seeded_vs = 0
        self._behind = 0
        self.gaps = 0
        self.view = BookView(BookState.WAITING, None, 0, 0, 0, (), ())

    @property
    def is_synced(self) -> bool:
        return self.view.state is BookState.SYNCED

    @property
    def has_held(self) -> bool:
        """Whether updates wait for a seed."""
        return bool(self._held)

    def apply(self, frame: BookFrame) -> None:
        """Take the next frame of the stream."""
        if frame.vs <= self._seeded_vs:
            self._behind += 1
            if self._behind <= BEHIND:
                return
            self._lose("the exchange counts anew")
        if frame.is_snapshot:
            self._held.clear()
            self._take(frame, {}, {})
        elif not self.is_synced:
            self._hold(frame)
        elif frame.vs == self.view.vs + 1:
            self._take(frame, self._bids, self._asks)
        elif frame.vs != self.view.vs:  # an equal one is a repeat
            self.gaps += 1
            self._lose(f"expected update {self.view.vs + 1}, was {frame.vs}")
            self._hold(frame)

    def seed(self, frame: BookFrame) -> bool:
        """Take the book of a REST read, and the updates that waited for it.

        Returns:
            Whether the book is synced now; if not, the read was older than the updates: ask again.
        """
        if self.is_synced:
            return True
        held = list(self._held)
        if held and held[0].vs > frame.vs + 1:
            return False
        self._held.clear()
        self._take(frame, {}, {})
        if not self.is_synced:
            return False
        self._seeded_vs, self._behind = frame.vs, 0
        for update in held:
            if update.vs > frame.vs:
                self.apply(update)
        return self.is_synced

    def lose(self, reason: str) -> None:
        """Say that frames may be missing from now on; harmless for a book that never had one."""
        self._held.clear()
        if self.view.state is not BookState.WAITING:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        self._bids, self._asks = {}, {}
        self._seeded_vs = self._behind = 0
        self.view = self.view._replace(state=BookState.UNSYNCED, reason=reason, bids=(), asks=())

    def _hold(self, frame: BookFrame) -> None:
        if self._held and frame.vs != self._held[-1].vs + 1:
            self._held.clear()
        self._held.append(frame)

    def _take(self, frame: BookFrame, bids: _Side, asks: _Side) -> None:
        try:
            self._bids = _changed(bids, frame.bids, self.depth, is_bid=True)
            self._asks = _changed(asks, frame.asks, self.depth, is_bid=False)
            best_bid, best_ask = next(iter(self._bids), None), next(iter(self._asks), None)
            if best_bid is not None and best_ask is not None and best_bid >= best_ask:
                raise _Unusable(f"expected bids below asks, was {best_bid} at or above {best_ask}")
        except _Unusable as error:
            self._lose(f"frame {frame.vs}: {error}")
            return
        levels = (tuple(Level(*level) for level in side.items()) for side in (self._bids, self._asks))
        self.view = BookView(BookState.SYNCED, None, frame.vs, frame.exchange_ms, frame.received_ns, *levels)


def _changed(side: _Side, changes: Mapping[str, str], depth: int, *, is_bid: bool) -> _Side:
    """Return a side with prices set or, at size 0, deleted: best first, at most ``depth`` levels."""
    if len(changes) > MOST_LEVELS:
        raise _Unusable(f"expected at most {MOST_LEVELS:,} levels, was {len(changes):,}")
    new = dict(side)
    for price_text, size_text in changes.items():
        price, size = _amount(price_text), _amount(size_text)
        if size:
            new[price] = size
        else:
            new.pop(price, None)
    return {price: new[price] for price in sorted(new, reverse=is_bid)[:depth]}


def _amount(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0 or not -MAX_EXPONENT < value.adjusted() < MAX_EXPONENT:
        raise _Unusable(f"expected a price or size, was {text!r:.40}")
    return value
