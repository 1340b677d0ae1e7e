"""Which events make the state: the last one of every order, position and wallet, kept as numbers."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import TERMINAL_STATUSES

MAX_ORDERS: Final = 2_000
"""Orders in a snapshot: those touched last, and all that can still change."""
MAX_ENTITIES: Final = 10_000
"""Positions, wallets, orders that can still change: far more than an account has, against a feed that invents ids."""

_ORDER, _POSITION, _BALANCE = EventType.ORDER.value, EventType.POSITION.value, EventType.BALANCE.value
STATE_TYPES: Final = (_ORDER, _POSITION, _BALANCE)
STATE_COLUMNS: Final = ("type", "key", "status", "is_late")
"""What ``Latest.apply`` takes beside the numbers, in its order."""


class Latest:
    """A fold over events in order of ``seq``, as ``AccountState`` is one, without looking at a record."""

    def __init__(self, max_orders: int = MAX_ORDERS) -> None:
        self._max_orders = max_orders
        self._ended: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._working: OrderedDict[str, int] = OrderedDict()
        self._others: dict[str, dict[str, int]] = {_POSITION: {}, _BALANCE: {}}

    def apply(
        self,
        seqs: Sequence[int],
        kinds: Sequence[str],
        keys: Sequence[str],
        statuses: Sequence[str | None],
        lates: Sequence[int],
    ) -> list[tuple[int, str]]:
        """Take in some events, given as columns of the table. A late one changes nothing.

        Returns:
            The places of those that ended an order that was not known to have ended like this, each with the status.
        """
        ends = []
        meant = {text: ((text or "").lower(), (text or "").lower() in TERMINAL_STATUSES) for text in set(statuses)}
        ended, working, others = self._ended, self._working, self._others
        for place, (seq, kind, key, text, is_late) in enumerate(zip(seqs, kinds, keys, statuses, lates, strict=True)):
            if is_late:
                continue
            if kind != _ORDER:
                if kind in others:
                    others[kind][key] = seq
                continue
            status, is_end = meant[text]
            before = ended.pop(key, None)
            working.pop(key, None)
            if is_end:
                ended[key] = seq, status
                if before is None or before[1] != status:
                    ends.append((place, status))
            else:
                working[key] = seq
        self._forget()
        return ends

    def seqs(self, max_orders: int = MAX_ORDERS) -> list[int]:
        """Return the numbers of the events that make the state, ascending.

        Args:
            max_orders: Fewer orders than were followed; working ones are not left out for it.
        """
        working = self._working.values()
        spare = max(0, max_orders - len(working))
        ended = [seq for seq, _ in self._ended.values()][-spare:] if spare else []
        others = (seq for table in self._others.values() for seq in table.values())
        return sorted([*working, *ended, *others])

    def packed(self) -> bytes:
        """Return the numbers as a snapshot keeps them."""
        return np.array(self.seqs(self._max_orders), dtype="<i8").tobytes()

    def _forget(self) -> None:
        while len(self._ended) > self._max_orders:
            self._ended.popitem(last=False)
        for table in (self._working, *self._others.values()):
            while len(table) > MAX_ENTITIES:
                del table[next(iter(table))]


def unpacked(snapshot: bytes) -> list[int]:
    """Return the numbers of a snapshot, ascending."""
    numbers: list[int] = np.frombuffer(snapshot, dtype="<i8").tolist()
    return numbers
