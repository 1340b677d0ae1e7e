"""What the account looks like now: a pure fold over account events, in order of ``seq``."""

from collections import OrderedDict
from decimal import Decimal
from typing import Any, Final, Generic, NamedTuple, TypeVar

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import BalanceRecord, FillRecord, LedgerRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.normalize import AccountRecord

R = TypeVar("R", OrderRecord, PositionRecord, BalanceRecord, FillRecord, LedgerRecord)

MAX_ORDERS: Final = 50_000
"""Orders remembered; beyond it the longest untouched ended ones go first."""


MAX_ENTITIES: Final = 10_000
"""Positions, and wallets, remembered: far more than there are pairs, against a feed that invents ids."""
MAX_ROWS: Final = 50_000
"""Fills and ledger rows remembered, each, so that a read does not bring them twice."""


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
        # Ordered: a plain dict would look for its oldest key among all the deleted ones, 40 us per event once full.
        self._orders: OrderedDict[str, Entity[OrderRecord]] = OrderedDict()
        self._working: dict[str, Entity[OrderRecord]] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._positions: dict[str, Entity[PositionRecord]] = {}
        self._balances: dict[str, Entity[BalanceRecord]] = {}
        self._tables: dict[EventType, dict[str, Any]] = {
            EventType.ORDER: self._orders,
            EventType.POSITION: self._positions,
            EventType.BALANCE: self._balances,
            EventType.FILL: OrderedDict(),
            EventType.LEDGER: OrderedDict(),
        }
        self._locked_before: dict[str, Decimal | None] = {}
        self._last: dict[tuple[EventType, str], int] = {}

    def orders(self) -> list[Entity[OrderRecord]]:
        """All known orders, last touched last."""
        return list(self._orders.values())

    def working_orders(self) -> list[Entity[OrderRecord]]:
        """The orders that can still change, last touched last."""
        return list(self._working.values())

    def positions(self) -> list[Entity[PositionRecord]]:
        return list(self._positions.values())

    def balances(self) -> list[Entity[BalanceRecord]]:
        return list(self._balances.values())

    def fills(self) -> list[FillRecord]:
        """All known fills, oldest first."""
        return [entity.record for entity in list(self._tables[EventType.FILL].values())]

    def order(self, order_id: str) -> Entity[OrderRecord] | None:
        return self._orders.get(order_id)

    def position(self, position_id: str) -> Entity[PositionRecord] | None:
        return self._positions.get(position_id)

    def known(self, kind: EventType, key: str) -> AccountRecord | None:
        """Return the present record of an id, or ``None``."""
        entity = self._tables[kind].get(key)
        return None if entity is None else entity.record

    def received_ns(self, kind: EventType, key: str) -> int:
        """Return when the present record of an id arrived, or 0. Wall clock, ns."""
        entity = self._tables[kind].get(key)
        return 0 if entity is None else int(entity.received_ns)

    def locked_before(self, wallet_id: str) -> Decimal | None:
        """Return the locked amount of a wallet before its last update, or ``None`` at the first."""
        return self._locked_before.get(wallet_id)

    def open_pairs(self) -> set[str]:
        """Pairs with a position that is not flat."""
        return {entity.record.pair for entity in self.positions() if entity.record.active_pos}

    def last_seq(self, kind: EventType, key: str) -> int:
        """Return the ``seq`` of the last event of an id, late ones included, or 0."""
        return self._last.get((kind, key), 0)

    def apply(
        self,
        kind: EventType,
        record: AccountRecord,
        seq: int,
        received_ns: int,
        *,
        is_late: bool,
        key: str | None = None,
    ) -> None:
        """Take in one event. A late one leaves the state as it is.

        Args:
            key: Name of the record among those of its kind, where it is not its ``id``.
        """
        name = key or (record.key if isinstance(record, FillRecord | LedgerRecord) else record.id)
        if is_late:
            if name in self._tables[kind]:  # of an id that was forgotten, nothing is remembered again
                self._last[kind, name] = seq
            return
        self._last[kind, name] = seq
        match record:
            case OrderRecord():
                self._take_order(record, Entity(record, seq, received_ns))
            case PositionRecord():
                self._positions[record.id] = Entity(record, seq, received_ns)
                self._forget_entity(kind)
            case BalanceRecord():
                before = self._balances.get(record.id)
                self._locked_before[record.id] = None if before is None else before.record.locked_balance
                self._balances[record.id] = Entity(record, seq, received_ns)
                self._forget_entity(kind)
            case _:
                self._remember_row(kind, name, Entity(record, seq, received_ns))

    def _take_order(self, record: OrderRecord, entity: Entity[OrderRecord]) -> None:
        self._orders[record.id] = entity
        self._orders.move_to_end(record.id)
        self._working.pop(record.id, None)
        self._ended.pop(record.id, None)
        if record.is_terminal:
            self._ended[record.id] = None
        else:
            self._working[record.id] = entity
        if len(self._orders) > self._max_orders:
            self._forget_order()

    def _remember_row(self, kind: EventType, name: str, entity: Entity[Any]) -> None:
        table = self._tables[kind]
        table[name] = entity
        if len(table) > MAX_ROWS:
            oldest = next(iter(table))
            del table[oldest]
            self._last.pop((kind, oldest), None)

    def _forget_order(self) -> None:
        ended_first = next(iter(self._ended or self._orders))
        del self._orders[ended_first]
        self._ended.pop(ended_first, None)
        self._working.pop(ended_first, None)
        self._last.pop((EventType.ORDER, ended_first), None)

    def _forget_entity(self, kind: EventType) -> None:
        table = self._tables[kind]
        if len(table) > MAX_ENTITIES:
            oldest = next(iter(table))
            del table[oldest]
            self._last.pop((kind, oldest), None)
            if kind is EventType.BALANCE:
                self._locked_before.pop(oldest, None)
