"""The one route of the dashboard that serves account data: the tape's WebSocket.

The middleware has checked Host and Origin; here a ticket is redeemed before the upgrade. It travels as a second
subprotocol, because addresses are logged. The route has a cursor over the ring and no queue: what one tape does not
read costs the others nothing.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from coindcx_feed.feed.process import process_service
from coindcx_feed.feed.tasks import end_tasks
from coindcx_feed.tickets import Grant, process_tickets
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.tape_cards import card

PATH: Final = "/live/tape"
PROTOCOL: Final = "coindcx.tape.1"
MOST: Final = 100
"""Cards in one message and on the page."""
FAST_PER_S: Final = 60
"""Up to so many events in a second each is sent at once."""
SLOW_S: Final = 0.1
LEAST_S: Final = 0.008
"""Between two reads: events outside the filter wake a tape as well."""
HEARTBEAT_S: Final = 4.0
SEND_S: Final = 10.0
"""A reader that takes nothing for so long is let go."""
LIFE_S: Final = 900.0
"""Then a new ticket is needed, so that a tape does not outlive the session that asked for it by more."""
RENEW: Final = 4000
REFUSED: Final = 1008
TOO_SLOW: Final = 4001

_log = logging.getLogger("coindcx_feed.tape")
_encode = msgspec.json.Encoder().encode

Message = dict[str, Any]


class Pace:
    """Says how long to wait before the next read: hardly, or so that it comes to ten a second.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: deque[tuple[float, int]] = deque()
        self._count = 0

    def after(self, events: int) -> float:
        """Return the least seconds from now to the next read.

        Args:
            events: How many new ones the last read found.
        """
        now = self._clock()
        self._recent.append((now, events))
        self._count += events
        while self._recent[0][0] <= now - 1.0:
            self._count -= self._recent.popleft()[1]
        return SLOW_S if self._count > FAST_PER_S else LEAST_S


class Follower:
    """One tape's cursor. Reads of one follower come one after the other; they may run in any thread.

    Args:
        service: The feed's service.
        grant: What the ticket allows to see, and how: ``criteria``, ``after``, ``upto``, ``zone`` and ``is_indian``.
        seq: Last number the page has seen.
        epoch: Its series; a position that cannot be gone on from begins anew.
    """

    def __init__(self, service: Any, grant: Grant, seq: int | None = None, epoch: str = "") -> None:
        self._service = service
        self._grant = grant
        self._zone = _zone(grant["zone"])
        self._seq = seq if seq is not None and service.continues(seq, epoch) else None

    def read(self, *, is_due: bool) -> Message | None:
        """Return what is new, newest first, with what was left out.

        Args:
            is_due: Answer even when there is nothing new: the page hears that the tape lives.
        Returns:
            Cards, the position after them, ``left_out`` (matching events beyond the newest hundred), ``lost`` (events
            that are no longer in memory, whatever they were), ``anew`` (replace what is shown); or ``None``.
        """
        service, grant, seq = self._service, self._grant, self._seq
        fmt.group_rupees(grant["is_indian"])  # each read has a context of its own
        upto = grant["upto"] if seq is None else None
        after = grant["after"] if seq is None else max(seq, grant["after"])
        epoch = service.epoch()
        found = service.select(grant["criteria"], limit=MOST, upto=upto, after=after)
        self._seq = max(found["newest"], seq or 0)
        if seq is not None and not found["rows"] and not is_due:
            return None
        now_ms = service.status()["now_ms"]
        return {
            "seq": self._seq,
            "epoch": epoch,
            "cards": [card(row, self._zone, now_ms) for row in found["rows"]],
            # The first picture is the newest hundred by intention: nothing is left out of it.
            "left_out": 0 if seq is None else found["matching"] - len(found["rows"]),
            "lost": 0 if seq is None else max(0, found["newest"] - found["kept"] - seq),
            "anew": seq is None,
        }


async def tape(socket: WebSocket) -> None:
    """Serve one tape until it leaves, does not read, or its time is over."""
    grant = _granted(socket)
    if grant is None:
        await socket.close(REFUSED)  # before it is accepted: 403, no connection
        return
    seq, epoch = _position(socket)
    service = process_service()
    follower = Follower(service, grant, seq, epoch)
    await socket.accept(subprotocol=PROTOCOL)
    news, began = asyncio.Event(), time.monotonic()
    stop = service.listen(asyncio.get_running_loop(), news)
    leaving = asyncio.create_task(_left(socket), name="tape-left")
    writing = asyncio.create_task(_write(socket, follower, news), name="tape-write")
    try:
        await asyncio.wait([leaving, writing], timeout=LIFE_S, return_when=asyncio.FIRST_COMPLETED)
        code = TOO_SLOW if writing.done() else REFUSED if leaving.done() and leaving.result() else RENEW
        is_gone = leaving.done() and not leaving.result()
    finally:
        stop()
        results = await end_tasks(leaving, writing)
    if not is_gone:
        await _close(socket, code)
    _log.info("tape closed resumed=%s after_s=%.1f", seq is not None, time.monotonic() - began)
    for result in results:
        # Whoever is gone, or was closed because a session ended, cannot be written to: no failure of ours.
        if isinstance(result, Exception) and not is_gone and not isinstance(result, WebSocketDisconnect | TimeoutError):
            raise result


def _granted(socket: WebSocket) -> Grant | None:
    offered = socket.scope.get("subprotocols") or []
    if len(offered) != 2 or offered[0] != PROTOCOL:
        return None
    return process_tickets().redeem(offered[1])


def _position(socket: WebSocket) -> tuple[int | None, str]:
    since, epoch = socket.query_params.get("since", ""), socket.query_params.get("epoch", "")
    is_number = since.isascii() and since.isdigit() and len(since) <= 15
    return (int(since) if is_number else None), epoch[:64]


async def _left(socket: WebSocket) -> bool:
    """Wait until the page is gone; true when it said something instead: a tape only listens."""
    message = await socket.receive()
    return bool(message["type"] != "websocket.disconnect")


async def _write(socket: WebSocket, follower: Follower, news: asyncio.Event) -> None:
    pace, is_due, loop = Pace(), True, asyncio.get_running_loop()
    while True:
        news.clear()
        asked = loop.time()
        message = await asyncio.to_thread(follower.read, is_due=is_due)
        count = 0
        if message is not None:
            count = 0 if message["anew"] else len(message["cards"]) + message["left_out"]
            await asyncio.wait_for(socket.send_text(_encode(message).decode()), SEND_S)
        await asyncio.sleep(max(0.0, asked + pace.after(count) - loop.time()))
        is_due = not await _rings(news)


async def _rings(news: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(news.wait(), HEARTBEAT_S)
    except TimeoutError:
        return False
    return True


async def _close(socket: WebSocket, code: int) -> None:
    try:
        await asyncio.wait_for(socket.close(code), SEND_S)
    except (RuntimeError, WebSocketDisconnect, TimeoutError):
        _log.info("tape was gone before it was closed code=%d", code)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC
