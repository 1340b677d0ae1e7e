"""What the simulated exchange refuses at once: the documented messages, with their statuses."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.jstext import rest_text
from coindcx_feed.simulator.orders import Order, OrderRequest, Refusal
from coindcx_feed.simulator.positions import Position

# The relayed venue turns a limit order away that is further from the mark than this; the order was accepted by then.
VENUE_BAND: Final = Decimal("0.1")


def check_request(
    request: OrderRequest,
    instrument: Instrument,
    price: Decimal,
    position: Position | None,
    orders: Iterable[Order],
) -> None:
    """Check an order before it is accepted.

    Args:
        request: What is asked for.
        instrument: The contract of its pair.
        price: Its limit price, or the market price.
        position: The position it would change.
        orders: The orders of that position that can still fill.
    Raises:
        Refusal: With the exchange's status and message.
    """
    _check_price(request, instrument)
    _check_quantity(request, instrument)
    notional = price * request.quantity
    if notional < instrument.min_notional:
        raise Refusal(400, f"Minimum order value should be {rest_text(instrument.min_notional)} USDT")
    size = abs(position.active) * price if position is not None else Decimal(0)
    limit = instrument.max_leverage(notional + size)
    if request.leverage < 1:
        raise Refusal(400, "Leverage cannot be less than 1x")
    if request.leverage > limit:
        raise Refusal(400, f"Max allowed leverage for current position size = {limit}x")
    if is_leverage_bound(position, orders) and position is not None and position.leverage != request.leverage:
        raise Refusal(422, "Order leverage must be equal to position leverage")


def is_leverage_bound(position: Position | None, orders: Iterable[Order]) -> bool:
    """Tell whether a position's leverage is fixed: it is open, or orders that could open it are."""
    return position is not None and (bool(position.active) or any(True for _ in orders))


def is_outside_band(order: Order, mark: Decimal) -> bool:
    """Tell whether the venue turns a limit order away after it was accepted."""
    return not order.is_market and abs(order.price - mark) > mark * VENUE_BAND


def _check_price(request: OrderRequest, instrument: Instrument) -> None:
    price = request.price
    if price is None:
        return
    if not instrument.min_price <= price <= instrument.max_price:
        raise Refusal(400, "Price is out of permissible range")
    if price % instrument.price_increment:
        raise Refusal(400, f"Price should be divisible by {rest_text(instrument.price_increment)}")


def _check_quantity(request: OrderRequest, instrument: Instrument) -> None:
    quantity, is_market = request.quantity, request.price is None
    limit = instrument.max_market_quantity if is_market else instrument.max_quantity
    if quantity < instrument.min_quantity:
        raise Refusal(422, f"Quantity should be greater than {rest_text(instrument.min_quantity)}")
    if quantity > limit:
        kind = "market" if is_market else "limit"
        raise Refusal(422, f"Quantity for {kind} variant orders should be less than {rest_text(limit)}")
    if quantity % instrument.quantity_increment:
        raise Refusal(400, f"Quantity should be divisible by {rest_text(instrument.quantity_increment)}")
