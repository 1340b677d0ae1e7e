"""What the account looks like now: a pure fold over account events, in order of ``seq``."""

from typing import Any, Final, Generic, NamedTuple, TypeVar

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.normalize import AccountRecord

R = TypeVar("R", OrderRecord, PositionRecord, BalanceRecord)

MAX_ORDERS: Final = 50_000
"""Orders remembered; beyond it the longest untouched ended ones go first."""


class Entity(NamedTuple, Generic[R]):
    """The present record of one id and the event that brought it."""

    record: R
    seq: int
    received_ns: int


class AccountState:
    """Orders, positions and wallets by id.

    ``apply`` is called by the pipeline only. Readers in other threads take the lists, which are copies; records are
    immutable.
    """

    def __init__(self, max_orders: int = MAX_ORDERS) -> None:
        self._max_orders = max_orders
        self._orders: dict[str, Entity[OrderRecord]] = {}
        self._positions: dict[str, Entity[PositionRecord]] = {}
        self._balances: dict[str, Entity[BalanceRecord]] = {}
        self._tables: dict[EventType, dict[str, Any]] = {
            EventType.ORDER: self._orders,
            EventType.POSITION: self._positions,
            EventType.BALANCE: self._balances,
        }
        self._last: dict[tuple[EventType, str], int] = {}

    def orders(self) -> list[Entity[OrderRecord]]:
        """All known orders, last touched last."""
        return list(self._orders.values())

    def positions(self) -> list[Entity[PositionRecord]]:
        return list(self._positions.values())

    def balances(self) -> list[Entity[BalanceRecord]]:
        return list(self._balances.values())

    def order(self, order_id: str) -> Entity[OrderRecord] | None:
        return self._orders.get(order_id)

    def position(self, position_id: str) -> Entity[PositionRecord] | None:
        return self._positions.get(position_id)

    def known(self, kind: EventType, key: str) -> AccountRecord | None:
        """Return the present record of an id, or ``None``."""
        entity = self._tables[kind].get(key)
        return None if entity is None else entity.record

    def open_pairs(self) -> set[str]:
        """Pairs with a position that is not flat."""
        return {entity.record.pair for entity in self.positions() if entity.record.active_pos}

    def last_seq(self, kind: EventType, key: str) -> int:
        """Return the ``seq`` of the last event of an id, late ones included, or 0."""
        return self._last.get((kind, key), 0)

    def apply(self, kind: EventType, record: AccountRecord, seq: int, received_ns: int, *, is_late: bool) -> None:
        """Take in one event. A late one leaves the state as it is."""
        self._last[kind, record.id] = seq
        if is_late:
            return
        match record:
            case OrderRecord():
                self._orders.pop(record.id, None)
                self._orders[record.id] = Entity(record, seq, received_ns)
                if len(self._orders) > self._max_orders:
                    self._forget_order()
            case PositionRecord():
                self._positions[record.id] = Entity(record, seq, received_ns)
            case BalanceRecord():
                self._balances[record.id] = Entity(record, seq, received_ns)

    def _forget_order(self) -> None:
        ended = (key for key, entity in self._orders.items() if entity.record.is_terminal)
        ended_first = next(ended, next(iter(self._orders)))
        del self._orders[ended_first]
        self._last.pop((EventType.ORDER, ended_first), None)
