"""The conversation with one client: proof, greeting, what it says, keep-alive, and its end.

Everything is written to the transport directly, so that one figure tells what is unsent, and the close handshake waits
for the peer: aiohttp's own would drop the connection before the peer has read the code.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import WSMessage, WSMsgType, web

from coindcx_feed.errors import BadRequest, NotAuthorized
from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar import protocol
from coindcx_feed.sidecar.callers import Caller
from coindcx_feed.sidecar.codes import REASONS, CloseCode
from coindcx_feed.sidecar.fanout import Fanout, Reader
from coindcx_feed.sidecar.frames import PING_FRAME, close_frame, pong_frame, text_frame
from coindcx_feed.sidecar.identity import NOBODY, Identity
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import Query
from coindcx_feed.sidecar.resume import Past, begin, epoch_at, epochs
from coindcx_feed.sidecar.subscription import ANSWERS, Change

_log = logging.getLogger("coindcx_feed.sidecar")

_REASON_BYTES: Final = 123
_OURS: Final = frozenset(CloseCode)
_ENDED: Final = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})

Status = Callable[[], Mapping[str, object]]
"""Gives at least ``mode``, ``state`` and ``connected``; called on the loop's thread."""

Admit = Callable[[str, Caller], Identity]
"""Judges a credential; raises ``NotAuthorized``."""


@dataclass(frozen=True)
class Shared:
    """What all clients of one server have in common."""

    ring: Ring
    status: Status
    admit: Admit
    limits: Limits
    fanout: Fanout
    past: Past | None = None


