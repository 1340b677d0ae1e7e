"""Single-use tickets that open a socket: of the dashboard's tape, and of the sidecar.

The tape's are minted inside a script that runs for a reader and redeemed by the route. They live in a module of their
own that no file belongs to, because a page's code is reloaded while the route's is not.
"""

import hashlib
import secrets
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any, Final

LIFETIME_S: Final = 30.0
MOST: Final = 200
"""Tickets outstanding at once; with one more the oldest is forgotten."""
MAX_CHARACTERS: Final = 64
_BYTES: Final = 32
_ANCHOR: Final = "_coindcx_feed_tickets"

Grant = dict[str, Any]


class Tickets:
    """Outstanding tickets with what each of them grants. All methods may be called from any thread.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # Kept as digests: how long a lookup takes says nothing about a ticket, and no dump of memory holds one.
        self._kept: dict[bytes, tuple[float, Grant]] = {}

    def mint(self, grant: Grant) -> str:
        """Return a new ticket; letters, digits, ``-`` and ``_`` only.

        Args:
            grant: Plain data that whoever redeems the ticket may see.
        """
        ticket = secrets.token_urlsafe(_BYTES)
        now = self._clock()
        with self._lock:
            self._forget(now)
            self._kept[_digest(ticket.encode())] = (now + LIFETIME_S, dict(grant))
            while len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
        return ticket

    def redeem(self, ticket: str) -> Grant | None:
        """Return what a ticket grants and end it; ``None`` when it is unknown, used or too old."""
        secret = ticket.encode("utf-8", "replace")
        if len(secret) > MAX_CHARACTERS:
            return None
        with self._lock:
            found = self._kept.pop(_digest(secret), None)
        if found is None:
            return None
        until, grant = found
        return grant if self._clock() < until else None

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self, now: float) -> None:
        # Minted in order, so the oldest come first.
        while self._kept:
            digest, (until, _) = next(iter(self._kept.items()))
            if until > now:
                return
            del self._kept[digest]


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


_creating = threading.Lock()


def process_tickets() -> Tickets:
    """Return the tickets of this process, the same before and after a reload of this module."""
    with _creating:
        module: Any = sys.modules.get(_ANCHOR)
        if module is None:
            module = types.ModuleType(_ANCHOR)
            module.tickets = Tickets()
            sys.modules[_ANCHOR] = module
        tickets: Tickets = module.tickets
        return tickets
