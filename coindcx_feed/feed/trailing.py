"""Lists may trail the socket, and wallet rows carry no time: tell a row that is older than what the stream said."""

from collections import OrderedDict, deque
from typing import Final

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import BalanceRecord
from coindcx_feed.feed.compare import differences

TRAILS_S: Final = 10.0
"""A list shows everything that is older than this."""
REMEMBERED: Final = 32
MAX_WALLETS: Final = 500
"""Far more than there are currencies, against a feed that invents ids; the longest silent one is forgotten."""

_MARGIN_NS: Final = 20_000_000
"""The last frame before a gap and the gap's start are stamped a moment apart; no join follows so soon."""


class Wallets:
    """What the stream said of each wallet lately. Used by the pipeline only."""

    def __init__(self) -> None:
        self._said: OrderedDict[str, deque[tuple[int, BalanceRecord]]] = OrderedDict()

    def add(self, record: BalanceRecord, received_ns: int) -> None:
        """Take in a record of the stream."""
        self._said.setdefault(record.id, deque(maxlen=REMEMBERED)).append((received_ns, record))
        self._said.move_to_end(record.id)
        if len(self._said) > MAX_WALLETS:
            self._said.popitem(last=False)

    def is_trailing(self, row: BalanceRecord, asked_ns: int, away_ns: int) -> bool:
        """Tell whether a row that differs from the present record is rather older than newer.

        It is when the stream spoke of the wallet a short time before the read and was not interrupted since, or when
        the row repeats what the stream said before.

        Args:
            asked_ns: When the read was sent. Wall clock.
            away_ns: Start of the gap that led to the read, or 0.
        """
        said = self._said.get(row.id)
        if not said or said[-1][0] < asked_ns - TRAILS_S * 1e9:
            return False
        if said[-1][0] > away_ns + _MARGIN_NS:
            return True
        return any(not differences(EventType.BALANCE, former, row) for _, former in list(said)[:-1])
