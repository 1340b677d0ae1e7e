"""What the simulated exchange refuses at once: the documented messages, with their statuses."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.jstext import rest_text
from coindcx_feed.simulator.orders import MarginType, Order, OrderRequest, Refusal
from coindcx_feed.simulator.positions import Position

# The relayed venue turns a limit order away that is further from the mark than this; the order was accepted by then.
VENUE_BAND: Final = Decimal("0.1")

_NO_CROSSED_INR: Final = "Cross margin is available with USDT margin only"


def check_request(
    request: OrderRequest,
    instrument: Instrument,
    last: Decimal,
    position: Position | None,
    orders: Iterable[Order],
) -> None:
    """Check an order before it is accepted.

    Args:
        request: What is asked for.
        instrument: The contract of its pair.
        last: Last price of the pair, USDT.
        position: The position it would change.
        orders: The orders of that position that can still fill.
    Raises:
        Refusal: With the exchange's status and message.
    """
    if request.price is not None:
        _check_price(request.price, instrument)
    if request.trigger is not None:
        check_trigger(request, instrument, last)
    if request.margin_type == "crossed" and request.currency != "USDT":
        raise Refusal(422, _NO_CROSSED_INR)
    _check_quantity(request, instrument)
    price = request.price or last
    notional = price * request.quantity
    if notional < instrument.min_notional:
        raise Refusal(400, f"Minimum order value should be {rest_text(instrument.min_notional)} USDT")
    size = abs(position.active) * price if position is not None else Decimal(0)
    _check_leverage(request.leverage, instrument.max_leverage(notional + size))
    if position is not None and is_leverage_bound(position, orders):
        if position.leverage != request.leverage:
            raise Refusal(422, "Order leverage must be equal to position leverage")
        if position.margin_type != request.margin_type:
            raise Refusal(422, "Order margin type must be equal to position margin type")


def check_trigger(request: OrderRequest, instrument: Instrument, last: Decimal) -> None:
    """Check the prices of an order with a trigger.

    Raises:
        Refusal: With the exchange's status and message.
    """
    stop = request.stop_price
    if stop is None:
        raise Refusal(422, f"Stop price can't be empty for {request.order_type} Order")
    _check_price(stop, instrument)
    if request.fires_upwards and stop <= last:
        raise Refusal(400, "Trigger price should be greater than the current price")
    if not request.fires_upwards and stop >= last:
        raise Refusal(400, "Trigger price should be less than the current price")
    if request.price is not None and request.side == "buy" and request.price < stop:
        raise Refusal(400, "Limit price should be greater than the trigger price")
    if request.price is not None and request.side == "sell" and request.price > stop:
        raise Refusal(400, "Limit price should be less than the trigger price")


def check_margin_change(position: Position, orders: Iterable[Order], margin_type: MarginType) -> None:
    """Check a change between isolated and crossed.

    Raises:
        Refusal: If the position is open or has orders, or its margin is INR. The wording is not documented.
    """
    if margin_type == "crossed" and position.currency != "USDT":
        raise Refusal(422, _NO_CROSSED_INR)
    if is_leverage_bound(position, orders):
        raise Refusal(422, "Margin type cannot be changed while the position or its orders are open")


def is_leverage_bound(position: Position | None, orders: Iterable[Order]) -> bool:
    """Tell whether a position's leverage and margin type are fixed: it is open, or orders that could open it are."""
    return position is not None and (bool(position.active) or any(True for _ in orders))


def is_outside_band(order: Order, mark: Decimal) -> bool:
    """Tell whether the venue turns a limit order away after it was accepted."""
    return not order.is_market and abs(order.price - mark) > mark * VENUE_BAND


def _check_price(price: Decimal, instrument: Instrument) -> None:
    if not instrument.min_price <= price <= instrument.max_price:
        raise Refusal(400, "Price is out of permissible range")
    if price % instrument.price_increment:
        raise Refusal(400, f"Price should be divisible by {rest_text(instrument.price_increment)}")


def _check_leverage(leverage: Decimal, limit: int) -> None:
    if leverage < 1:
        raise Refusal(400, "Leverage cannot be less than 1x")
    if leverage > limit:
        raise Refusal(400, f"Max allowed leverage for current position size = {limit}x")


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
