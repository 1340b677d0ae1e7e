"""Subscribe to a sidecar as an asynchronous iterator that reconnects and resumes."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple, Protocol

import aiohttp
from yarl import URL

from coindcx_feed.client.envelope import (
    EPOCH_CHANGED,
    RESUME_GAP,
    Envelope,
    error_of,
    parse_envelope,
    parse_greeting,
    shown,
)
from coindcx_feed.client.position import Position, Since
from coindcx_feed.errors import BadRequest, ClientError, ConfigError, NotAuthorized, OriginRefused
from coindcx_feed.exchange.backoff import Backoff

PATH: Final = "/api/v1/ws/coindcx"

_GREETING_S: Final = 15.0
_STABLE_S: Final = 10.0
"""A connection that lived so long resets the back-off."""
_FIRST_DELAY_S: Final = 1.0
_MOST_DELAY_S: Final = 30.0
_HEARTBEAT_S: Final = 30.0
_MOST_BYTES: Final = 16 * 1024 * 1024
_MOST_LINE_BYTES: Final = 4096
_KEEP_ALIVE: Final = frozenset({"ping", "pong"})
_FINAL_ERRORS: Final[dict[int, type[ClientError]]] = {
    400: BadRequest,
    401: NotAuthorized,
    403: OriginRefused,
    4500: NotAuthorized,
    4501: BadRequest,
    4502: NotAuthorized,
}

_MAY_PASS: Final = frozenset({408, 425, 429})
"""Refusals that end by themselves."""
_MOST_TOLD_S: Final = 300.0

_FILTERS: Final = frozenset({"types", "pairs", "sides", "statuses", "text", "price_min", "price_max"})
"""What an address may say besides the place. A position there would be asked for anew after every break."""

_log = logging.getLogger("coindcx_feed.client")


class Watcher(Protocol):
    """Told what happens to a subscription's connections, between events. What a method raises ends the subscription."""

    def greeted(self, data: Mapping[str, Any]) -> None:
        """A connection began; ``data`` is the greeting's."""

    def heard(self) -> None:
        """Something arrived, whatever it was."""

    def lost(self, problem: str, retry_s: float) -> None:
        """The connection ended, or none was made; another is tried after so many seconds."""


class Request(NamedTuple):
    """What is subscribed to. See ``events``.

    Without a message for ``proof_s`` the connection counts as lost; the server is asked for a ``sign`` of life before.
    ``most_delay_s`` bounds the pause between two tries.
    """

    address: URL
    filters: Mapping[str, str]
    token: str | None = None
    proof_s: float | None = None
    most_delay_s: float = _MOST_DELAY_S
    sign: str = "ping"


class _Ended(Exception):
    """The server closed the connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {code} {reason}")
        self.code = code


def request(
    url: str,
    types: Iterable[str] | None = None,
    pairs: Iterable[str] | None = None,
    token: str | None = None,
    proof_s: float | None = None,
) -> Request:
    """Check an address and build what is asked for.

    Raises:
        ConfigError: If ``url`` is no WebSocket address.
    """
    given = (("types", types), ("pairs", pairs))
    filters = {name: ",".join(names_of(names)) for name, names in given if names is not None}
    return Request(parse_address(url), filters, token, proof_s)


def names_of(names: str | Iterable[str]) -> list[str]:
    """Return names one by one, also those of a single text such as ``order,fill``: it would pass as its letters."""
    return names.split(",") if isinstance(names, str) else list(names)


async def events(
    url: str,
    since: Since | None = None,
    epoch: str | None = None,
    types: Iterable[str] | None = None,
    pairs: Iterable[str] | None = None,
    token: str | None = None,
) -> AsyncGenerator[Envelope, None]:
    """Yield messages for as long as the caller reads, across any number of connections.

    After a break it goes on behind the last event. What the server no longer has is told by a ``resume_gap`` message of
    type ``system`` without ``seq``, a new series of numbers by ``epoch_changed``; greetings and keep-alive are not
    yielded. Use ``contextlib.aclosing`` when the loop may be left early. ``connect`` gives the same as typed events.

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
    async with aclosing(subscribe(request(url, types, pairs, token), Position(since, epoch))) as envelopes:
        async for envelope in envelopes:
            yield envelope


async def subscribe(
    wanted: Request, position: Position, watcher: Watcher | None = None
) -> AsyncGenerator[Envelope, None]:
    """As ``events``, with the place kept by the caller: another subscription goes on where this one was left.

    Raises:
        ClientError: As ``events``.
    """
    backoff = Backoff(_FIRST_DELAY_S, wanted.most_delay_s)
    loop, token = asyncio.get_running_loop(), wanted.token
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"} if token else {}) as http:
        while True:
            began, told_s = loop.time(), 0.0
            target = wanted.address.update_query({**wanted.filters, **position.query()})
            try:
                async with http.ws_connect(target, heartbeat=_HEARTBEAT_S, max_msg_size=_MOST_BYTES) as ws:
                    if token is None:
                        await ws.send_str("ping")  # a server that wants a token says so now, not after 10 s of silence
                    async with aclosing(_messages(_Ear(ws, wanted, watcher), position)) as messages:
                        async for envelope in messages:
                            yield envelope
            except aiohttp.WSServerHandshakeError as refused:
                told_s = _told_s(refused)
                problem = await _refusal(http, target, refused.status)
            except _Ended as ended:
                problem = _unless_final(ended.code, str(ended))
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                problem = str(error) or type(error).__name__
            if loop.time() - began > _STABLE_S:
                backoff.reset()
            delay = max(backoff.next(), told_s)
            where = wanted.address.origin()
            _log.warning("not connected address=%s problem=%r retry_s=%.1f", where, problem, delay)
            if watcher is not None:
                watcher.lost(problem, delay)
            await asyncio.sleep(delay)


