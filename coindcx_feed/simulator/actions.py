"""What REST can do to the simulated account: the exchange's own writing paths. They exist in this room only."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders import CURRENCIES, Order, Refusal
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.private_reads import order_row, position_row
from coindcx_feed.simulator.requests import (
    Live,
    parse_amount,
    parse_create,
    parse_currency,
    parse_margin_type,
)

# A create that is older than this is refused.
CREATE_MAX_AGE_MS: Final = 10_000

_ACCEPTED: Final = {"message": "success", "status": 200, "code": 200}
_LEG_TYPES: Final = {"take_profit": "take_profit_market", "stop_loss": "stop_market"}

Body = dict[str, Any]


class Actions:
    """Handlers of the writing paths; each returns the reply or raises :class:`Refusal`."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def create(self, _request: web.Request, body: Body) -> object:
        """Place an order; the reply is an array of one, and acceptance only."""
        stamp = body.get("timestamp")
        if not isinstance(stamp, int) or abs(self._exchange.now_ms - stamp) > CREATE_MAX_AGE_MS:
            raise Refusal(400, "Invalid Request.")
        order = self._exchange.place(parse_create(body.get("order")))
        return [order_row(order)]

    def cancel(self, _request: web.Request, body: Body) -> object:
        """Cancel an order."""
        self._exchange.cancel(str(body.get("id")))
        return _ACCEPTED

    def cancel_all(self, _request: web.Request, body: Body) -> object:
        """Cancel every open order of the given margin currencies."""
        for currency in CURRENCIES:
            if currency in body.get("margin_currency_short_name", CURRENCIES):
                self._exchange.cancel_all(currency=currency)
        return _ACCEPTED

    def cancel_all_of_position(self, _request: web.Request, body: Body) -> object:
        """Cancel every open order of a position."""
        position = self._position(body)
        self._exchange.cancel_all(position.pair, position.currency)
        return _ACCEPTED

    def exit(self, _request: web.Request, body: Body) -> object:
        """Close a position; the reply names the group, not the orders."""
        return _ACCEPTED | {"data": {"group_id": self._exchange.exit(self._position(body))}}

    def create_tpsl(self, _request: web.Request, body: Body) -> object:
        """Give a position its target and stop; a leg fails inside a 200."""
        prices: dict[str, Decimal] = {}
        reply: dict[str, object] = {}
        for name, order_type in _LEG_TYPES.items():
            leg = body.get(name)
            if not isinstance(leg, dict):
                continue
            if leg.get("order_type", order_type) != order_type:
                reply[name] = _failed(f"Order type should be {order_type}")
            else:
                prices[name] = _amount(leg.get("stop_price"), "stop_price")
        made = self._exchange.protect(self._position(body), prices.get("take_profit"), prices.get("stop_loss"))
        for name, result in made.items():
            reply[name] = order_row(result) if isinstance(result, Order) else _failed(result)
        return reply

    def margin_type(self, _request: web.Request, body: Body) -> object:
        """Choose isolated or crossed for a pair; the reply is an array of the position."""
        try:
            currency = parse_currency(body.get("margin_currency_short_name"))
            margin_type = parse_margin_type(body.get("margin_type"))
        except ValueError as error:
            raise Refusal(422, str(error)) from error
        return [position_row(self._exchange.set_margin_type(str(body.get("pair")), currency, margin_type), [])]

    def add_margin(self, _request: web.Request, body: Body) -> object:
        """Add money to a position; the amount is in its margin currency."""
        self._exchange.change_margin(self._position(body), _amount(body.get("amount"), "amount"))
        return _ACCEPTED

    def remove_margin(self, _request: web.Request, body: Body) -> object:
        """Take money out of a position; the amount is in its margin currency."""
        self._exchange.change_margin(self._position(body), -_amount(body.get("amount"), "amount"))
        return _ACCEPTED

    @property
    def _exchange(self) -> Exchange:
        return self._live.exchange

    def _position(self, body: Body) -> Position:
        for position in self._exchange.account.positions.values():
            if position.id == body.get("id"):
                return position
        raise Refusal(404, "Position not found")

    def table(self) -> dict[str, Callable[[web.Request, Body], object]]:
        """Return the handlers by the end of their path; all are POST."""
        return {
            "orders/create": self.create,
            "orders/cancel": self.cancel,
            "positions/exit": self.exit,
            "positions/create_tpsl": self.create_tpsl,
            "positions/margin_type": self.margin_type,
            "positions/add_margin": self.add_margin,
            "positions/remove_margin": self.remove_margin,
            "positions/cancel_all_open_orders": self.cancel_all,
            "positions/cancel_all_open_orders_for_position": self.cancel_all_of_position,
        }


def _failed(reason: str) -> dict[str, object]:
    return {"success": False, "error": reason}


def _amount(value: object, name: str) -> Decimal:
    try:
        return parse_amount(value, name)
    except ValueError as error:
        raise Refusal(422, str(error)) from error
