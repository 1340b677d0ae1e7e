"""The exchange's records as pydantic models: every documented field, unknown fields kept, money as ``Decimal``.

All fields but the identifying ones are optional: frames from live accounts were seen without them. Text where a number
is documented is accepted. Source: exchange docs ("Get Order Update", "Get Position Update", "Get Balance Update",
market streams) and captured frames.
"""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from coindcx_feed.exchange.numbers import WIDE, plain


def _bounded(value: Any) -> Any:
    # Turned into an integer, 1e-999999999 would become a fraction of a gigabyte: seconds of work for a short frame.
    if type(value) is Decimal and not -20 < value.adjusted() < 20:
        raise ValueError("expected a whole number, was one with an exponent out of range")
    return value


Whole = Annotated[int, BeforeValidator(_bounded)]
Millis = Annotated[Whole, Field(ge=0, lt=10**14)]
Id = Annotated[str, Field(min_length=1, max_length=128)]
Short = Annotated[str, Field(max_length=128)]
Message = Annotated[str, Field(max_length=65_536)]

ORDER_STATUSES: Final = frozenset(
    {"initial", "open", "partially_filled", "filled", "cancelled", "partially_cancelled", "rejected", "untriggered"}
)
TERMINAL_STATUSES: Final = frozenset({"filled", "cancelled", "partially_cancelled", "rejected"})


class Record(BaseModel):
    """Common rules: unknown fields are kept, nothing is printed in errors."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, frozen=True)


class OrderRecord(Record):
    """One element of ``df-order-update`` or of the REST order list. Times: ms. Fees: USDT, also on INR margin."""

    id: Id
    status: Short
    pair: Short | None = None
    side: Short | None = None
    order_type: Short | None = None
    price: Decimal | None = None
    avg_price: Decimal | None = None
    stop_price: Decimal | None = None
    total_quantity: Decimal | None = None
    remaining_quantity: Decimal | None = None
    cancelled_quantity: Decimal | None = None
    fee_amount: Decimal | None = None
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    liquidation_fee: Decimal | None = None
    leverage: Decimal | None = None
    ideal_margin: Decimal | None = None
    locked_margin: Decimal | None = None
    take_profit_price: Decimal | None = None
    stop_loss_price: Decimal | None = None
    settlement_currency_conversion_price: Decimal | None = None
    margin_currency_short_name: Short | None = None
    position_margin_type: Short | None = None
    stage: Short | None = None
    order_category: Short | None = None
    group_id: Short | None = None
    group_status: Short | None = None
    stop_trigger_instruction: Short | None = None
    notification: Short | None = None
    client_order_id: Short | None = None
    display_message: Message | None = None
    metatags: Any = None
    trades: Any = None
    created_at: Millis | None = None
    updated_at: Millis | None = None

    @property
    def filled_quantity(self) -> Decimal | None:
        """Total less remaining less cancelled: on a cancel the remainder moves from one to the other."""
        total, remaining, cancelled = self.total_quantity, self.remaining_quantity, self.cancelled_quantity
        if total is None or remaining is None or cancelled is None:
            return None
        return WIDE.subtract(WIDE.subtract(total, remaining), cancelled)

    @property
    def has_known_status(self) -> bool:
        return self.status.lower() in ORDER_STATUSES

    @property
    def is_terminal(self) -> bool:
        return self.status.lower() in TERMINAL_STATUSES


class PositionRecord(Record):
    """One element of ``df-position-update`` or of the REST position list.

    ``active_pos`` is signed base coins. ``mark_price`` is the mark at the last position update, not live.
    """

    id: Id
    pair: Short
    active_pos: Decimal
    inactive_pos_buy: Decimal | None = None
    inactive_pos_sell: Decimal | None = None
    avg_price: Decimal | None = None
    liquidation_price: Decimal | None = None
    locked_margin: Decimal | None = None
    locked_user_margin: Decimal | None = None
    locked_order_margin: Decimal | None = None
    take_profit_trigger: Decimal | None = None
    stop_loss_trigger: Decimal | None = None
    leverage: Decimal | None = None
    mark_price: Decimal | None = None
    maintenance_margin: Decimal | None = None
    cumulative_funding_fee: Decimal | None = None
    settlement_currency_avg_price: Decimal | None = None
    margin_type: Short | None = None
    margin_currency_short_name: Short | None = None
    updated_at: Millis | None = None


class BalanceRecord(Record):
    """One element of ``balance-update`` or of the REST wallet list: a wallet row, without any time.

    ``balance`` is what is free, ``locked_balance`` what is not; the total is their sum.
    """

    id: Id
    currency_short_name: Annotated[str, Field(min_length=1, max_length=32)]
    balance: Decimal
    locked_balance: Decimal
    currency_id: Short | None = None
    cross_order_margin: Decimal | None = None
    cross_user_margin: Decimal | None = None


class FillRecord(Record):
    """One row of the fills read, which the socket never carries. Fee: USDT, also on INR margin.

    ``timestamp`` is ms, in old rows with a fraction. ``fill_id`` is undocumented, and absent in old rows.
    """

    order_id: Id
    pair: Short
    price: Decimal
    quantity: Decimal
    timestamp: Annotated[Decimal, Field(ge=0, lt=10**14)]
    fill_id: Id | None = None
    side: Short | None = None
    is_maker: bool | None = None
    fee_amount: Decimal | None = None
    settlement_currency_conversion_price: Decimal | None = None
    margin_currency_short_name: Short | None = None

    @property
    def exchange_ms(self) -> int:
        return int(self.timestamp)

    @property
    def has_own_id(self) -> bool:
        return self.fill_id is not None

    @property
    def key(self) -> str:
        """The exchange's ``fill_id``, or one made of the content: equal fills of one order at one time share it."""
        if self.fill_id is not None:
            return self.fill_id
        content = (self.order_id, self.timestamp, self.price, self.quantity, self.side, self.is_maker, self.fee_amount)
        return content_key("fill", content)