async def _messages(ear: "_Ear", position: Position) -> AsyncGenerator[Envelope, None]:
    epoch, mode = await _greeting(ear, position)
    while True:
        envelope = parse_envelope(await ear.next(), epoch, mode)
        position.settle()
        kind = envelope.get("type")
        if kind in _KEEP_ALIVE:
            continue
        if kind == "error":
            _log.warning("the sidecar did not understand a message answer=%r", envelope.get("data"))
            continue
        if "seq" in envelope:
            position.take_event(envelope["seq"])
        elif kind == "system" and envelope["data"].get("message") == RESUME_GAP:
            position.take_gap(envelope["data"].get("missed_to"))
        elif kind == "system" and envelope["data"].get("message") == EPOCH_CHANGED:
            envelope.epoch = epoch = str(envelope["data"]["epoch"])
            position.take_epoch(epoch)
        yield envelope


async def _greeting(ear: "_Ear", position: Position) -> tuple[str, str]:
    data = parse_greeting(await ear.first())
    position.take_greeting(data["epoch"], data["seq"])
    if ear.watcher is not None:
        ear.watcher.greeted(data)
    return data["epoch"], data["mode"]


class _Ear:
    """Hears one connection, and asks for a sign of life where silence is to be noticed."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, wanted: Request, watcher: Watcher | None) -> None:
        self._ws, self._proof_s, self._sign, self.watcher = ws, wanted.proof_s, wanted.sign, watcher

    async def first(self) -> bytes:
        return self._take(await self._ws.receive(_GREETING_S))

    async def next(self) -> bytes:
        if self._proof_s is None:
            return self._take(await self._ws.receive())
        try:
            return self._take(await self._ws.receive(self._proof_s / 3))
        except TimeoutError:
            await self._ws.send_str(self._sign)
        try:
            return self._take(await self._ws.receive(self._proof_s * 2 / 3))
        except TimeoutError:
            raise _Ended(1006, f"nothing was heard for {self._proof_s:g} s") from None

    def _take(self, message: aiohttp.WSMessage) -> bytes:
        if message.type is aiohttp.WSMsgType.TEXT:
            if self.watcher is not None:
                self.watcher.heard()
            return str(message.data).encode()
        if message.type is aiohttp.WSMsgType.CLOSE:
            raise _Ended(message.data, shown(message.extra or ""))
        raise _Ended(self._ws.close_code or 1006, "connection lost")


async def _refusal(http: aiohttp.ClientSession, target: URL, status: int) -> str:
    """Ask again as a plain request: the error of a handshake does not hold the server's line."""
    text, again = "", target.with_scheme({"ws": "http", "wss": "https"}[target.scheme])
    try:
        async with http.get(again, timeout=aiohttp.ClientTimeout(_GREETING_S)) as answer:
            if answer.status == status:
                text = error_of(await answer.content.read(_MOST_LINE_BYTES))
    except (aiohttp.ClientError, OSError, TimeoutError):
        text = ""
    return _unless_final(status, text or f"expected a WebSocket at {target.host}:{target.port}, was HTTP {status}")


def _told_s(refused: aiohttp.WSServerHandshakeError) -> float:
    """Return how long the server wants to be left alone, 0 where it does not say."""
    text = refused.headers.get("Retry-After", "") if refused.headers is not None else ""
    return min(float(text), _MOST_TOLD_S) if text.isdecimal() else 0.0


def _unless_final(code: int, message: str) -> str:
    """Return the message if coming back may help.

    Raises:
        ClientError: Of the kind that the code stands for.
    """
    if 4500 <= code <= 4999 or (300 <= code < 500 and code not in _MAY_PASS):
        raise _FINAL_ERRORS.get(code, ClientError)(message)
    return message


def parse_address(url: str) -> URL:
    """Read where a sidecar is; without a path the sidecar's own is taken.

    Raises:
        ConfigError: If it is no WebSocket address, or holds more than parts of the filter; never what it holds.
    """
    try:
        address = URL(url)
    except ValueError:
        address = URL()
    if address.scheme not in ("ws", "wss") or not address.host:
        raise ConfigError("expected an address like ws://127.0.0.1:8000, was another text: correct it")
    if address.user is not None or address.password is not None or not _FILTERS.issuperset(address.query):
        names = ", ".join(sorted(_FILTERS))
        raise ConfigError(f"expected an address with nothing but {names} in it, was more: leave it out")
    return address if address.path not in ("", "/") else address.with_path(PATH).with_query(address.query)
