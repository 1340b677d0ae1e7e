"""Accepts connections on a thread of its own: a flood of those that are not let in costs the loop next to nothing."""

import asyncio
import errno
import logging
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from ssl import SSLContext
from typing import Final

_log = logging.getLogger("coindcx_feed.sidecar")

_AT_ONCE: Final = 64
_FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE_S: Final = 1.0
"""Until accepting is tried again when the system has nothing left."""
_JOIN_S: Final = 1.0


class Acceptor:
    """Takes connections of some listening sockets and gives those that are let in to the running loop.

    Made, started and closed on the loop.

    Args:
        admits: Called on the thread with the peer's address of each connection.
        new_protocol: Called on the loop for each that was admitted.
        handshake_s: For TLS; ``None`` without ``context``.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        admits: Callable[[object], bool],
        new_protocol: Callable[[], asyncio.Protocol],
        *,
        context: SSLContext | None = None,
        handshake_s: float | None = None,
    ) -> None:
        self._sockets, self._admits, self._new_protocol = sockets, admits, new_protocol
        self._context, self._handshake_s = context, handshake_s
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._closing = threading.Event()
        self._alarm, self._rung = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="sidecar-accept", daemon=True)

    @property
    def port(self) -> int:
        return int(self._sockets[0].getsockname()[1])

    def start(self) -> None:
        for listening in self._sockets:
            listening.setblocking(False)
            self._selector.register(listening, selectors.EVENT_READ)
        self._selector.register(self._rung, selectors.EVENT_READ)
        self._thread.start()

    def close(self) -> None:
        """Accept nothing more and free the port. What was accepted stays."""
        self._closing.set()
        self._alarm.close()
        self._thread.join(_JOIN_S)
        self._selector.close()
        self._rung.close()
        for listening in self._sockets:
            listening.close()
        for task in self._connecting:
            task.cancel()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                for key, _ in self._selector.select():
                    if key.fileobj is not self._rung:
                        self._accept(key.fileobj)  # type: ignore[arg-type]  # only sockets were registered
            except Exception:  # noqa: BLE001  # thread boundary: whatever it was, the next client must be able to come
                _log.exception("accepting failed")
                self._closing.wait(_PAUSE_S)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, peer = listening.accept()
            except OSError as problem:
                if problem.errno in _FULL:
                    _log.error("connections wait reason=%s", errno.errorcode[problem.errno])
                    self._closing.wait(_PAUSE_S)
                return
            is_taken = False
            try:
                if self._admits(peer):
                    self._loop.call_soon_threadsafe(self._take, connection)
                    is_taken = True
            finally:
                if not is_taken:
                    connection.close()

    def _take(self, connection: socket.socket) -> None:
        if self._closing.is_set():
            connection.close()
            return
        task = self._loop.create_task(self._connect(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._new_protocol, connection, ssl=self._context, ssl_handshake_timeout=self._handshake_s
            )
        except OSError:  # gone already, or no TLS: nobody is there who could be told
            connection.close()
