"""One connection to the exchange's Socket.IO server: open, join, stamp what arrives, say why it ended."""

import asyncio
import contextlib
import logging
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import socketio
from socketio import exceptions

from coindcx_feed.errors import ProtocolMismatch, UpstreamError
from coindcx_feed.exchange import codec, wire

log = logging.getLogger(__name__)

MAX_FRAME_BYTES: Final = 16 << 20
CLOSE_S: Final = 2.0
TURN: Final = 50
"""Events taken before other tasks of the loop get their turn."""

Receive = Callable[[str, object], None]
"""Takes the event name and its argument. Called on the loop, in order of arrival; must not wait."""


class _EventSocket(aiohttp.ClientWebSocketResponse):
    """Takes the events off before the library sees them; handshake, pings and disconnects pass through.

    The library would spend a task and a timer on each event (30 of 45 microseconds), and a packet that is not JSON
    would end in its log. Here also every frame can be seen, pings included: each one proves the transport alive.
    """

    session: "Session"

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:
        taken = 0
        while True:
            message = await super().receive(timeout)
            if not self.session.take(message):
                return message
            taken += 1
            if taken % TURN == 0:  # frames that have arrived already are read without a pause
                await asyncio.sleep(0)


class Session:
    """A single use connection. All methods run on one loop.

    Args:
        url: ``wss://`` address of the exchange.
        receive: Gets every event, whatever its name.
    """

    def __init__(self, url: str, receive: Receive) -> None:
        self._url = url
        self._receive = receive
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._close_code: int | None = None
        self._is_old_dialect = False
        self.last_frame_mono = time.monotonic()
        stamped = type("_Socket", (_EventSocket,), {"session": self})
        self._http = aiohttp.ClientSession(trust_env=True, ws_response_class=stamped)
        self._client = socketio.AsyncClient(
            reconnection=False,
            http_session=self._http,
            json=codec,
            handle_sigint=False,
            websocket_extra_options={"max_msg_size": MAX_FRAME_BYTES, "proxy": proxy_for(url), "compress": 0},
        )

    async def open(self, timeout_s: float) -> None:
        """Connect by WebSocket only; the exchange's long-polling does not work.

        Raises:
            UpstreamError: With the cause: name, network, certificate, HTTP status or silence.
            ProtocolMismatch: If the peer answers but does not complete the handshake, or completes an older one.
        """
        self._client.on("*", self._on_event)
        self._client.on("disconnect", self._on_disconnect)
        try:
            async with asyncio.timeout(timeout_s):
                await self._client.connect(
                    self._url, transports=["websocket"], socketio_path=wire.SOCKETIO_PATH, wait_timeout=timeout_s
                )
        except TimeoutError:
            raise UpstreamError(f"expected {self._url} to accept within {timeout_s:g} s, no answer came") from None
        except exceptions.ConnectionError as error:
            raise _explained(self._url, error) from None
        except (ValueError, KeyError, TypeError, AttributeError, aiohttp.ClientError, OSError) as error:
            raise ProtocolMismatch(
                f"expected Engine.IO 4 from {self._url}, the handshake failed with {type(error).__name__}"
            ) from None
        if self._is_old_dialect:
            raise ProtocolMismatch(
                f"expected Engine.IO 4 (Socket.IO 3 or later) from {urlsplit(self._url).netloc}, was Engine.IO 3 "
                "(Socket.IO 2): check COINDCX_STREAM_URL, this client speaks only the newer one"
            )

    async def join(self, payload: dict[str, str]) -> None:
        """Send a join. Nothing acknowledges it; the payload may hold a signature and is never logged.

        Raises:
            UpstreamError: If the connection is gone.
        """
        try:
            await self._client.emit("join", payload)
        except exceptions.SocketIOError as error:
            raise UpstreamError(f"the connection ended before the join: {error}") from None

    async def leave(self, channel: str) -> None:
        with contextlib.suppress(exceptions.SocketIOError):
            await self._client.emit("leave", {"channelName": channel})

    async def wait_closed(self, timeout_s: float) -> str | None:
        """Wait for the end and return its cause, or ``None`` when it did not come in time."""
        done, _ = await asyncio.wait([self._ended], timeout=timeout_s)
        return self._ended.result() if done else None

    async def close(self) -> None:
        """Leave within ``CLOSE_S``, also when the peer is dead."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._client.disconnect()
        except (TimeoutError, OSError, exceptions.SocketIOError, aiohttp.ClientError) as error:
            log.info("session close_error=%s", type(error).__name__)
        finally:
            await self._client.shutdown()
            await self._http.close()

    def take(self, message: aiohttp.WSMessage) -> bool:
        """Hand on the event in a WebSocket message; return whether it was one."""
        if message.type is aiohttp.WSMsgType.TEXT:
            self.last_frame_mono = time.monotonic()
            text = message.data
            # "42" is an event of the default namespace; a digit would begin an id, a slash another namespace.
            if text.startswith("42") and text[2:3] not in _LIBRARY:
                self._receive(*codec.parse_event(text[2:]))
                return True
            # The library takes a greeting without a session id for its own, and is thrown out half a second later.
            self._is_old_dialect = self._is_old_dialect or text == "40"
        elif message.type is aiohttp.WSMsgType.CLOSE:
            self._close_code = message.data
        return False

    def _on_event(self, event: str, *arguments: Any) -> None:
        self._receive(event, arguments[0] if len(arguments) == 1 else list(arguments))

    def _on_disconnect(self, reason: str = "") -> None:
        if not self._ended.done():
            code = f" ({self._close_code})" if self._close_code else ""
            self._ended.set_result(_CAUSES.get(reason, reason or "connection lost") + code)


_LIBRARY: Final = frozenset("0123456789/")

_CAUSES: Final = {
    "server disconnect": "the exchange ended the session",
    "transport error": "the connection broke",
    "transport close": "the connection was closed",
    "ping timeout": "the exchange stopped answering",
    "client disconnect": "closed here",
}


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment (``HTTPS_PROXY``, ``NO_PROXY``) names for an address.

    aiohttp would look for ``WSS_PROXY``, which nobody sets.
    """
    parts = urlsplit(url)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    scheme = "https" if parts.scheme in ("wss", "https") else "http"
    return urllib.request.getproxies().get(scheme)


def _explained(url: str, error: BaseException) -> UpstreamError:
    cause = error.__cause__ or error.__context__
    while isinstance(cause, exceptions.ConnectionError) or (cause is not None and not _is_network(cause)):
        cause = cause.__cause__ or cause.__context__
    host = urlsplit(url).netloc
    match cause:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return UpstreamError(
                f"the certificate of {host} is not trusted: check the clock, the proxy or SSL_CERT_FILE"
            )
        case aiohttp.ClientConnectorDNSError():
            return UpstreamError(f"the name {host} cannot be resolved: check the network and the address")
        case aiohttp.WSServerHandshakeError():
            return UpstreamError(f"expected {host} to open a WebSocket, was HTTP {cause.status}")
        case aiohttp.ClientConnectorError():
            return UpstreamError(f"{host} cannot be reached: {cause.os_error.strerror or 'connection failed'}")
    if "OPEN packet" in str(error) or "namespaces" in str(error) or cause is None:
        return ProtocolMismatch(f"expected Socket.IO (Engine.IO 4) from {host}: {error}")
    return UpstreamError(f"{host} cannot be reached: {type(cause).__name__}")


def _is_network(error: BaseException) -> bool:
    return isinstance(error, aiohttp.ClientError | OSError)
