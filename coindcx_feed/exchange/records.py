"""The exchange's records as pydantic models: every documented field, unknown fields kept, money as ``Decimal``.

All fields but the identifying ones are optional: frames from live accounts were seen without them. Text where a number
is documented is accepted. Source: exchange docs ("Get Order Update", "Get Position Update", "Get Balance Update",
market streams) and captured frames.
"""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

# Beyond this no price, size or balance is meant: a guard against texts such as "1e999". Only what is computed with is
# bounded, because each bound costs a third of a microsecond per record.
Money = Annotated[Decimal, Field(gt=Decimal("-1e30"), lt=Decimal("1e30"))]
Detail = Decimal
Millis = Annotated[int, Field(ge=0, lt=10**14)]
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
    price: Money | None = None
    avg_price: Money | None = None
    stop_price: Detail | None = None
    total_quantity: Money | None = None
    remaining_quantity: Money | None = None
    cancelled_quantity: Money | None = None
    fee_amount: Detail | None = None
    maker_fee: Detail | None = None
    taker_fee: Detail | None = None
    liquidation_fee: Detail | None = None
    leverage: Detail | None = None
    ideal_margin: Detail | None = None
    locked_margin: Detail | None = None
    take_profit_price: Detail | None = None
    stop_loss_price: Detail | None = None
    settlement_currency_conversion_price: Detail | None = None
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
        return total - remaining - cancelled

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
    active_pos: Money
    inactive_pos_buy: Detail | None = None
    inactive_pos_sell: Detail | None = None
    avg_price: Money | None = None
    liquidation_price: Money | None = None
    locked_margin: Money | None = None
    locked_user_margin: Detail | None = None
    locked_order_margin: Detail | None = None
    take_profit_trigger: Detail | None = None
    stop_loss_trigger: Detail | None = None
    leverage: Detail | None = None
    mark_price: Detail | None = None
    maintenance_margin: Money | None = None
    cumulative_funding_fee: Detail | None = None
    settlement_currency_avg_price: Detail | None = None
    margin_type: Short | None = None
    margin_currency_short_name: Short | None = None
    updated_at: Millis | None = None


class BalanceRecord(Record):
    """One element of ``balance-update`` or of the REST wallet list: a wallet row, without any time.

    ``balance`` is what is free, ``locked_balance`` what is not; the total is their sum.
    """

    id: Id
    currency_short_name: Annotated[str, Field(min_length=1, max_length=32)]
    balance: Money
    locked_balance: Money
    currency_id: Short | None = None
    cross_order_margin: Money | None = None
    cross_user_margin: Money | None = None


class TradeRecord(Record):
    """``new-trade``. ``m`` 1: the buyer was the maker, so the aggressor sold. ``RT`` runs ahead of ``T``: not used."""

    T: Millis
    p: Money
    q: Money
    s: Short
    m: int | bool | None = None
    RT: float | None = None
    pr: Literal["f"]


class PriceRecord(Record):
    """``price-change``: names no pair, so two pairs on one socket cannot be told apart."""

    T: Millis
    p: Money
    pr: Literal["f"]


class MarkRecord(Record):
    """One pair of a current-prices frame; every field optional on updates. ``fr``, ``efr``: fraction per interval."""

    ls: Money | None = None
    mp: Money | None = None
    fr: Money | None = None
    efr: Money | None = None
    h: Money | None = None
    l: Money | None = None  # noqa: E741  the exchange's name
    v: Money | None = None
    pc: Money | None = None
    mkt: Short | None = None
    skw: Money | None = None
    btST: Millis | None = None
    ctRT: Millis | None = None
    bmST: Millis | None = None
    cmRT: Millis | None = None


class CurrentPricesRecord(Record):
    """``currentPrices@futures#update`` and ``#snapshot``: many pairs in one frame."""

    ts: Millis | None = None
    vs: int | None = None
    pST: Millis | None = None
    pr: Literal["futures"]
    prices: dict[Short, dict[str, Any]]


class CandleBar(Record):
    """One bar; ``open_time`` and ``close_time`` are seconds, unlike everything else."""

    open: Money
    high: Money
    low: Money
    close: Money
    volume: Money
    quote_volume: Money | None = None
    open_time: int
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
    vs: int
    asks: dict[str, str]
    bids: dict[str, str]
    type: Short | None = None
    pts: Millis | None = None
    E: Millis | None = None
    s: Short | None = None
    pr: Literal["futures"]
