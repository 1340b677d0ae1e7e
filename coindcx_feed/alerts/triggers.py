"""When a rule speaks: at once or after a while, once until it no longer holds, never within its cool-down.

The same code serves the live engine and the rehearsal, so that both count alike. No clock is read here.
"""

from collections import deque
from decimal import Decimal
from typing import Any, Final

MAX_THINGS: Final = 10_000
"""Positions or wallets remembered per rule: as many as the account's state keeps."""
MAX_SAMPLES: Final = 4_000
"""Changes of a value remembered per thing: one a second for the longest time that a move may take."""


class Cooldown:
    """Let one through, then none for a while. Times are seconds of any one clock."""

    def __init__(self, cooldown_s: float) -> None:
        self._cooldown_s = cooldown_s
        self._last: dict[str, float] = {}
        self.held_back = 0

    def passes(self, now_s: float, thing: str = "") -> bool:
        """Say whether this one may be told, and remember it if so."""
        last = self._last.get(thing)
        # A clock that was set back must not silence a rule.
        if last is not None and 0 <= now_s - last < self._cooldown_s:
            self.held_back += 1
            return False
        self._last[thing] = now_s
        _drop_oldest(self._last)
        return True


class Edge:
    """Fire once when something begins to hold and has held for ``hold_s``; then only after it ceased."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._since: dict[str, float] = {}
        self._fired: set[str] = set()

    def look(self, thing: str, holds: bool, now_s: float) -> bool:
        """Take in how things stand, and say whether that fires."""
        if not holds:
            self._since.pop(thing, None)
            self._fired.discard(thing)
            return False
        since = self._since.setdefault(thing, now_s)
        self._forget()
        if thing in self._fired or now_s - since < self._hold_s:
            return False
        self._fired.add(thing)
        return True

    def elapse(self, thing: str, now_s: float) -> float | None:
        """Return when something fired by itself before ``now_s`` because nothing changed, or ``None``."""
        since = self._since.get(thing)
        if since is None or thing in self._fired or now_s - since < self._hold_s:
            return None
        self._fired.add(thing)
        return since + self._hold_s

    def things(self) -> list[str]:
        """Return what holds now."""
        return list(self._since)

    def silence(self, thing: str) -> None:
        """Take what holds already as told."""
        if thing in self._since:
            self._fired.add(thing)

    def keep_only(self, things: set[str]) -> None:
        """Forget what is no longer there."""
        for gone in self._since.keys() - things:
            del self._since[gone]
            self._fired.discard(gone)

    def _forget(self) -> None:
        while len(self._since) > MAX_THINGS:
            oldest = next(iter(self._since))
            del self._since[oldest]
            self._fired.discard(oldest)


class Moves:
    """How far values moved within a time: now less the lowest for a rise, less the highest for a fall."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._kept: dict[str, deque[tuple[float, Decimal]]] = {}

    def take(self, thing: str, value: Decimal, now_s: float) -> tuple[Decimal, Decimal]:
        """Take in the present value and return (lowest, highest) within the time, the value at its start included."""
        kept = self._kept.setdefault(thing, deque(maxlen=MAX_SAMPLES))
        if not kept or kept[-1][1] != value:
            kept.append((now_s, value))
            _drop_oldest(self._kept)
        while len(kept) > 1 and kept[1][0] <= now_s - self._within_s:
            kept.popleft()
        values = [each for _, each in kept]
        return min(values), max(values)

    def last(self, thing: str) -> Decimal | None:
        """Return the newest value of a thing."""
        kept = self._kept.get(thing)
        return kept[-1][1] if kept else None

    def keep_only(self, things: set[str]) -> None:
        """Forget what is no longer there: a position that is opened again begins anew."""
        for gone in self._kept.keys() - things:
            del self._kept[gone]


def move_of(op: str, value: Decimal, lowest: Decimal, highest: Decimal) -> tuple[Decimal, Decimal]:
    """Return the move that an operator asks for, and what it began from."""
    rise, fall = (value - lowest, lowest), (value - highest, highest)
    if op == "at_least":
        return rise
    if op == "at_most":
        return fall
    return rise if rise[0] >= -fall[0] else fall


def _drop_oldest(table: dict[str, Any]) -> None:
    if len(table) > MAX_THINGS:
        del table[next(iter(table))]
