"""What the account's events add up to: causes and steps of each wallet, lives of positions. Read on, never anew."""

import threading
import time
from collections.abc import Iterable
from typing import Final

from coindcx_feed.analysis.causes import Causes
from coindcx_feed.analysis.explain import Explained, Step, explain, step_of
from coindcx_feed.analysis.lives import Lives
from coindcx_feed.analysis.noted import Kept, Noted, noted
from coindcx_feed.errors import PositionLost
from coindcx_feed.events import EventType
from coindcx_feed.feed.ring import Ring

STEPS: Final = 1_000
"""Changes of one wallet that stay explained: hours of a busy account."""
WALLETS: Final = 200
SLICE: Final = 1_000
"""Events read at once: about 15 ms."""
TURN_S: Final = 0.3
"""After so long a reader is answered; a full memory is read within the first ten refreshes of a page."""


class Books:
    """A fold over account events in order of ``seq``."""

    def __init__(self) -> None:
        self.lives = Lives()
        self._causes = Causes()
        self._steps: dict[str, list[Step]] = {}
        self._explained: dict[str, tuple[tuple[int, int], list[Explained]]] = {}

    def take(self, event: Noted) -> None:
        """Read one event."""
        self.lives.take(event)
        self._causes.take(event)
        currency = event.currency
        if currency is not None and event.kind is EventType.BALANCE:
            self._note_step(currency, step_of(event))

    def take_all(self, events: Iterable[Kept]) -> None:
        """Read events as they are kept."""
        for event in events:
            read = noted(event)
            if read is not None:
                self.take(read)

    def explained(self, currency: str) -> list[Explained]:
        """Return the changes of a wallet, oldest first; worked out again only after a balance or a cause of one."""
        steps = self._steps.get(currency, [])
        version = (steps[-1].seq if steps else 0, self._causes.newest(currency))
        known = self._explained.get(currency)
        if known is None or known[0] != version:
            known = (version, explain(steps, self._causes.of(currency)))
            self._explained[currency] = known
        return known[1]

    def first_step(self, currency: str) -> Step | None:
        """Return the oldest balance that is kept: changes are explained from there on."""
        steps = self._steps.get(currency)
        return steps[0] if steps else None

    def _note_step(self, currency: str, step: Step | None) -> None:
        if step is None or (currency not in self._steps and len(self._steps) >= WALLETS):
            return
        steps = self._steps.setdefault(currency, [])
        steps.append(step)
        if len(steps) > STEPS * 5 // 4:
            # Rarely, and many at once: the sum of residues begins anew with the oldest that stays.
            del steps[: len(steps) - STEPS]
            self._causes.forget_before(currency, steps[0].received_ms)


class Followed:
    """The books of a ring, read on by whoever asks. Threads: any."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._books = Books()
        self._seq = 0
        self._lock = threading.Lock()

    def explained(self, currency: str) -> tuple[list[Explained], Step | None] | None:
        """Return the changes of a wallet, oldest first, and the step before them; ``None`` while reading is behind."""
        with self._lock:
            return (self._books.explained(currency), self._books.first_step(currency)) if self._read_on() else None

    def lives(self) -> Lives | None:
        """Return the positions' lives, ``None`` while reading is behind: what is half read is not how it is now.

        What it holds grows while the caller looks; nothing in it changes.
        """
        with self._lock:
            return self._books.lives if self._read_on() else None

    @property
    def behind(self) -> tuple[int, int]:
        """How many events are read, of how many kept."""
        oldest, newest = self._ring.oldest, self._ring.version
        return max(0, self._seq - oldest + 1), newest - oldest + 1

    def _read_on(self) -> bool:
        until_s = time.monotonic() + TURN_S
        while self._seq < self._ring.version:
            if time.monotonic() > until_s:
                return False
            try:
                found = self._ring.since(self._seq, SLICE)
            except PositionLost as lost:
                self._seq = lost.missed_to
                continue
            self._books.take_all(found)
            self._seq = found[-1].seq
        return True
