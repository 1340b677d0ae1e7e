"""What happened to the connection: the states of the last hours and the times away from the exchange."""

import threading
from collections import deque
from typing import Final, NamedTuple

from coindcx_feed.exchange.states import Change

MAX_CHANGES: Final = 5_000
MAX_GAPS: Final = 2_000


class Gap(NamedTuple):
    """A time in which the account was not watched: from the last frame before it. Wall clock, ns.

    ``end_ns`` is ``None`` while it lasts.
    """

    start_ns: int
    end_ns: int | None
    cause: str


class Watch:
    """Collects changes. Threads: one writer, any readers."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque(maxlen=MAX_CHANGES)
        self._gaps: deque[Gap] = deque(maxlen=MAX_GAPS)
        self._away: Gap | None = None
        self._was_connected = False
        self._lock = threading.Lock()

    def add(self, change: Change) -> Gap | None:
        """Take in a transition and return the gap that it ended, if it ended one."""
        with self._lock:
            self._changes.append(change)
            if change.state.is_connected:
                self._was_connected = True
                ended = self._away
                if ended is None:
                    return None
                gap = ended._replace(end_ns=change.at_ns)
                self._gaps.append(gap)
                self._away = None
                return gap
            if self._was_connected and self._away is None:
                self._away = Gap(change.proven_ns or change.at_ns, None, change.reason or str(change.state))
            return None

    def changes(self) -> list[Change]:
        """Return the transitions, oldest first."""
        with self._lock:
            return list(self._changes)

    def gaps(self) -> list[Gap]:
        """Return the gaps, oldest first, the open one last."""
        with self._lock:
            return [*self._gaps, *([self._away] if self._away else [])]
