"""One line and one count per refused or notable event. Lines are bounded per second, counts are exact."""

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Final

LINES_PER_S: Final = 20
"""Of one kind. What is beyond is counted, and the next line of the kind says how many had none."""
REASON_CHARACTERS: Final = 300

_log = logging.getLogger("coindcx_feed.audit")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


class Audit:
    """Counts by kind since the start. Threads: any.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds: dict[str, tuple[int, int, int]] = {}
        self._lock = threading.Lock()
        self.counts: dict[str, int] = {}
        """Kind to number. Kinds are words of this program, so the table is as small as their list."""

    @property
    def total(self) -> int:
        return sum(self.counts.copy().values())

    def note(self, kind: str, client: str, reason: str, **more: object) -> None:
        """Count an event and write its line.

        Args:
            client: Address; ``reason`` and ``more`` may hold foreign text, never a credential.
        """
        with self._lock:
            left_out = self._counted(kind)
        if left_out is None:
            return
        if left_out:
            more["without_line"] = left_out
        words = "".join(f" {name}={one_line(str(value))}" for name, value in more.items())
        _log.info('kind=%s client=%s%s reason="%s"', kind, one_line(client), words, one_line(reason))

    def _counted(self, kind: str) -> int | None:
        """Count one; return how many before it had no line, ``None`` when it has none itself."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        second, lines, left_out = self._seconds.get(kind, (0, 0, 0))
        now = int(self._clock())
        if now != second:
            second, lines = now, 0
        if lines >= LINES_PER_S:
            self._seconds[kind] = (second, lines, left_out + 1)
            return None
        self._seconds[kind] = (second, lines + 1, 0)
        return left_out


def one_line(text: str) -> str:
    """Return text as one short ASCII line: control characters and all beyond ASCII escaped, quotes made single."""
    cut = text if len(text) <= REASON_CHARACTERS else text[:REASON_CHARACTERS] + "..."
    escaped = _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), cut)
    return escaped.replace('"', "'")
