"""The exchange's REST API: signed reads and actions, public market data, and its documented errors and quirks."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from coindcx_feed.exchange import signing
from coindcx_feed.simulator.hub import Credentials
from coindcx_feed.simulator.jstext import rest_text
from coindcx_feed.simulator.orders import Refusal
from coindcx_feed.simulator.private_reads import PrivateReads
from coindcx_feed.simulator.public_reads import CandleRefusal, PublicReads
from coindcx_feed.simulator.requests import Live, parse_create, parse_object

_F: Final = "/exchange/v1/derivatives/futures"
_DATA: Final = "/api/v1/derivatives/futures/data"

# A create that is older than this is refused.
CREATE_MAX_AGE_MS: Final = 10_000

_ACCEPTED: Final = {"message": "success", "status": 200, "code": 200}
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
        self._private = PrivateReads(live)
        self._public = PublicReads(live)

    def routes(self) -> list[web.RouteDef]:
        """Return every route; other methods and paths are 404 by the server's guard."""
        reads, public = self._private, self._public
        signed: list[tuple[str, str, SignedHandler]] = [
            ("POST", f"{_F}/orders", reads.orders),
            ("POST", f"{_F}/positions", reads.positions),
            ("GET", f"{_F}/wallets", reads.wallets),
            ("POST", f"{_F}/trades", reads.trades),
            ("POST", f"{_F}/positions/transactions", reads.transactions),
            ("GET", f"{_F}/wallets/transactions", reads.wallet_log),
            ("POST", f"{_F}/orders/create", self._create),
            ("POST", f"{_F}/orders/cancel", self._cancel),
            ("POST", f"{_F}/positions/exit", self._exit),
        ]
        unsigned: list[tuple[str, PublicHandler]] = [
            ("/market_data/v3/current_prices/futures/rt", public.current_prices),
            ("/market_data/v3/orderbook/{name}/{depth}", public.book),
            ("/market_data/candlesticks", public.candles),
            (f"{_F}/data/trades", public.trades),
            (f"{_F}/data/active_instruments", public.instruments),
            (f"{_F}/data/instrument", public.instrument),
            (f"{_DATA}/conversions", public.conversions),
            (f"{_DATA}/stats", public.stats),
        ]
        routes = [web.route(method, path, self._signed(handler)) for method, path, handler in signed]
        return routes + [web.get(path, self._unsigned(handler)) for path, handler in unsigned]

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
            and signature.isascii()
            and key == self._credentials.key
            and signing.is_body_signature(self._credentials.secret, raw, signature)
        )

    async def _answer(self, call: Callable[[], object]) -> web.Response:
        await self._live.catch_up()
        try:
            return reply(call())
        except Refusal as refusal:
            error: dict[str, object] = {"message": refusal.message, "code": refusal.status}
            if not isinstance(refusal, CandleRefusal):
                error["status"] = "error"
            return reply(error, refusal.status)

    def _create(self, _request: web.Request, body: Body) -> object:
        stamp = body.get("timestamp")
        now_ms = self._live.exchange.now_ms
        if not isinstance(stamp, int) or abs(now_ms - stamp) > CREATE_MAX_AGE_MS:
            raise Refusal(400, "Invalid Request.")
        order = self._live.exchange.place(parse_create(body.get("order")))
        return [self._private.order_row(order)]

    def _cancel(self, _request: web.Request, body: Body) -> object:
        self._live.exchange.cancel(str(body.get("id")))
        return _ACCEPTED

    def _exit(self, _request: web.Request, body: Body) -> object:
        for position in self._live.exchange.account.positions.values():
            if position.id == body.get("id"):
                return _ACCEPTED | {"data": {"group_id": self._live.exchange.exit(position)}}
        raise Refusal(404, "Position not found")
