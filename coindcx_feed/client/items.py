"""What ``connect`` yields: one class per type of event, and gaps. Immutable; money is ``Decimal``."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec
from pydantic import ValidationError

from coindcx_feed.client.envelope import RESUME_GAP, Envelope
from coindcx_feed.exchange.records import (
    BalanceRecord,
    BookRecord,
    CandleRecord,
    CurrentPricesRecord,
    FillRecord,
    LedgerRecord,
    OrderRecord,
    PositionRecord,
    PriceRecord,
    Record,
    TradeRecord,
)

_log = logging.getLogger("coindcx_feed.client")

Fields = dict[str, Any]
"""Names and values as sent; numbers with a point are ``Decimal``."""

D = TypeVar("D", covariant=True)


class Message(msgspec.Struct, Generic[D], frozen=True, kw_only=True):
    """What every item has.

    Attributes:
        id: UUID of the message.
        timestamp: When the feed received it, UTC.
        seq: Its number, dense within ``epoch``; ``None`` for market messages, gaps and what is said to one client.
        mseq: Number of a market message in its process.
        epoch: Series of ``seq``.
        mode: ``live``, ``demo``, ``replay`` or ``custom``.
        source: ``stream``, ``rest`` or ``local``; ``None`` where the message says none.
        late: An older update that arrived after a newer one.
        durable: False while the feed's log does not take events.
        derived: Names in ``data`` that the feed computed.
        data: The exchange's record; fields that are not documented are in its ``model_extra``.
        raw: The message as received, UTF-8.
    """

    id: str
    timestamp: datetime
    seq: int | None
    mseq: int | None
    epoch: str
    mode: str
    source: str | None
    late: bool
    durable: bool
    derived: tuple[str, ...]
    data: D
    raw: bytes


class OrderEvent(Message[OrderRecord], frozen=True, kw_only=True):
    type: Literal["order"] = "order"


class PositionEvent(Message[PositionRecord], frozen=True, kw_only=True):
    type: Literal["position"] = "position"

    @property
    def unrealized_pnl(self) -> Any:
        """Signed size times (mark less average), USDT, as the feed computed it; ``None`` without a fresh mark."""
        return (self.data.model_extra or {}).get("unrealized_pnl")


class BalanceEvent(Message[BalanceRecord], frozen=True, kw_only=True):
    type: Literal["balance"] = "balance"


class FillEvent(Message[FillRecord], frozen=True, kw_only=True):
    type: Literal["fill"] = "fill"


class LedgerEvent(Message[LedgerRecord], frozen=True, kw_only=True):
    type: Literal["ledger"] = "ledger"


class SystemEvent(Message[Fields], frozen=True, kw_only=True):
    """Something that the feed says itself: changes of the connection, ``upstream_gap``, ``epoch_changed``."""

    type: Literal["system"] = "system"

    @property
    def message(self) -> str:
        return str(self.data.get("message", ""))

    @property
    def state(self) -> str | None:
        """State of the connection to the exchange, where it is told."""
        state = self.data.get("state")
        return None if state is None else str(state)


class PriceEvent(Message[PriceRecord | CurrentPricesRecord], frozen=True, kw_only=True):
    """A price change of one pair, or the current prices of many."""

    type: Literal["price"] = "price"


class TradeEvent(Message[TradeRecord], frozen=True, kw_only=True):
    type: Literal["trade"] = "trade"


class CandleEvent(Message[CandleRecord], frozen=True, kw_only=True):
    type: Literal["candle"] = "candle"


class BookEvent(Message[BookRecord], frozen=True, kw_only=True):
    type: Literal["book"] = "book"


class OtherEvent(Message[Any], frozen=True, kw_only=True):
    """Something that this version has no model for: a new type, or a record of another shape. Nothing is dropped."""

    type: str


class Gap(Message[Fields], frozen=True, kw_only=True):
    """Events that this reader will not get. ``None`` where a number is not known; ``epoch`` is the present series."""

    type: Literal["gap"] = "gap"
    missed_from: int | None
    missed_to: int | None
    reason: str


Item = (
    OrderEvent
    | PositionEvent
    | BalanceEvent
    | FillEvent
    | LedgerEvent
    | SystemEvent
    | PriceEvent
    | TradeEvent
    | CandleEvent
    | BookEvent
    | OtherEvent
    | Gap
)


_met: Final[set[object]] = set()
"""Types whose models were met by a record of another shape: said once each."""


def item_of(envelope: Envelope) -> Item:
    """Make a message what it says it is. One that does not fit its model is an ``OtherEvent``, never an error."""
    kind, data = envelope.get("type"), envelope.get("data")
    common = _common(envelope)
    if kind == "system" and isinstance(data, dict):
        return _gap(common, data) if data.get("message") == RESUME_GAP else SystemEvent(**common, data=data)
    if kind in _MODELS and isinstance(data, dict):
        model, event = _MODELS[kind]
        try:
            return event(**common, data=model(data).model_validate(data))
        except (ValidationError, ArithmeticError):
            if kind not in _met:
                _met.add(kind)
                _log.warning("records of another shape than this version knows type=%s seq=%s", kind, common["seq"])
    return OtherEvent(**common, type=str(kind), data=data)


def _common(envelope: Envelope) -> Fields:
    get = envelope.get
    return {
        "id": str(get("id", "")),
        "timestamp": datetime.fromisoformat(envelope["timestamp"]),
        "seq": get("seq"),
        "mseq": get("mseq"),
        "epoch": envelope.epoch,
        "mode": envelope.mode,
        "source": get("source"),
        "late": get("late") is True,
        "durable": get("durable") is not False,
        "derived": tuple(get("derived", ())),
        "raw": envelope.raw,
    }


def _gap(common: Fields, data: Fields) -> Gap:
    reason = str(data.get("reason", ""))
    return Gap(**common, data=data, missed_from=data.get("missed_from"), missed_to=data.get("missed_to"), reason=reason)


def _price_model(data: Fields) -> type[Record]:
    return CurrentPricesRecord if "prices" in data else PriceRecord


def _always(model: type[Record]) -> Callable[[Fields], type[Record]]:
    return lambda _: model


_MODELS: Final[dict[object, tuple[Callable[[Fields], type[Record]], Callable[..., Item]]]] = {
    "order": (_always(OrderRecord), OrderEvent),
    "position": (_always(PositionRecord), PositionEvent),
    "balance": (_always(BalanceRecord), BalanceEvent),
    "fill": (_always(FillRecord), FillEvent),
    "ledger": (_always(LedgerRecord), LedgerEvent),
    "price": (_price_model, PriceEvent),
    "trade": (_always(TradeRecord), TradeEvent),
    "candle": (_always(CandleRecord), CandleEvent),
    "book": (_always(BookRecord), BookEvent),
}
