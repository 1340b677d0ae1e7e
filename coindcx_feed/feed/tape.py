"""The newest public trades of a pair."""

import threading
from collections import deque
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from coindcx_feed.exchange.records import TradeRecord

KEPT: Final = 200
MAX_EXPONENT: Final = 40

Side = Literal["buy", "sell"]


class Trade(NamedTuple):
    """One public trade; ``side`` is who took: USDT, base coins, Unix ms and ns.

    ``number`` counts the trades of a pair: the exchange gives them no id, and equal ones happen.
    """

    number: int
    exchange_ms: int
    price: Decimal
    quantity: Decimal
    side: Side | None
    received_ns: int


class Tape:
    """Threads: one writer, any readers."""

    def __init__(self) -> None:
        self._trades: deque[Trade] = deque(maxlen=KEPT)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, record: TradeRecord, received_ns: int) -> None:
        """Take a trade; one of an absurd size is left out. ``m`` is 1 when the buyer was the maker: the seller took."""
        if any(not -MAX_EXPONENT < amount.adjusted() < MAX_EXPONENT for amount in (record.p, record.q)):
            return
        side: Side | None = None if record.m is None else "sell" if record.m else "buy"
        self._count += 1
        with self._lock:
            self._trades.append(Trade(self._count, record.T, record.p, record.q, side, received_ns))

    def newest(self, limit: int) -> list[Trade]:
        """Return the newest trades, newest first."""
        with self._lock:
            return list(self._trades)[: -limit - 1 : -1]
