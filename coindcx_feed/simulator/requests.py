"""Reading what callers send to the simulated exchange: JSON bodies, numbers, orders. Pure functions."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

import msgspec

from coindcx_feed.simulator.channels import Publisher
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders import (
    CURRENCIES,
    Currency,
    MarginType,
    OrderRequest,
    Refusal,
    Side,
    Trigger,
)

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_SIDES: Final[tuple[Side, ...]] = ("buy", "sell")
_MARGIN_TYPES: Final[tuple[MarginType, ...]] = ("isolated", "crossed")
_ORDER_TYPES: Final[dict[str, Trigger | None]] = {
    "market_order": None,
    "limit_order": None,
    "stop_limit": "stop",
    "stop_market": "stop",
    "take_profit_limit": "take_profit",
    "take_profit_market": "take_profit",
}
# More digits than any real quantity or price; beyond, arithmetic would round.
_MAX_DIGITS: Final = 20


class Live(Protocol):
    """What the HTTP routes need of the running exchange."""

    @property
    def exchange(self) -> Exchange: ...

    @property
    def publisher(self) -> Publisher: ...

    async def catch_up(self) -> None: ...


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        ValueError: If it is something else.
    """
    try:
        value = _decode(raw)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def parse_amount(value: object, name: str) -> Decimal:
    """Parse a number or its text.

    Raises:
        ValueError: With "expected …, was …" if it is no positive decimal of reasonable length.
    """
    expected = ValueError(f"{name}: expected a number above 0, was {value!r:.40}")
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise expected
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise expected from None
    if not amount.is_finite() or amount <= 0:
        raise expected
    exponent = amount.as_tuple().exponent
    if amount.adjusted() > _MAX_DIGITS or (isinstance(exponent, int) and exponent < -_MAX_DIGITS):
        raise expected
    return amount


def parse_side(value: object) -> Side:
    """Parse a side.

    Raises:
        ValueError: If it is neither ``buy`` nor ``sell``.
    """
    for side in _SIDES:
        if value == side:
            return side
    raise ValueError(f"side: expected buy or sell, was {value!r:.40}")


def parse_currency(value: object) -> Currency:
    """Parse a margin currency; ``None`` means USDT.

    Raises:
        ValueError: If it is neither ``USDT`` nor ``INR``.
    """
    for currency in CURRENCIES:
        if value == currency:
            return currency
    if value is None:
        return "USDT"
    raise ValueError(f"margin currency: expected USDT or INR, was {value!r:.40}")


def parse_create(order: object) -> OrderRequest:
    """Parse the ``order`` of the exchange's own create request.

    Raises:
        Refusal: If a field is missing or wrong.
    """
    if not isinstance(order, dict):
        raise Refusal(400, "Invalid Request.")
    name = order.get("order_type")
    if not isinstance(name, str) or name not in _ORDER_TYPES:
        raise Refusal(422, f"Order type should be one of {', '.join(_ORDER_TYPES)}")
    is_market = "market" in name
    if not is_market and order.get("price") is None:
        raise Refusal(422, f"Price can't be empty for {name} Order")
    if _ORDER_TYPES[name] is not None and order.get("stop_price") is None:
        raise Refusal(422, f"Stop price can't be empty for {name} Order")
    try:
        return _create(order, _ORDER_TYPES[name], is_market)
    except ValueError as error:
        raise Refusal(422, str(error)) from error


def _create(order: dict[str, Any], trigger: Trigger | None, is_market: bool) -> OrderRequest:
    return OrderRequest(
        side=parse_side(order.get("side")),
        pair=str(order.get("pair")),
        quantity=parse_amount(order.get("total_quantity"), "total_quantity"),
        price=None if is_market else parse_amount(order.get("price"), "price"),
        leverage=parse_amount(order.get("leverage", 1), "leverage"),
        currency=parse_currency(order.get("margin_currency_short_name")),
        trigger=trigger,
        stop_price=None if trigger is None else parse_amount(order.get("stop_price"), "stop_price"),
        margin_type=parse_margin_type(order.get("position_margin_type")),
    )


def parse_margin_type(value: object) -> MarginType:
    """Parse a margin type; ``None`` means isolated, as in the exchange's own records.

    Raises:
        ValueError: If it is neither ``isolated`` nor ``crossed``.
    """
    for name in _MARGIN_TYPES:
        if value == name:
            return name
    if value is None:
        return "isolated"
    raise ValueError(f"margin type: expected isolated or crossed, was {value!r:.40}")


def parse_page(value: object, default: int, limit: int) -> int:
    """Parse ``page`` or ``size``, which the exchange takes as text or number.

    Raises:
        Refusal: If it is no whole number of 1 or more.
    """
    text = str(default if value is None else value)
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or int(text) < 1:
        raise Refusal(400, "Invalid Request.")
    return min(int(text), limit)
