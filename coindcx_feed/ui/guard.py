"""Who may ask this server: the one middleware, before every route, Streamlit's own and ours.

Streamlit checks ``Host`` and ``Origin`` of its own WebSocket only, and there it takes any page of this machine,
whatever its port; routes given to it are covered by nothing but this.
"""

from typing import Final

import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coindcx_feed.feed.process import process_service

LOOPBACK: Final = ("localhost", "127.0.0.1")
SESSION_PATH: Final = "/_stcore/stream"
"""Streamlit's WebSocket: one connection per open page."""

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
)
_WRONG_HOST: Final = "expected the host localhost, 127.0.0.1 or one of server.allowedHosts: open it by such a name\n"
_WRONG_ORIGIN: Final = "expected the dashboard's own origin, was another page's: open the dashboard itself\n"
_REFUSED: Final = 1008


class Guard:
    """Answer only requests that name this server by one of its names (DNS rebinding) and come from its own pages.

    A request over HTTP may have no ``Origin`` (a browser sends none with most of its own), but no other one; a
    WebSocket of ours must have the right one. Streamlit's WebSocket, too, may have no other one; it is counted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        is_socket = scope["type"] == "websocket"
        is_session = is_socket and scope["path"].endswith(SESSION_PATH)
        hosts, origins = _all(scope, b"host"), _all(scope, b"origin")
        if len(hosts) != 1 or not is_allowed_host(hosts[0]):
            await _refuse(scope, receive, send, _WRONG_HOST, 421)
        elif not is_own_origin(origins, hosts[0], scope["scheme"], is_needed=is_socket and not is_session):
            await _refuse(scope, receive, send, _WRONG_ORIGIN, 403)
        elif is_session:
            await self._serve_viewer(scope, receive, send)
        else:
            await self._app(scope, receive, send if is_socket else _with_headers(send))

    async def _serve_viewer(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Counted here, because the connection is the one thing that ends with a browser, however it ends.
        service = process_service()
        service.page_opened()
        try:
            await self._app(scope, receive, send)
        finally:
            service.page_closed()


def is_allowed_host(host: bytes) -> bool:
    """Say whether a ``Host`` header names this server, on loopback or as Streamlit's settings list it.

    The port does not matter; a pattern in the list is no name.
    """
    name, _, port = host.decode("latin-1").lower().partition(":")
    names = (*LOOPBACK, *st.get_option("server.allowedHosts"))
    return name.rstrip(".") in names and (port == "" or port.isdigit())


def is_own_origin(origins: list[bytes], host: bytes, scheme: str, *, is_needed: bool) -> bool:
    """Say whether all ``Origin`` headers of a request are the one of this server's own pages.

    Name and port must be those of the request itself: another program's page on this machine differs by its port, and
    whoever reaches the server through a tunnel has the same foreign port in both. ``https`` is right as well: a proxy
    in front may encrypt.

    Args:
        host: An allowed ``Host``.
        scheme: As the server gives it: ``http``, ``https``, ``ws`` or ``wss``.
        is_needed: Whether no ``Origin`` at all is a refusal.
    """
    if not origins:
        return not is_needed
    name = host.lower()
    is_plain = scheme in ("http", "ws") and origins[0] == b"http://" + name
    return len(origins) == 1 and (is_plain or origins[0] == b"https://" + name)


def _all(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str, status: int) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted: the client gets 403 and no connection.
        await send({"type": "websocket.close", "code": _REFUSED, "reason": ""})
    else:
        await PlainTextResponse(reason, status_code=status)(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *_HEADERS]}
        await send(message)

    return send_with_headers