class LedgerRecord(Record):
    """One row of a position's ledger: realised amount and fee, in the margin currency.

    ``fill_id`` is not the one of the fills read: join ``parent_id`` to ``order_id``. ``price_in_*`` is the value of one
    unit of the margin currency, not a price of the trade.
    """

    stage: Short
    amount: Decimal
    created_at: Millis
    pair: Short | None = None
    fee_amount: Decimal | None = None
    settlement_amount: Decimal | None = None
    price_in_inr: Decimal | None = None
    price_in_btc: Decimal | None = None
    price_in_usdt: Decimal | None = None
    source: Short | None = None
    parent_type: Short | None = None
    parent_id: Short | None = None
    fill_id: Short | None = None
    position_id: Short | None = None
    margin_currency_short_name: Short | None = None
    updated_at: Millis | None = None

    @property
    def has_own_id(self) -> bool:
        return self.fill_id is not None

    @property
    def key(self) -> str:
        """Made of the content: nothing says that a ``fill_id`` has one row only."""
        what = (self.position_id, self.pair, self.parent_id, self.fill_id, self.stage, self.created_at)
        amounts = (self.amount, self.fee_amount, self.settlement_amount, self.margin_currency_short_name)
        return content_key("ledger", (*what, *amounts))


class WalletTransactionRecord(Record):
    """One movement of a futures wallet: a transfer, an order's profit and fee, or funding. The exchange gives no id."""

    transaction_type: Short
    amount: Decimal
    currency_short_name: Annotated[str, Field(min_length=1, max_length=32)]
    created_at: Millis
    derivatives_futures_wallet_id: Short | None = None
    currency_full_name: Short | None = None
    reason: Short | None = None

    @property
    def has_own_id(self) -> bool:
        return False

    @property
    def key(self) -> str:
        """Made of the content: equal movements at one time share it."""
        where = (self.derivatives_futures_wallet_id, self.currency_short_name, self.created_at)
        return content_key("wallet", (*where, self.transaction_type, self.amount, self.reason))


def content_key(kind: str, content: Iterable[object]) -> str:
    """Name a record that has no id: the same content gives the same name, however its numbers are written."""
    texts = (plain(part) if isinstance(part, Decimal) else "" if part is None else str(part) for part in content)
    return f"{kind}-{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()[:32]}"


class TradeRecord(Record):
    """``new-trade``. ``m`` 1: the buyer was the maker, so the aggressor sold. ``RT`` runs ahead of ``T``: not used."""

    T: Millis
    p: Decimal
    q: Decimal
    s: Short
    m: Whole | bool | None = None
    RT: float | None = None
    pr: Literal["f"]


class PriceRecord(Record):
    """``price-change``: names no pair, so two pairs on one socket cannot be told apart."""

    T: Millis
    p: Decimal
    pr: Literal["f"]


class MarkRecord(Record):
    """One pair of a current-prices frame; every field optional on updates. ``fr``, ``efr``: fraction per interval."""

    ls: Decimal | None = None
    mp: Decimal | None = None
    fr: Decimal | None = None
    efr: Decimal | None = None
    h: Decimal | None = None
    l: Decimal | None = None  # noqa: E741  the exchange's name
    v: Decimal | None = None
    pc: Decimal | None = None
    mkt: Short | None = None
    skw: Decimal | None = None
    btST: Millis | None = None
    ctRT: Millis | None = None
    bmST: Millis | None = None
    cmRT: Millis | None = None


class CurrentPricesRecord(Record):
    """``currentPrices@futures#update`` and ``#snapshot``: many pairs in one frame."""

    ts: Millis | None = None
    vs: Whole | None = None
    pST: Millis | None = None
    pr: Literal["futures"]
    prices: dict[Short, dict[str, Any]]


class CandleBar(Record):
    """One bar; ``open_time`` and ``close_time`` are seconds, unlike everything else."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal | None = None
    open_time: Whole
    close_time: float | None = None
    pair: Short
    symbol: Short | None = None
    duration: Short


class CandleRecord(Record):
    """``candlestick``: an outer object around a list of bars. ``Ets``, ``pts``: ms."""

    data: list[CandleBar]
    Ets: Millis | None = None
    pts: Millis | None = None
    i: Short
    channel: Short | None = None
    pr: Literal["futures"]


class BookRecord(Record):
    """``depth-snapshot`` and ``depth-update``: price text to size text; ``"0"`` deletes. Key order means nothing.

    ``s`` is spelled ``ETHUSDT``; ``vs`` counts +1 per frame of one (pair, depth) across both events.
    """

    ts: Millis
    vs: Whole
    asks: dict[str, str]
    bids: dict[str, str]
    type: Short | None = None
    pts: Millis | None = None
    E: Millis | None = None
    s: Short | None = None
    pr: Literal["futures"]
