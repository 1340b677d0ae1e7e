"""aiohttp's protocol with answers and log lines of ours where a request cannot be read or a handler failed.

Its own repeat the bytes a client sent: they may hold a credential, or forge a line.
"""

import asyncio
import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from coindcx_feed.sidecar.audit import Audit

_log = logging.getLogger("coindcx_feed.sidecar")


class HttpHandler(web.RequestHandler):
    """One connection of a server.

    Args:
        options: aiohttp's, such as ``keepalive_timeout``.
    """

    __slots__ = ("_audit",)

    def __init__(self, server: web.Server, audit: Audit, **options: Any) -> None:
        options["access_log"] = None
        super().__init__(server, loop=asyncio.get_running_loop(), logger=_log, **options)
        self._audit = audit

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Say in one line what happened, without a byte of the request; the connection ends."""
        client = str(request.remote)
        if isinstance(exc, HttpProcessingError):
            text = f"expected HTTP, was a request that cannot be read ({type(exc).__name__})"
            self._audit.note("http", client, text)
        else:
            text = "expected an answer, was a failure of the server: its log tells more"
            _log.error("request failed client=%s", client, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has already begun")
        answer = web.json_response({"error": text}, status=status)
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer also what the library refuses before the guard saw it, an ``Expect`` header, in words of ours."""
        if isinstance(resp, web.HTTPException):
            text = f"expected a request without Expect or with 100-continue, was another ({resp.status})"
            self._audit.note("http", str(request.remote), text)
            resp = web.json_response({"error": text}, status=resp.status)
            resp.force_close()
        return await super().finish_response(request, resp, start_time)
