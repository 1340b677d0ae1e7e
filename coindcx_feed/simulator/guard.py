"""Who may speak to the simulator: programs on this machine, no web page. One middleware for every route."""

from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Tell whether a host name, without a port, is one of the names of this machine's loopback."""
    return host.strip("[]").lower() in _LOOPBACK_NAMES


def _host_name(request: web.Request) -> str:
    host = request.headers.get(hdrs.HOST, "")
    if host.startswith("["):
        return host.partition("]")[0]
    return host.partition(":")[0]


def refusal(message: str) -> web.Response:
    return web.json_response({"error": message}, status=403)


@web.middleware
async def refuse_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to requests of web pages and to foreign ``Host`` names.

    Every cross-origin request a browser can use carries ``Origin``, and a page that reached loopback by DNS rebinding
    carries its own host name. Scripts send neither.
    """
    if hdrs.ORIGIN in request.headers:
        return refusal("expected a request without Origin, was one of a web page; use a script or the command line")
    if not is_loopback(_host_name(request)):
        return refusal("expected a loopback Host, was another name; use 127.0.0.1")
    return await handler(request)


@web.middleware
async def answer_like_the_exchange(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an unknown path and a wrong method alike: 404 ``not_found``, as captured from the exchange."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.json_response({"status": "error", "message": "not_found", "code": 404}, status=404)


@web.middleware
async def without_compression(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Drop the offer of permessage-deflate: the exchange never negotiates it, aiohttp would."""
    if hdrs.SEC_WEBSOCKET_EXTENSIONS not in request.headers:
        return await handler(request)
    headers = request.headers.copy()
    del headers[hdrs.SEC_WEBSOCKET_EXTENSIONS]
    return await handler(request.clone(headers=headers))
