"""Faults of the REST hosts: failures, the rate limit, a clock that is off, and the list of calls."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final, NamedTuple

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from coindcx_feed.simulator.behaviour import Behaviour, RestFailure
from coindcx_feed.simulator.line import Gate

CALLS_KEPT: Final = 10_000
_HOSTS: Final = ("/exchange/", "/api/", "/market_data/")
_OWN: Final = "/simulator"
# The first line of Cloudflare's page is all that clients have to tell it by, beside the content type.
_CHALLENGE: Final = '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body></body></html>'


class RestCall(NamedTuple):
    """One call of the REST hosts; ``status`` is 0 if no reply was sent."""

    mono_s: float
    method: str
    path: str
    status: int


@dataclass(slots=True)
class _Planned:
    kind: RestFailure
    left: int
    path: str


class RestFaults:
    """Stands before every route of the REST hosts.

    Attributes:
        calls: Calls so far, oldest first.
    """

    def __init__(self, behaviour: Behaviour, gate: Gate) -> None:
        self.calls: deque[RestCall] = deque(maxlen=CALLS_KEPT)
        self._behaviour = behaviour
        self._gate = gate
        self._plan: list[_Planned] = []
        self._window_s = 0.0
        self._used = 0
        self._stopping = asyncio.Event()

    def fail(self, kind: RestFailure, count: int, path: str) -> None:
        """Let the next calls fail whose path contains a text."""
        self._plan.append(_Planned(kind, count, path))

    def stop(self) -> None:
        """Let calls go that wait for ever."""
        self._stopping.set()

    def middleware(self) -> Middleware:
        """Return the server's middleware."""

        @web.middleware
        async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(_OWN):
                return await handler(request)
            await self._gate.passed()
            if not request.path.startswith(_HOSTS):
                return await handler(request)
            return await self._handle(request, handler)

        return handle

    async def _handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        limits = self._limits()
        status = 0
        try:
            response = await self._answer(request, handler, self._failure(request.path, limits))
            is_cut = request.transport is None or request.transport.is_closing()
            status = 0 if is_cut else response.status
        finally:
            self.calls.append(RestCall(time.monotonic(), request.method, request.path, status))
        response.headers.update(limits)
        if self._behaviour.clock_skew_ms:
            response.headers[hdrs.DATE] = formatdate(time.time() + self._behaviour.clock_skew_ms / 1000, usegmt=True)
        await self._gate.passed()
        return response

    def _limits(self) -> dict[str, str]:
        # Headers in the form the live API sends on two of its paths.
        limit, window_s = self._behaviour.rest_limit, self._behaviour.rest_window_s
        if limit is None:
            return {}
        now_s = time.monotonic()
        if now_s - self._window_s >= window_s:
            self._window_s, self._used = now_s, 0
        self._used += 1
        reset_s = self._window_s + window_s - now_s
        return {
            "ratelimit": f"limit={limit}, remaining={max(limit - self._used, 0)}, reset={max(round(reset_s), 1)}",
            "ratelimit-policy": f"{limit};w={window_s:g}",
        }

    def _failure(self, path: str, limits: dict[str, str]) -> RestFailure | None:
        for planned in self._plan:
            if planned.left > 0 and planned.path in path:
                planned.left -= 1
                return planned.kind
        if limits and self._behaviour.rest_limit is not None and self._used > self._behaviour.rest_limit:
            return "429"
        return self._behaviour.rest_failure

    async def _answer(self, request: web.Request, handler: Handler, kind: RestFailure | None) -> web.StreamResponse:
        if kind is None:
            return await handler(request)
        if kind == "timeout":
            await self._stopping.wait()
        if kind == "reset" and request.transport is not None:
            request.transport.abort()
        return _failed(kind)


def _failed(kind: RestFailure) -> web.Response:
    if kind == "empty":
        return web.json_response([])
    if kind == "html":
        return web.Response(
            text=_CHALLENGE, status=403, content_type="text/html", headers={"cf-mitigated": "challenge"}
        )
    status = int(kind) if kind.isdigit() else 503
    messages = {500: "", 503: "Service Unavailable", 429: "Too many requests"}
    headers = {"ratelimit": "limit=60, remaining=0, reset=1", "ratelimit-policy": "60;w=60"} if status == 429 else {}
    return web.json_response(
        {"status": "error", "message": messages[status], "code": status}, status=status, headers=headers
    )
