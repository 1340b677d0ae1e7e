"""The sockets of connections to a server, to be cut when it no longer answers: a thread that waits for it goes on."""

import contextlib
import os
import socket
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event


class Lines:
    """All connections that an engine opens. A file has none. Threads: any."""

    def __init__(self, engine: Engine) -> None:
        self._open: WeakSet[Any] = WeakSet()
        self._closed = engine.dialect.loaded_dbapi.Error
        if engine.dialect.name == "postgresql":
            event.listen(engine, "connect", lambda connection, _: self._open.add(connection))

    def cut(self) -> None:
        """End them without a word to the server: whoever waits for an answer gets an error at once."""
        for connection in list(self._open):
            # One that ended in this moment has no socket any more.
            with contextlib.suppress(OSError, self._closed):
                _shut(connection.pgconn.socket)


def _shut(number: int) -> None:
    # A copy of the descriptor: the driver goes on owning, and closing, its own.
    with socket.socket(fileno=os.dup(number)) as line:
        line.shutdown(socket.SHUT_RDWR)