class Session:
    """One client from the upgrade to its end.

    Args:
        identity: ``NOBODY`` when a credential is configured and the handshake carried none.
        asked: Names that stood in the address.
    """

    def __init__(
        self,
        shared: Shared,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        query: Query,
        *,
        caller: Caller,
        identity: Identity,
        asked: frozenset[str] = frozenset(),
    ) -> None:
        self._shared = shared
        self._limits = shared.limits
        self._ws = ws
        self._transport = transport
        self._query = query
        self._loop = asyncio.get_running_loop()
        self._began_at = self._heard_at = self._loop.time()
        self._ping_at = self._began_at + self._limits.ping_s
        self._unanswered = 0
        self._cut_off: asyncio.TimerHandle | None = None
        self._asked = asked
        self.caller = caller
        self.client = caller.shown
        self.identity = identity
        self.reader: Reader | None = None
        self.code: CloseCode | None = None
        self._reason: str | None = None
        self.done = asyncio.Event()

    @property
    def is_proven(self) -> bool:
        return self.identity is not NOBODY

    @property
    def end_code(self) -> CloseCode | None:
        """The code this side ended the connection with, ``None`` when the client left by itself."""
        code = self.code or self._ws.close_code
        return CloseCode(code) if code in _OURS else None

    @property
    def end_reason(self) -> str:
        """Why, for the log; with the figures that are in force."""
        code = self.end_code
        return self._reason or ("" if code is None else self._limits.reasons.get(code, REASONS[code]))

    async def run(self) -> None:
        """Serve the client until its connection ends. Call once, in the request's task."""
        deadline = self._loop.call_later(self._limits.auth_s, self._give_up_waiting)
        try:
            if self.is_proven:
                self._join()
            while (message := await self._ws.receive()).type not in _ENDED:
                self._hear(message)
            if message.type is WSMsgType.CLOSE and self.code is None:
                self._transport.write(close_frame(1000))
        finally:
            deadline.cancel()
            self._end()

    def close(self, code: CloseCode, reason: str | None = None) -> None:
        """Begin the close handshake; after ``grace_s`` without an answer the connection is cut.

        Args:
            reason: Instead of the code's own; cut to what a close frame may carry.
        """
        if self.code is not None:
            return
        self.code, self._reason = code, reason or self._limits.reasons.get(code, REASONS[code])
        self._leave()
        self._transport.write(close_frame(code, self._reason.encode()[:_REASON_BYTES]))
        self._cut_off = self._loop.call_later(self._limits.grace_s, self._transport.abort)

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()

    def tell(self, payload: bytes) -> None:
        """Send a message without a number, if the client is served."""
        if self.reader is not None and self.code is None:
            self._send(payload)

    def keep_alive(self, now: float) -> None:
        """Send the pings that are due, or close a client that does not answer them. ``now`` is the loop's time."""
        if self.reader is None or self.code is not None:
            return
        if self.identity.is_over(time.time()):
            self.close(CloseCode.EXPIRED)
            return
        if now >= self._ping_at:
            # Counted in pings, not seconds: a process that was frozen for a minute must not blame its clients.
            self._unanswered += 1
            if self._unanswered >= self._limits.missed_pings:
                self.close(CloseCode.IDLE)
                return
            self._ping_at = now + self._limits.ping_s
            self._transport.write(PING_FRAME)
        if now - max(self._heard_at, self.reader.sent_at) >= self._limits.idle_s:
            self._send(protocol.ping())

    def _join(self) -> None:
        shared, query = self._shared, self._query
        status = shared.status()
        is_connected, mode = bool(status["connected"]), str(status["mode"])
        start = begin(shared.ring, query, shared.past)
        self.reader = Reader(self._transport, query.wants, start.seq, self._close_slow)
        self._send(
            protocol.greeting(is_connected=is_connected, mode=mode, epoch=shared.ring.epoch, seq=shared.ring.version)
        )
        if start.gap is not None:
            self._send(start.gap)
        older = epoch_at(epochs(shared.ring, shared.past), start.seq + 1)
        if older is not None and older[1] != shared.ring.epoch and older[0] != start.seq + 1:
            self._send(protocol.epoch_changed(older[1], older[0]))
        shared.fanout.add(self.reader)
        types = ",".join(sorted(query.wants.types))
        _log.info(
            "client joined client=%s as=%s types=%s since=%s", self.client, self.identity.name, types, query.since
        )

    def _leave(self) -> None:
        if self.reader is not None:
            self._shared.fanout.remove(self.reader)

    def _hear(self, message: WSMessage) -> None:
        if self.code is not None:
            return
        if message.type is WSMsgType.PONG:
            self._unanswered = 0
            return
        self._heard_at = self._loop.time()
        if message.type is WSMsgType.PING:
            self._write(pong_frame(bytes(message.data)))
        elif message.type is WSMsgType.BINARY:
            self.close(CloseCode.BINARY)
        elif self.is_proven:
            self._answer(message.data)
        else:
            self._check(message.data)

    def _check(self, text: str) -> None:
        try:
            said = protocol.parse_message(text)
        except BadRequest:
            said = None
        if not isinstance(said, protocol.Auth):
            self.close(CloseCode.UNAUTHORIZED)
            return
        try:
            self.identity = self._shared.admit(said.token, self.caller)
            self._query = self._query._replace(wants=self.identity.narrow(self._query.wants, self._asked))
        except NotAuthorized as problem:
            self.close(CloseCode.UNAUTHORIZED, str(problem))
        else:
            self._join()

    def _answer(self, text: str) -> None:
        try:
            said = protocol.parse_message(text)
            if said == "ping":
                self._send(protocol.pong())
            elif isinstance(said, Change) and self.reader is not None:
                self._change(said, self.reader)
        except (BadRequest, NotAuthorized) as problem:
            self._send(protocol.error(str(problem)))

    def _change(self, change: Change, reader: Reader) -> None:
        """Answer first, then what follows from it: events before the answer are of the former subscription."""
        shared, gap = self._shared, None
        if change.action == "resume":
            seq, gap = begin(shared.ring, change.position(reader.wants), shared.past)
            shared.fanout.move(reader, seq)
        else:
            wants = self.identity.narrow(change.applied(reader.wants), ("types", "pairs"))
            seq = shared.fanout.change(reader, wants)
        known = epochs(shared.ring, shared.past)
        at = epoch_at(known, seq) or epoch_at(known, seq + 1)
        epoch = shared.ring.epoch if at is None else at[1]
        self._send(protocol.changed(ANSWERS[change.action], reader.wants.to_mapping(), seq, epoch))
        if gap is not None:
            self._send(gap)
        _log.info("subscription changed client=%s action=%s seq=%d", self.client, change.action, seq)

    def _give_up_waiting(self) -> None:
        if not self.is_proven:
            self.close(CloseCode.UNAUTHORIZED)

    def _close_slow(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        _log.warning("client does not read client=%s unsent_bytes=%d", self.client, unsent)
        self.close(CloseCode.SLOW)

    def _send(self, payload: bytes) -> None:
        self._write(text_frame(payload))

    def _write(self, frame: bytes) -> None:
        if self._transport.get_write_buffer_size() > self._limits.unsent_bytes:
            self._close_slow()
        elif self.reader is not None:
            self.reader.write(frame, self._loop.time())
        else:
            self._transport.write(frame)

    def _end(self) -> None:
        self._leave()
        self._transport.close()
        if self._transport.get_write_buffer_size() == 0:
            if self._cut_off is not None:
                self._cut_off.cancel()
        elif self._cut_off is None:
            self._loop.call_later(self._limits.grace_s, self._transport.abort)
        code = self.code or self._ws.close_code
        seconds = self._loop.time() - self._began_at
        _log.info("client closed client=%s code=%s after_s=%.1f", self.client, code, seconds)
        self.done.set()
