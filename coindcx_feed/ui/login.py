"""One password in front of the whole dashboard, asked before any page, file or socket is answered.

A cookie stands for it afterwards. Runs in the launcher only; the pages know nothing of it.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.access import printable

COOKIE: Final = "coindcx_feed_session"
LOGIN_PATH: Final = "/login"
LOGOUT_PATH: Final = "/logout"
HEALTH_PATH: Final = "/_stcore/health"
"""Answered without a cookie: it says that the server runs, nothing else."""
SESSION_S: Final = 12 * 3600.0
TRIES: Final = 5
TRIES_S: Final = 60.0
FORM_BYTES: Final = 4096
LOOK_S: Final = 5.0
"""A page that stays open is closed within so long after its session has ended."""
UNAUTHORISED: Final = 4500

_PAGE: Final = (Path(__file__).parent / "login.html").read_text("utf-8")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
}
_log = logging.getLogger(__name__)

Clock = Callable[[], float]


class Sessions:
    """Cookies that were handed out, kept as digests only. Threads: the server's loop."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._ends: dict[bytes, float] = {}

    def begin(self) -> str:
        """Return a new cookie, good for ``SESSION_S``."""
        now = self._clock()
        self._ends = {digest: end for digest, end in self._ends.items() if end > now}
        cookie = secrets.token_urlsafe(32)
        self._ends[_digest(cookie)] = now + SESSION_S
        return cookie

    def knows(self, cookie: str | None) -> bool:
        return cookie is not None and self._ends.get(_digest(cookie), 0.0) > self._clock()

    def end(self, cookie: str | None) -> None:
        if cookie is not None:
            self._ends.pop(_digest(cookie), None)


class Tries:
    """Wrong passwords of the last minute. Behind a proxy all come from one address, so they are counted together."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=TRIES)

    def wait_s(self) -> float:
        """Return how long no password is looked at, 0 when one may be tried."""
        if len(self._wrong) < TRIES:
            return 0.0
        return max(0.0, self._wrong[0] + TRIES_S - self._clock())

    def failed(self) -> None:
        self._wrong.append(self._clock())


class Login:
    """What one process asks for, and who has answered.

    Args:
        password: As configured.
        is_secure: Browsers send the cookie back over TLS only.
    """

    def __init__(self, password: str, *, is_secure: bool, clock: Clock = time.monotonic) -> None:
        self._digest = _digest(password)
        self.is_secure = is_secure
        self.sessions, self.tries = Sessions(clock), Tries(clock)

    def accepts(self, password: str) -> bool:
        """Compare in constant time, whatever the lengths."""
        return hmac.compare_digest(self._digest, _digest(password))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


_configured: list[Login] = []


def configure(settings: Settings, *, is_secure: bool) -> None:
    """Ask for the password from now on, if one is set."""
    password = settings.dashboard_password
    _configured[:] = [] if password is None else [Login(password.get_secret_value(), is_secure=is_secure)]


class LoginGate:
    """Passes what carries the cookie of a session and answers everything else by the form, or by a refusal.

    Without a configured password everything passes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _configured or scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(_configured[0], scope, receive, send)
        else:
            await self._request(_configured[0], scope, receive, send)

    async def _request(self, login: Login, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path, cookie = request.url.path, request.cookies.get(COOKIE)
        if path == LOGIN_PATH:
            response = await _answer(login, request)
        elif path == LOGOUT_PATH:
            login.sessions.end(cookie)
            response = RedirectResponse(LOGIN_PATH, 303)
            response.delete_cookie(COOKIE)
        elif path == HEALTH_PATH or login.sessions.knows(cookie):
            await self._app(scope, receive, send)
            return
        elif request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            wanted = f"{path}?{request.url.query}" if request.url.query else path
            response = RedirectResponse(f"{LOGIN_PATH}?next={quote(wanted, safe='')}", 303)
        else:
            response = PlainTextResponse("expected a session, was none: open /login in a browser\n", 401)
        await response(scope, receive, send)

    async def _socket(self, login: Login, scope: Scope, receive: Receive, send: Send) -> None:
        cookie = HTTPConnection(scope).cookies.get(COOKIE)
        if not login.sessions.knows(cookie):
            await receive()  # the connect message: a close before the accept is answered with 403
            await send({"type": "websocket.close", "code": UNAUTHORISED})
            return
        watched = _Watched(login.sessions, cookie, receive, send)
        try:
            await self._app(scope, watched.receive, send)
        finally:
            watched.cancel()


class _Watched:
    """A socket whose reader is told that it was closed when the session has ended."""

    def __init__(self, sessions: Sessions, cookie: str | None, receive: Receive, send: Send) -> None:
        self._sessions, self._cookie, self._receive, self._send = sessions, cookie, receive, send
        self._next: asyncio.Future[Message] | None = None

    async def receive(self) -> Message:
        while self._sessions.knows(self._cookie):
            self._next = self._next or asyncio.ensure_future(self._receive())
            await asyncio.wait({self._next}, timeout=LOOK_S)
            if self._next.done():
                message, self._next = self._next.result(), None
                return message
        await self._send({"type": "websocket.close", "code": UNAUTHORISED})
        return {"type": "websocket.disconnect", "code": UNAUTHORISED}

    def cancel(self) -> None:
        if self._next is not None:
            self._next.cancel()


async def _answer(login: Login, request: Request) -> Response:
    wanted = _inside(request.query_params.get("next", "/"))
    if request.method != "POST":
        return _form(wanted, "")
    wait_s = login.tries.wait_s()
    if wait_s:
        again = f"Too many wrong passwords. The next one is looked at in {wait_s:.0f} s."
        return _form(wanted, again, 429, {"Retry-After": str(int(wait_s) + 1)})
    if not _is_own_page(request):
        return PlainTextResponse("expected a request of this page: open /login and try there\n", 403)
    if not login.accepts(await _password(request)):
        login.tries.failed()
        _log.warning("login refused client=%s", printable(request.client.host if request.client else "?"))
        return _form(wanted, "That is not the password. It is the value of COINDCX_DASHBOARD_PASSWORD.", 401)
    response = RedirectResponse(wanted, 303)
    response.set_cookie(COOKIE, login.sessions.begin(), httponly=True, samesite="lax", secure=login.is_secure)
    _log.info("login accepted client=%s", printable(request.client.host if request.client else "?"))
    return response


def _inside(address: str) -> str:
    # Only a path of this server: two slashes, or a backslash, would lead to another one.
    is_path = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if is_path else "/"


def _is_own_page(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


async def _password(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]


def _form(wanted: str, problem: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    page = _PAGE.replace("{{action}}", escape(f"{LOGIN_PATH}?next={quote(wanted, safe='')}", quote=True))
    return HTMLResponse(page.replace("{{problem}}", escape(problem)), status, {**_HEADERS, **(headers or {})})
