"""Subscribe to a sidecar as an asynchronous iterator that reconnects and resumes."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from decimal import Decimal
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from coindcx_feed.client.position import Position, Since
from coindcx_feed.errors import BadRequest, ClientError, ConfigError, NotAuthorized, OriginRefused
from coindcx_feed.exchange.backoff import Backoff

PATH: Final = "/api/v1/ws/coindcx"
GREETING: Final = "Connected to CoinDCX WebSocket bridge"

_GREETING_S: Final = 15.0
_STABLE_S: Final = 10.0
"""A connection that lived so long resets the back-off."""
_FIRST_DELAY_S: Final = 1.0
_MOST_DELAY_S: Final = 30.0
_HEARTBEAT_S: Final = 30.0
_MOST_BYTES: Final = 16 * 1024 * 1024
_KEEP_ALIVE: Final = frozenset({"ping", "pong"})
_FINAL_ERRORS: Final[dict[int, type[ClientError]]] = {
    400: BadRequest,
    401: NotAuthorized,
    403: OriginRefused,
    4500: NotAuthorized,
    4501: BadRequest,
    4502: OriginRefused,
}

_log = logging.getLogger("coindcx_feed.client")
# Numbers with a point become Decimal: a binary float would round the exchange's money.
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


class Envelope(dict[str, Any]):
    """One message, decoded; numbers with a point are ``Decimal``.

    Attributes:
        raw: The message as received, UTF-8.
        epoch: Series of its ``seq``, from the greeting.
        mode: ``live``, ``demo`` or ``custom``, from the greeting.
    """

    __slots__ = ("epoch", "mode", "raw")

    def __init__(self, raw: bytes, epoch: str = "", mode: str = "") -> None:
        super().__init__(_decode(raw))
        self.raw = raw
        self.epoch = epoch
        self.mode = mode


class _Ended(Exception):
    """The server closed the connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {code} {reason}")
        self.code = code


async def events(
    url: str,
    since: Since | None = None,
    epoch: str | None = None,
    types: Iterable[str] | None = None,
    pairs: Iterable[str] | None = None,
    token: str | None = None,
) -> AsyncGenerator[Envelope, None]:
    """Yield events for as long as the caller reads, across any number of connections.

    After a break it goes on behind the last event. What the server no longer has is told by a ``resume_gap`` message of
    type ``system`` without ``seq``, a new series of numbers by ``epoch_changed``; greetings and keep-alive are not
    yielded. Use ``contextlib.aclosing`` when the loop
    may be left early.

    Args:
        url: ``ws://host:port``; without a path the sidecar's is taken.
        since: Last ``seq`` seen (with its ``epoch``), or ``earliest``; ``None`` means from now on.
        types: Names of types, ``all`` for both feeds; ``None`` means the account feed.
        pairs: Filters the types that have a pair.
        token: Sent as a header, never in the address.
    Raises:
        ConfigError: If ``url`` is no WebSocket address.
        ClientError: When trying again cannot help: refused request, wrong token, no sidecar at this address.
    """
    address = _address(url)
    filters = {name: ",".join(names) for name, names in (("types", types), ("pairs", pairs)) if names is not None}
    position, backoff = Position(since, epoch), Backoff(_FIRST_DELAY_S, _MOST_DELAY_S)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"} if token else {}) as http:
        while True:
            began = loop.time()
            target = address.update_query(filters | position.query())
            try:
                async with http.ws_connect(target, heartbeat=_HEARTBEAT_S, max_msg_size=_MOST_BYTES) as ws:
                    if token is None:
                        await ws.send_str("ping")  # a server that wants a token says so now, not after 10 s of silence
                    async with aclosing(_messages(ws, position)) as messages:
                        async for envelope in messages:
                            yield envelope
            except aiohttp.WSServerHandshakeError as refused:
                problem = await _refusal(http, target, refused.status)
            except _Ended as ended:
                problem = _unless_final(ended.code, str(ended))
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                problem = str(error) or type(error).__name__
            if loop.time() - began > _STABLE_S:
                backoff.reset()
            delay = backoff.next()
            _log.warning("not connected address=%s problem=%r retry_s=%.1f", address, problem, delay)
            await asyncio.sleep(delay)


async def _messages(ws: aiohttp.ClientWebSocketResponse, position: Position) -> AsyncGenerator[Envelope, None]:
    epoch, mode = await _greeting(ws, position)
    while True:
        envelope = _parse(await _receive(ws), epoch, mode)
        kind = envelope.get("type")
        if kind in _KEEP_ALIVE:
            continue
        if kind == "error":
            _log.warning("the sidecar did not understand a message answer=%r", envelope.get("data"))
            continue
        if "seq" in envelope:
            position.take_event(envelope["seq"])
        elif kind == "system" and envelope["data"].get("message") == "resume_gap":
            position.take_gap(envelope["data"].get("missed_to"))
        elif kind == "system" and envelope["data"].get("message") == "epoch_changed":
            epoch = str(envelope["data"]["epoch"])
            position.take_epoch(epoch)
        yield envelope


async def _greeting(ws: aiohttp.ClientWebSocketResponse, position: Position) -> tuple[str, str]:
    data = _parse(await _receive(ws, _GREETING_S)).get("data")
    if not isinstance(data, dict) or data.get("message") != GREETING or "epoch" not in data:
        raise ClientError("expected the greeting of a CoinDCX sidecar, was another message: check the address")
    position.take_greeting(data["epoch"], data["seq"])
    return str(data["epoch"]), str(data["mode"])


async def _receive(ws: aiohttp.ClientWebSocketResponse, timeout_s: float | None = None) -> bytes:
    message = await ws.receive(timeout_s)
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data).encode()
    if message.type is aiohttp.WSMsgType.CLOSE:
        raise _Ended(message.data, message.extra or "")
    raise _Ended(ws.close_code or 1006, "connection lost")


def _parse(raw: bytes, epoch: str = "", mode: str = "") -> Envelope:
    try:
        return Envelope(raw, epoch, mode)
    except msgspec.DecodeError:
        raise ClientError("expected JSON messages of a CoinDCX sidecar, was other text: check the address") from None


async def _refusal(http: aiohttp.ClientSession, target: URL, status: int) -> str:
    """Ask again as a plain request: the error of a handshake does not hold the server's line."""
    text = ""
    try:
        async with http.get(target.with_scheme({"ws": "http", "wss": "https"}[target.scheme])) as answer:
            if answer.status == status:
                text = str(_decode(await answer.read()).get("error", ""))
    except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError):
        text = ""
    return _unless_final(status, text or f"expected a WebSocket at {target.host}:{target.port}, was HTTP {status}")


def _unless_final(code: int, message: str) -> str:
    """Return the message if coming back may help.

    Raises:
        ClientError: Of the kind that the code stands for.
    """
    if 4500 <= code <= 4999 or 300 <= code < 500:
        raise _FINAL_ERRORS.get(code, ClientError)(message)
    return message


def _address(url: str) -> URL:
    try:
        address = URL(url)
    except ValueError:
        address = URL()
    if address.scheme not in ("ws", "wss") or not address.host:
        raise ConfigError("expected an address like ws://127.0.0.1:8000, was another text: correct it")
    return address if address.path not in ("", "/") else address.with_path(PATH)
