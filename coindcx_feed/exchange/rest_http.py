"""One HTTP exchange: send, read a bounded reply, and name what went wrong. Knows nothing of retries or rows."""

import contextlib
import email.utils
from collections.abc import AsyncIterator, Mapping
from typing import Final, NamedTuple

import aiohttp
import msgspec

from coindcx_feed.errors import (
    BadReply,
    CredentialsRefused,
    NoReply,
    RateLimited,
    RequestRefused,
    RestError,
    ServerTrouble,
)
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.rest_clock import Clock

MAX_REPLY_BYTES: Final = 16 << 20
CONNECTIONS: Final = 4
"""Kept open to one host; the budget never needs more at once."""

_REQUEST_TIMEOUT = 408
_check_json = msgspec.json.Decoder(msgspec.Raw).decode


class Request(NamedTuple):
    """What to send. ``name`` is the read's, for messages; ``headers`` hold key and signature: never log them."""

    name: str
    method: str
    url: str
    query: Mapping[str, str]
    raw: bytes | None
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """What came, whatever its status. Times: our wall clock, Unix ms."""

    status: int
    text: bytes
    headers: Mapping[str, str]
    asked_ms: float
    received_ms: float

    @property
    def server_ms(self) -> float | None:
        """The reply's date, whole seconds; ``None`` without one, or when a cache wrote it some time ago."""
        try:
            date = email.utils.parsedate_to_datetime(self.headers.get("Date", ""))
        except (ValueError, TypeError, OverflowError):
            return None
        return None if self.headers.get("Age", "0") != "0" else date.timestamp() * 1000


class Http:
    """A pool of connections.

    Not opened, each request uses a connection of its own: right for one read now and then.

    Args:
        timeout_s: For the whole of one request.
    Threads: one loop.
    """

    def __init__(self, timeout_s: float, clock: Clock) -> None:
        self._timeout_s, self._clock = timeout_s, clock
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Keep connections from now on. Safe to call twice."""
        if self._session is None:
            self._session = self._new_session()

    async def close(self) -> None:
        """Close them. Safe to call twice, and before ``open``."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, request: Request) -> Answer:
        """Send once.

        Raises:
            NoReply: If no complete reply came within the time-out.
            BadReply: If it is larger than ``MAX_REPLY_BYTES``.
        """
        asked_ms = self._now_ms()
        try:
            async with (
                self._pool() as http,
                http.request(
                    request.method,
                    request.url,
                    params=request.query,
                    data=request.raw,
                    headers=request.headers,
                    # A redirect would carry key and signature to another address.
                    allow_redirects=False,
                ) as response,
            ):
                text = await _bounded(request.name, response)
                return Answer(response.status, text, response.headers, asked_ms, self._now_ms())
        except TimeoutError:
            what = f"{request.name}: expected a reply within {self._timeout_s:g} s, none came: check network and proxy"
            raise NoReply(what) from None
        except (aiohttp.ClientError, OSError, _LostError) as error:
            # The library's own text may hold the whole request.
            kind = error.kind if isinstance(error, _LostError) else type(error).__name__
            what = f"{request.name}: {request.url} cannot be reached ({kind}): check network and proxy"
            raise NoReply(what) from None

    def _new_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            trust_env=True,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            connector=aiohttp.TCPConnector(limit_per_host=CONNECTIONS),
            middlewares=[_send_once],
        )

    @contextlib.asynccontextmanager
    async def _pool(self) -> AsyncIterator[aiohttp.ClientSession]:
        if self._session is not None:
            yield self._session
            return
        async with self._new_session() as session:
            yield session

    def _now_ms(self) -> float:
        return self._clock.time_ns() / 1e6


class _LostError(Exception):
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    # The library repeats a GET by itself when a connection breaks: unseen by the budget, and with an old signature.
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _LostError(type(error).__name__) from None


async def _bounded(name: str, response: aiohttp.ClientResponse) -> bytes:
    # A single read() returns what has arrived, not all of it.
    text = bytearray()
    async for piece in response.content.iter_any():
        text += piece
        if len(text) > MAX_REPLY_BYTES:
            raise BadReply(
                f"{name}: expected at most {MAX_REPLY_BYTES:,} bytes, was more", response.status, bytes(text[:4096])
            )
    return bytes(text)


def check_answer(name: str, answer: Answer, retry_after_s: float | None = None) -> None:
    """Raise the error that an answer stands for; return if it is JSON with status 200.

    Raises:
        RestError: The subclass says whether asking again can help.
    """
    if answer.status == 401:
        raise CredentialsRefused(
            f"{name}: the exchange refused key or signature (401): check COINDCX_API_KEY and COINDCX_API_SECRET", 401
        )
    is_json = _is_json(answer.text)
    if answer.status != 200:
        raise _refusal(name, answer, is_json, retry_after_s)
    if not is_json:
        kind = answer.headers.get("Content-Type", "nothing").partition(";")[0]
        raise ServerTrouble(f"{name}: expected JSON, was {kind:.60}; a proxy or a challenge page is in between", 200)


def _refusal(name: str, answer: Answer, is_json: bool, retry_after_s: float | None) -> RestError:
    status = answer.status
    said = f" ({message})" if is_json and (message := _message_in(answer.text)) else ""
    text = f"{name}: expected HTTP 200, was {status}{said}"
    if status == 429:
        return RateLimited(f"{text}: too many requests", retry_after_s=retry_after_s)
    # A page instead of the exchange's own error comes from what stands before it, and may pass.
    if status >= 500 or status == _REQUEST_TIMEOUT or (status == 403 and not is_json):
        return ServerTrouble(text, status)
    return RequestRefused(text, status)


def _is_json(text: bytes) -> bool:
    try:
        _check_json(text)
    except (ValueError, RecursionError):
        return False
    return True


def _message_in(text: bytes) -> str:
    try:
        parsed = parse_exact(text)
    except (ValueError, RecursionError):
        return ""
    message = parsed.get("message") if isinstance(parsed, dict) else None
    return message[:160] if isinstance(message, str) else ""
