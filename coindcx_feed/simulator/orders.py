"""An order of the simulated account: its quantities, its status, and its record on the wire."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.margin import INR_PEG, rounded

Side = Literal["buy", "sell"]
OrderType = Literal[
    "limit_order", "market_order", "stop_limit", "stop_market", "take_profit_limit", "take_profit_market"
]
Trigger = Literal["stop", "take_profit"]
Currency = Literal["USDT", "INR"]
MarginType = Literal["isolated", "crossed"]
Stage = Literal["default", "exit", "tpsl_exit", "liquidate"]
Status = Literal[
    "initial", "open", "partially_filled", "filled", "cancelled", "partially_cancelled", "rejected", "untriggered"
]

TERMINAL: Final = frozenset({"filled", "cancelled", "partially_cancelled", "rejected"})
CURRENCIES: Final[tuple[Currency, ...]] = ("USDT", "INR")

_ZERO: Final = Decimal(0)


class Refusal(Exception):
    """The exchange refuses an action at once, with an HTTP status and one of its documented messages."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def conversion_rate(currency: Currency) -> Decimal:
    """Return how many units of a margin currency one USDT is: 1, or the INR peg."""
    return INR_PEG if currency == "INR" else Decimal(1)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a trader asks for.

    Attributes:
        quantity: Base coins; 0 while a position's own stop or target waits, whose size is the position's.
        price: Limit price; ``None`` makes it a market order.
        leverage: Must equal that of an existing position.
        stage: All but ``default`` close a position and need no margin.
        group_id: Common to the orders of one exit, and to a position's stop and target.
        trigger: What makes it wait for ``stop_price``; ``None`` for a plain order.
        margin_type: Crossed with USDT margin only; must equal that of an existing position.
    """

    side: Side
    pair: str
    quantity: Decimal
    price: Decimal | None = None
    leverage: Decimal = Decimal(1)
    currency: Currency = "USDT"
    stage: Stage = "default"
    group_id: str | None = None
    trigger: Trigger | None = None
    stop_price: Decimal | None = None
    margin_type: MarginType = "isolated"

    @property
    def order_type(self) -> OrderType:
        """The exchange's word for trigger and price together."""
        if self.trigger == "stop":
            return "stop_market" if self.price is None else "stop_limit"
        if self.trigger == "take_profit":
            return "take_profit_market" if self.price is None else "take_profit_limit"
        return "market_order" if self.price is None else "limit_order"

    @property
    def is_leg(self) -> bool:
        """Whether it is a position's own stop or target."""
        return self.stage == "tpsl_exit"

    @property
    def fires_upwards(self) -> bool:
        """Whether the price has to rise to ``stop_price``: stops of buyers, targets of sellers."""
        return (self.trigger == "stop") == (self.side == "buy")


@dataclass(eq=False, slots=True)
class Order:
    """One order. Quantities hold at all times: total = filled + remaining + cancelled.

    Attributes:
        request: As placed; a fired stop or target of a position has its quantity filled in.
        price: Limit price; for a market order the market price when placed.
        locked_margin: USDT still reserved for what may open or enlarge a position.
        reserved_quantity: Quantity that reservation stands for.
        turnover: Sum of price × quantity of the fills.
        ideal_margin: Reservation when placed; keeps its value.
        arrived_ms: When it reached the book.
    """

    id: str
    instrument: Instrument
    request: OrderRequest
    price: Decimal
    created_ms: int
    updated_ms: int
    remaining: Decimal
    status: Status = "initial"
    cancelled: Decimal = _ZERO
    turnover: Decimal = _ZERO
    fee_amount: Decimal = _ZERO
    ideal_margin: Decimal = _ZERO
    locked_margin: Decimal = _ZERO
    reserved_quantity: Decimal = _ZERO
    display_message: str | None = None
    group_status: str | None = None
    queue_ahead: Decimal = _ZERO
    arrived_ms: int = 0

    @property
    def total(self) -> Decimal:
        """Quantity ordered."""
        return self.request.quantity

    @property
    def filled(self) -> Decimal:
        """Quantity filled; the wire has no such field."""
        return self.total - self.remaining - self.cancelled

    @property
    def avg_price(self) -> Decimal:
        """Average price of the fills; 0 means none."""
        return rounded(self.turnover / self.filled) if self.filled else _ZERO

    @property
    def is_market(self) -> bool:
        """Whether it has no limit price."""
        return self.request.price is None

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in TERMINAL

    @property
    def sign(self) -> int:
        """1 for buy, -1 for sell."""
        return 1 if self.request.side == "buy" else -1

    def take_size(self, quantity: Decimal) -> None:
        """Fill in the quantity of a position's stop or target, which is the position's when it fires."""
        self.request = replace(self.request, quantity=quantity)
        self.remaining = quantity

    def announce(self, verb: str) -> None:
        """Set the text for humans: "ETH limit buy order placed!"; what closes a position has none of its own."""
        if self.request.stage == "default":
            kind = self.request.order_type.removesuffix("_order").replace("_", " ")
            self.display_message = f"{self.instrument.base} {kind} {self.request.side} order {verb}!"

    def apply_quantity(self, price: Decimal, quantity: Decimal, fee: Decimal, at_ms: int) -> None:
        """Count a fill; the caller has checked that it is no more than what remains."""
        self.remaining -= quantity
        self.turnover += price * quantity
        self.fee_amount += fee
        self.updated_ms = at_ms
        self.status = "partially_filled" if self.remaining else "filled"
        if not self.remaining:
            self.announce("filled")

    def apply_end(self, at_ms: int, *, is_rejected: bool = False, keeps_remaining: bool = False) -> None:
        """Move the remainder to cancelled, unless it is kept, and end the order."""
        was_filled = self.filled > 0
        if not keeps_remaining:
            self.cancelled += self.remaining
            self.remaining = _ZERO
        self.updated_ms = at_ms
        if is_rejected:
            self.status = "rejected"
        else:
            self.status = "partially_cancelled" if was_filled else "cancelled"
        self.announce("rejected" if is_rejected else "cancelled")


def order_record(order: Order) -> dict[str, Any]:
    """Return the fields of ``df-order-update``: no filled quantity among them, and ``trades`` is always empty."""
    request, instrument = order.request, order.instrument
    return {
        "id": order.id,
        "client_order_id": None,
        "pair": request.pair,
        "side": request.side,
        "status": order.status,
        "order_type": request.order_type,
        "stop_trigger_instruction": "last_price",
        "notification": "no_notification",
        "leverage": request.leverage,
        "maker_fee": instrument.maker_fee,
        "taker_fee": instrument.taker_fee,
        "liquidation_fee": instrument.liquidation_fee if request.stage == "liquidate" else None,
        "fee_amount": order.fee_amount,
        "price": order.price,
        "stop_price": request.stop_price or _ZERO,
        "avg_price": order.avg_price,
        "total_quantity": order.total,
        "remaining_quantity": order.remaining,
        "cancelled_quantity": order.cancelled,
        "ideal_margin": order.ideal_margin,
        "locked_margin": order.locked_margin,
        "order_category": "complete_tpsl" if request.is_leg else None,
        "position_margin_type": request.margin_type,
        "stage": request.stage,
        "created_at": order.created_ms,
        "updated_at": order.updated_ms,
        "trades": [],
        "display_message": order.display_message,
        "group_status": order.group_status,
        "group_id": request.group_id,
        "metatags": None,
        "take_profit_price": None,
        "stop_loss_price": None,
        "margin_currency_short_name": request.currency,
        "settlement_currency_conversion_price": conversion_rate(request.currency),
    }
