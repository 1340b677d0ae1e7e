"""The demo's own HTTP routes: place and cancel orders on the simulated exchange. They exist nowhere else.

The server's guard refuses web pages and foreign host names before these handlers run.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

import coindcx_feed
from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.orders import OrderRequest, Refusal, order_record
from coindcx_feed.simulator.requests import Live, parse_amount, parse_currency, parse_object, parse_side

SERVICE: Final = "coindcx-feed simulator"
"""Value of ``service`` in the reply of ``GET /simulator``: the mark by which clients know it is no real exchange."""

DEFAULT_LEVERAGE: Final = Decimal(5)
_FIELDS: Final = frozenset({"side", "pair", "qty", "price", "leverage", "margin_currency"})


class OrdersApi:
    """``GET /simulator``, ``POST /simulator/orders``, ``DELETE /simulator/orders/{id}``."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/simulator", self._marker),
            web.post("/simulator/orders", self._place),
            web.delete("/simulator/orders/{id}", self._cancel),
        ]

    async def _marker(self, _request: web.Request) -> web.Response:
        exchange = self._live.exchange
        return _reply({"service": SERVICE, "version": coindcx_feed.__version__, "pairs": exchange.pairs})

    async def _place(self, request: web.Request) -> web.Response:
        raw = await request.read()

        def place() -> dict[str, Any]:
            order = self._live.exchange.place(self._parse(raw))
            return order_record(order)

        return await self._answer(place)

    async def _cancel(self, request: web.Request) -> web.Response:
        order_id = request.match_info["id"]

        def cancel() -> dict[str, Any]:
            order = self._live.exchange.cancel(order_id)
            return {"id": order.id, "message": "success"}

        return await self._answer(cancel)

    async def _answer(self, call: Callable[[], dict[str, Any]]) -> web.Response:
        await self._live.catch_up()
        try:
            return _reply(call())
        except Refusal as refusal:
            return _reply({"error": _explain(refusal)}, _status(refusal))
        except ValueError as error:
            return _reply({"error": str(error)}, 400)

    def _parse(self, raw: bytes) -> OrderRequest:
        try:
            body = parse_object(raw)
        except ValueError as error:
            raise ValueError(f"expected a JSON object with side, pair and qty, was {error}") from error
        unknown = sorted(set(body) - _FIELDS)
        if unknown:
            raise ValueError(f"expected the fields {', '.join(sorted(_FIELDS))}, was {unknown[0]!r:.40}")
        price, leverage, pair = body.get("price"), body.get("leverage"), body.get("pair")
        if not isinstance(pair, str):
            raise ValueError(f"pair: expected a name such as B-BTC_USDT, was {pair!r:.40}")
        request = OrderRequest(
            side=parse_side(body.get("side")),
            pair=pair,
            quantity=parse_amount(body.get("qty"), "qty"),
            price=None if price is None else parse_amount(price, "price"),
            leverage=DEFAULT_LEVERAGE if leverage is None else parse_amount(leverage, "leverage"),
            currency=parse_currency(body.get("margin_currency")),
        )
        return self._like_its_position(request, leverage is None)

    def _like_its_position(self, request: OrderRequest, takes_leverage: bool) -> OrderRequest:
        # These routes know no margin type: an order joins the position that is there.
        exchange = self._live.exchange
        position = exchange.account.positions.get((request.pair, request.currency))
        if position is None:
            return request
        request = replace(request, margin_type=position.margin_type)
        if takes_leverage and exchange.is_bound(request.pair, request.currency):
            request = replace(request, leverage=position.leverage)
        return request


def _status(refusal: Refusal) -> int:
    is_conflict = refusal.status == 422 or refusal.message == "Insufficient funds"
    return 409 if is_conflict else refusal.status


def _explain(refusal: Refusal) -> str:
    return f"expected an order the exchange accepts, was refused: {refusal.message}"


def _reply(payload: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(text=socket_text(payload), status=status, content_type="application/json")
