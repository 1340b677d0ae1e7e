"""What only REST answers with, besides the records that the socket shares with it."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from coindcx_feed.exchange.records import Id, Millis, Record, Short, Whole


class ConversionRecord(Record):
    """One internal rate: ``conversion_price`` units of the margin currency for one of the target. A slow peg."""

    symbol: Short
    conversion_price: Annotated[Decimal, Field(gt=0)]
    last_updated_at: Millis
    margin_currency_short_name: Short | None = None
    target_currency_short_name: Short | None = None


class CrossMarginRecord(Record):
    """The crossed book in total, USDT."""

    pnl: Decimal | None = None
    maintenance_margin: Decimal | None = None
    available_wallet_balance: Decimal | None = None
    total_wallet_balance: Decimal | None = None
    total_initial_margin: Decimal | None = None
    total_initial_margin_isolated: Decimal | None = None
    total_initial_margin_crossed: Decimal | None = None
    total_open_order_initial_margin_crossed: Decimal | None = None
    available_balance_cross: Decimal | None = None
    available_balance_isolated: Decimal | None = None
    margin_ratio_cross: Decimal | None = None
    withdrawable_balance: Decimal | None = None
    total_account_equity: Decimal | None = None
    updated_at: Millis


class PricesRecord(Record):
    """Current prices of every pair: pair to its fields, as in ``MarkRecord``. Cached about a second at the edge."""

    ts: Millis
    vs: Whole
    prices: dict[Short, dict[str, Any]]


class RestBookRecord(Record):
    """Price text to size text. A frame of the same pair and depth continues it at ``vs`` + 1."""

    ts: Millis
    vs: Whole
    asks: dict[str, str]
    bids: dict[str, str]


class InstrumentRecord(Record):
    """A contract. Leverage and safety tiers differ per margin currency; fees: percent; times: ms."""

    pair: Id
    status: Short | None = None
    kind: Short | None = None
    margin_currency_short_name: Short | None = None
    quote_currency_short_name: Short | None = None
    settle_currency_short_name: Short | None = None
    position_currency_short_name: Short | None = None
    underlying_currency_short_name: Short | None = None
    max_leverage_long: Decimal | None = None
    max_leverage_short: Decimal | None = None
    unit_contract_value: Decimal | None = None
    price_increment: Decimal | None = None
    quantity_increment: Decimal | None = None
    min_trade_size: Decimal | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    max_market_order_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    liquidation_fee: Decimal | None = None
    safety_percentage: Decimal | None = None
    funding_frequency: Whole | None = None
    expiry_time: Millis | None = None
    exit_only: bool | None = None
    dynamic_position_leverage_details: dict[str, Decimal] | None = None
    dynamic_safety_margin_details: dict[str, Decimal] | None = None


class RestCandleRecord(Record):
    """One bar. ``time`` is ms here, although the request's bounds are seconds."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    time: Millis
