"""The signed wallets read of the exchange, enough to tell good credentials from wrong ones."""

from aiohttp import web

from coindcx_feed.exchange.rest import READS
from coindcx_feed.exchange.signing import is_body_signature

REFUSED = {"code": 401, "message": "Invalid credentials", "status": "error"}


def wallets_route(key: str, secret: str) -> web.RouteDef:
    """Answer 200 to a body signed with these credentials and 401 to any other, as captured."""

    async def wallets(request: web.Request) -> web.Response:
        raw = await request.read()
        is_good = request.headers.get("X-AUTH-APIKEY") == key and is_body_signature(
            secret, raw, request.headers.get("X-AUTH-SIGNATURE", "")
        )
        return web.json_response([] if is_good else REFUSED, status=200 if is_good else 401)

    return web.get(READS["wallets"][1], wallets)
