"""The exchange's REST API: signed reads and actions, public market data, and its documented errors and quirks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from coindcx_feed.exchange import signing
from coindcx_feed.simulator.actions import Actions
from coindcx_feed.simulator.hub import Credentials
from coindcx_feed.simulator.jstext import rest_text
from coindcx_feed.simulator.orders import Refusal
from coindcx_feed.simulator.private_reads import PrivateReads
from coindcx_feed.simulator.public_reads import CandleRefusal, PublicReads
from coindcx_feed.simulator.requests import Live, parse_object

_F: Final = "/exchange/v1/derivatives/futures"
_DATA: Final = "/api/v1/derivatives/futures/data"

_BAD_REQUEST: Final = {"status": "error", "message": "bad_request", "code": 400}
_INVALID_CREDENTIALS: Final = {"code": 401, "message": "Invalid credentials", "status": "error"}

Body = dict[str, Any]
SignedHandler = Callable[[web.Request, Body], object]
PublicHandler = Callable[[web.Request], object]


def reply(payload: object, status: int = 200) -> web.Response:
    """Answer with JSON as the REST services write it."""
    return web.Response(text=rest_text(payload), status=status, content_type="application/json")


class RestApi:
    """Routes of the hosts ``api`` and ``public``, which are one address here."""

    def __init__(self, live: Live, credentials: Credentials) -> None:
        self._live = live
        self._credentials = credentials
        self._reads = PrivateReads(live)
        self._actions = Actions(live)
        self._public = PublicReads(live)

    def routes(self) -> list[web.RouteDef]:
        """Return every route; other methods and paths are 404 by the server's guard."""
        signed = [web.route(method, _F + path, self._signed(handler)) for method, path, handler in self._signed_reads()]
        signed += [web.post(f"{_F}/{path}", self._signed(handler)) for path, handler in self._actions.table().items()]
        return signed + [web.get(path, self._unsigned(handler)) for path, handler in self._public_reads().items()]

    def _signed_reads(self) -> list[tuple[str, str, SignedHandler]]:
        reads = self._reads
        return [
            ("POST", "/orders", reads.orders),
            ("POST", "/positions", reads.positions),
            ("GET", "/wallets", reads.wallets),
            ("POST", "/trades", reads.trades),
            ("POST", "/positions/transactions", reads.transactions),
            ("GET", "/wallets/transactions", reads.wallet_log),
            ("GET", "/positions/cross_margin_details", reads.crossed),
        ]

    def _public_reads(self) -> dict[str, PublicHandler]:
        public = self._public
        return {
            "/market_data/v3/current_prices/futures/rt": public.current_prices,
            "/market_data/v3/orderbook/{name}/{depth}": public.book,
            "/market_data/candlesticks": public.candles,
            f"{_F}/data/trades": public.trades,
            f"{_F}/data/active_instruments": public.instruments,
            f"{_F}/data/instrument": public.instrument,
            f"{_DATA}/conversions": public.conversions,
            f"{_DATA}/stats": public.stats,
        }

    def _signed(self, handler: SignedHandler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            raw = await request.read()
            try:
                # Without a body the timestamp is in the query and the signature is over no bytes.
                body = parse_object(raw) if raw else {}
            except ValueError:
                return reply(_BAD_REQUEST, 400)
            if not self._is_signed(request, raw):
                return reply(_INVALID_CREDENTIALS, 401)
            return await self._answer(lambda: handler(request, body))

        return handle

    def _unsigned(self, handler: PublicHandler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return await self._answer(lambda: handler(request))

        return handle

    def _is_signed(self, request: web.Request, raw: bytes) -> bool:
        key = request.headers.get("X-AUTH-APIKEY", "")
        signature = request.headers.get("X-AUTH-SIGNATURE", "")
        is_stamped = bool(raw) or "timestamp" in request.query
        return (
            is_stamped
            and not self._live.exchange.behaviour.is_revoked
            and signature.isascii()
            and key == self._credentials.key
            and signing.is_body_signature(self._credentials.secret, raw, signature)
        )

    async def _answer(self, call: Callable[[], object]) -> web.Response:
        await self._live.catch_up()
        response = _respond(call)
        # The account was read already: what happens during the wait reaches the socket first.
        await asyncio.sleep(self._live.exchange.behaviour.rest_reply_ms / 1000)
        return response


def _respond(call: Callable[[], object]) -> web.Response:
    try:
        return reply(call())
    except Refusal as refusal:
        error: dict[str, object] = {"message": refusal.message, "code": refusal.status}
        if not isinstance(refusal, CandleRefusal):
            error["status"] = "error"
        return reply(error, refusal.status)
