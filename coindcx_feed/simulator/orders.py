"""An order of the simulated account: its quantities, its status, and its record on the wire."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.margin import INR_PEG, rounded

Side = Literal["buy", "sell"]
OrderType = Literal["limit_order", "market_order"]
Currency = Literal["USDT", "INR"]
Stage = Literal["default", "exit"]
Status = Literal["initial", "open", "partially_filled", "filled", "cancelled", "partially_cancelled", "rejected"]

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
        price: Limit price; ``None`` makes it a market order.
        quantity: Base coins.
        leverage: Must equal that of an existing position.
        stage: ``exit`` for a part of a position's exit, which needs no margin.
        group_id: Common to the orders of one exit.
    """

    side: Side
    pair: str
    quantity: Decimal
    price: Decimal | None = None
    leverage: Decimal = Decimal(1)
    currency: Currency = "USDT"
    stage: Stage = "default"
    group_id: str | None = None


@dataclass(eq=False, slots=True)
class Order:
    """One order. Quantities hold at all times: total = filled + remaining + cancelled.

    Attributes:
        price: Limit price; for a market order the market price when placed.
        locked_margin: USDT still reserved for what may open or enlarge a position.
        reserved_quantity: Quantity that reservation stands for.
        turnover: Sum of price × quantity of the fills.
        ideal_margin: Reservation when placed; keeps its value.
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
    queue_ahead: Decimal = field(default=_ZERO)

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

    def announce(self, verb: str) -> None:
        """Set the text for humans: "ETH limit buy order placed!"; parts of an exit have none of their own."""
        if self.request.stage == "default":
            kind = "market" if self.is_market else "limit"
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

    def apply_end(self, at_ms: int, *, is_rejected: bool = False) -> None:
        """Move the remainder to cancelled and end the order."""
        was_filled = self.filled > 0
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
        "order_type": "market_order" if order.is_market else "limit_order",
        "stop_trigger_instruction": "last_price",
        "notification": "no_notification",
        "leverage": request.leverage,
        "maker_fee": instrument.maker_fee,
        "taker_fee": instrument.taker_fee,
        "liquidation_fee": None,
        "fee_amount": order.fee_amount,
        "price": order.price,
        "stop_price": _ZERO,
        "avg_price": order.avg_price,
        "total_quantity": order.total,
        "remaining_quantity": order.remaining,
        "cancelled_quantity": order.cancelled,
        "ideal_margin": order.ideal_margin,
        "locked_margin": order.locked_margin,
        "order_category": None,
        "position_margin_type": "isolated",
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
