"""Every message of the sidecar as a type: what is sent is written with these, and the published schema is made of them.

A reader must accept added fields; what a client sends is closed. Raise ``VERSION`` with every change: the first number
when a reader could break, the second when something is added.
"""

from typing import Annotated, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, WithJsonSchema
from typing_extensions import TypedDict

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
    TradeRecord,
    WalletTransactionRecord,
)
from coindcx_feed.exchange.wire import PAIR
from coindcx_feed.sidecar.query import ACCOUNT_TYPES, ALL, EARLIEST, MARKET_TYPES, MOST_PAIRS

VERSION: Final = "1.1.0"

GREETING: Final = "Connected to CoinDCX WebSocket bridge"
"""The seed's words: scripts written for it look for them."""

_DERIVED: Final = {"type": ["number", "string", "null"]}

Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Number = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1})]
Newest = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0})]
Count = Newest
Epoch = Annotated[str, Field(min_length=1, max_length=64)]
Mode = Literal["demo", "live", "custom", "replay"]
Type = Annotated[str, WithJsonSchema({"enum": sorted(ACCOUNT_TYPES | MARKET_TYPES)})]
Asked = Annotated[str, WithJsonSchema({"enum": [*sorted(ACCOUNT_TYPES | MARKET_TYPES), ALL]})]
Pair = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^(?:{PAIR.pattern})$"})]
Flag = Annotated[bool, WithJsonSchema({"type": "boolean"})]
Price = Annotated[str, Field(max_length=40)]


class Head(TypedDict):
    id: Uuid
    timestamp: Timestamp


class Numbered(Head):
    """What all account events share. ``seq`` is dense within an epoch."""

    seq: Number
    source: Literal["stream", "rest", "local"]
    durable: NotRequired[Literal[False]]
    late: NotRequired[Literal[True]]
    derived: NotRequired[list[str]]


class OrderEvent(Numbered):
    """``filled_quantity`` is computed: total less remaining less cancelled."""

    type: Literal["order"]
    data: Annotated[OrderRecord, Field(json_schema_extra={"properties": {"filled_quantity": _DERIVED}})]


class PositionEvent(Numbered):
    """``unrealized_pnl`` is computed from a fresh mark, else null."""

    type: Literal["position"]
    data: Annotated[PositionRecord, Field(json_schema_extra={"properties": {"unrealized_pnl": _DERIVED}})]


class BalanceEvent(Numbered):
    type: Literal["balance"]
    data: BalanceRecord


class FillEvent(Numbered):
    type: Literal["fill"]
    data: FillRecord


class LedgerEvent(Numbered):
    type: Literal["ledger"]
    data: LedgerRecord | WalletTransactionRecord


class SystemData(TypedDict):
    message: str
    coindcx_connected: NotRequired[Flag]
    state: NotRequired[str]


class SystemEvent(Numbered):
    """About this program: changes of the connection, ``upstream_gap``, the log."""

    type: Literal["system"]
    data: SystemData


class MarketMessage(Head):
    """What all market messages share. They are replaceable and cannot be resumed."""

    mseq: Number
    source: Literal["stream"]


class PriceMessage(MarketMessage):
    type: Literal["price"]
    data: CurrentPricesRecord | PriceRecord


class TradeMessage(MarketMessage):
    type: Literal["trade"]
    data: TradeRecord


class CandleMessage(MarketMessage):
    type: Literal["candle"]
    data: CandleRecord


class BookMessage(MarketMessage):
    type: Literal["book"]
    data: BookRecord


class GreetingData(TypedDict):
    message: Literal["Connected to CoinDCX WebSocket bridge"]
    coindcx_connected: Flag
    mode: str
    epoch: Epoch
    seq: Newest


class Greeting(Head):
    """The first message of a connection. ``seq`` is the newest number, 0 when there is none."""

    type: Literal["system"]
    data: GreetingData


class ResumeGapData(TypedDict):
    message: Literal["resume_gap"]
    recovered: Literal[False]
    missed_from: Number | None
    missed_to: Newest | None
    reason: str


class ResumeGap(Head):
    """Which events a client will not get; null where the number is not known."""

    type: Literal["system"]
    data: ResumeGapData


class EpochChangedData(TypedDict):
    message: Literal["epoch_changed"]
    epoch: Epoch
    first_seq: Number


class EpochChanged(Head):
    """The events from ``first_seq`` on belong to another series."""

    type: Literal["system"]
    data: EpochChangedData


class KeepAlive(TypedDict):
    """``ping`` after 30 s without traffic, ``pong`` as the answer to a client's."""

    type: Literal["ping", "pong"]
    timestamp: Timestamp


class ErrorData(TypedDict):
    message: str


class Error(TypedDict):
    """The answer to a message that was not understood; nothing is changed."""

    type: Literal["error"]
    data: ErrorData


class Subscription(TypedDict):
    """The whole subscription. No pairs means all pairs, empty lists and null ask for nothing."""

    types: list[Type]
    pairs: list[Pair]
    sides: list[Literal["buy", "sell"]]
    statuses: list[str]
    text: str | None
    price_min: Price | None
    price_max: Price | None
    seq: Newest
    epoch: Epoch


class Changed(TypedDict):
    """The answer to a change: what follows are the events after ``seq`` that the subscription lets through."""

    type: Literal["subscribed", "unsubscribed", "resumed"]
    data: Subscription


Names = Annotated[list[Asked], Field(min_length=1, max_length=200)]
Pairs = Annotated[list[Pair], Field(min_length=1, max_length=MOST_PAIRS)]
Value = Annotated[str, Field(max_length=100)]
Bound = Annotated[str | float | None, WithJsonSchema({"type": ["number", "string", "null"], "maxLength": 40})]


class Subscribe(TypedDict):
    """Adds types and pairs and sets the parts of the filter that it names; null brings all pairs, or clears a part."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    action: Literal["subscribe"]
    types: NotRequired[Names]
    pairs: NotRequired[Pairs | None]
    sides: NotRequired[list[Literal["buy", "sell"]] | None]
    statuses: NotRequired[Annotated[list[Value], Field(max_length=200)] | None]
    text: NotRequired[Annotated[str, Field(max_length=200)] | None]
    price_min: NotRequired[Bound]
    price_max: NotRequired[Bound]


class Unsubscribe(TypedDict):
    """Removes types and pairs."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    action: Literal["unsubscribe"]
    types: NotRequired[Names]
    pairs: NotRequired[Pairs]


class Resume(TypedDict):
    """Goes on behind a number of an epoch, or with the earliest event kept."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    action: Literal["resume"]
    since: Newest | Annotated[str, WithJsonSchema({"const": EARLIEST})]
    epoch: NotRequired[Epoch]


class Auth(TypedDict):
    """The first message of a client that sent no credential in its header."""

    action: Literal["auth"]
    token: str


class ClientPing(TypedDict):
    """Also accepted as the plain word."""

    type: Literal["ping", "pong"]


AccountEvent = OrderEvent | PositionEvent | BalanceEvent | FillEvent | LedgerEvent | SystemEvent
