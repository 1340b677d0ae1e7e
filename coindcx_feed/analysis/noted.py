"""Account events reduced to what analyses of money read: exact decimals, ids, times. No event is kept whole."""

from decimal import Decimal
from typing import NamedTuple, Protocol

import msgspec

from coindcx_feed.events import EventType


class Kept(Protocol):
    """What is read of an event, wherever it is kept."""

    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> EventType: ...
    @property
    def received_ns(self) -> int: ...
    @property
    def exchange_ms(self) -> int | None: ...
    @property
    def previous(self) -> int: ...
    @property
    def is_late(self) -> bool: ...
    @property
    def body(self) -> bytes: ...


class Data(msgspec.Struct, frozen=True):
    """The fields of all kinds of records that hold money or join records to each other; ``None`` where absent."""

    id: str | None = None
    pair: str | None = None
    side: str | None = None
    status: str | None = None
    order_type: str | None = None
    stage: str | None = None
    order_id: str | None = None
    parent_id: str | None = None
    position_id: str | None = None
    currency_short_name: str | None = None
    margin_currency_short_name: str | None = None
    margin_type: str | None = None
    price: Decimal | None = None
    avg_price: Decimal | None = None
    total_quantity: Decimal | None = None
    filled_quantity: Decimal | None = None
    fee_amount: Decimal | None = None
    settlement_currency_conversion_price: Decimal | None = None
    settlement_currency_avg_price: Decimal | None = None
    active_pos: Decimal | None = None
    liquidation_price: Decimal | None = None
    locked_margin: Decimal | None = None
    locked_user_margin: Decimal | None = None
    take_profit_trigger: Decimal | None = None
    stop_loss_trigger: Decimal | None = None
    balance: Decimal | None = None
    locked_balance: Decimal | None = None
    amount: Decimal | None = None
    quantity: Decimal | None = None
    created_at: Decimal | None = None


class Noted(NamedTuple):
    """One event: its number, kind and times, and its data.

    ``at_ms`` is the exchange's own time where the record has one, else the time of arrival; Unix ms.
    """

    seq: int
    kind: EventType
    at_ms: float
    received_ms: float
    is_first: bool
    data: Data

    @property
    def currency(self) -> str | None:
        """The margin currency, or the currency of a wallet."""
        return self.data.margin_currency_short_name or self.data.currency_short_name


class _Envelope(msgspec.Struct):
    data: Data


_decode = msgspec.json.Decoder(_Envelope).decode

READ = (EventType.ORDER, EventType.POSITION, EventType.BALANCE, EventType.FILL, EventType.LEDGER)
"""Kinds that say something about money."""


def noted(event: Kept) -> Noted | None:
    """Read one event; ``None`` for one of the connection, a late one, or one whose fields are of unknown types."""
    if event.type not in READ or event.is_late:
        return None
    try:
        data = _decode(event.body).data
    except (msgspec.DecodeError, ArithmeticError):
        return None
    received_ms = event.received_ns / 1e6
    at_ms = float(event.exchange_ms) if event.exchange_ms else received_ms
    return Noted(event.seq, event.type, at_ms, received_ms, not event.previous, data)
