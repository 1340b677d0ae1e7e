"""Counts per address in bounded tables: handshakes, open connections, wrong credentials. Loop's thread only."""

import hashlib
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

MOST_ADDRESSES: Final = 2000
"""Remembered per table; with one more the one that was quiet for the longest is forgotten."""
MINUTE_S: Final = 60.0
FREE_GUESSES: Final = 5
FIRST_DELAY_S: Final = 1.0
BLOCK_S: Final = 300.0
FORGIVEN_S: Final = 900.0
_LAST_WRONG: Final = 16

R = TypeVar("R")


class Table(Generic[R]):
    """Records by address, at most ``MOST_ADDRESSES``, the quietest forgotten first."""

    def __init__(self, new: Callable[[], R]) -> None:
        self._new = new
        self._records: OrderedDict[str, R] = OrderedDict()

    def of(self, ip: str) -> R:
        """Return an address's record, a new one when it is not known."""
        record = self._records.get(ip)
        if record is None:
            record = self._records[ip] = self._new()
            if len(self._records) > MOST_ADDRESSES:
                self._records.popitem(last=False)
        else:
            self._records.move_to_end(ip)
        return record

    def get(self, ip: str) -> R | None:
        return self._records.get(ip)

    def __len__(self) -> int:
        return len(self._records)


@dataclass
class _Comer:
    admitted: deque[float]
    refused: deque[float]


class Handshakes:
    """Admit so many per minute and address, counted exactly over the last 60 s.

    Args:
        refusals: Told to one address in a minute; who goes on after them ``insists``.
        clock: Monotonic seconds.
    """

    def __init__(self, per_minute: int, refusals: int, clock: Callable[[], float]) -> None:
        self._clock, self._per_minute = clock, per_minute
        self._comers: Table[_Comer] = Table(lambda: _Comer(deque(maxlen=per_minute), deque(maxlen=refusals)))

    def wait_s(self, ip: str) -> int:
        """Count one and return 0, or return in how many whole seconds the next is admitted and count a refusal."""
        comer, now, wait_s = self._comers.of(ip), self._clock(), self.left_s(ip)
        (comer.refused if wait_s else comer.admitted).append(now)
        return wait_s

    def left_s(self, ip: str) -> int:
        """Return in how many whole seconds the next is admitted, 0 when it is now; nothing is counted."""
        comer, now = self._comers.get(ip), self._clock()
        if comer is None or len(comer.admitted) < self._per_minute or now - comer.admitted[0] >= MINUTE_S:
            return 0
        return math.ceil(comer.admitted[0] + MINUTE_S - now) or 1

    def insists(self, ip: str) -> bool:
        """Say whether an address that must wait was told so as often as it is told at all."""
        comer = self._comers.get(ip)
        if comer is None or len(comer.refused) < (comer.refused.maxlen or 0):
            return False
        return self._clock() - comer.refused[0] < MINUTE_S and self.left_s(ip) > 0


class Places:
    """Count what is open at the same time per address; what is closed is forgotten at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[str, int] = {}

    def take(self, ip: str) -> bool:
        """Take a place; false when the address has none left."""
        taken = self._open.get(ip, 0)
        if taken >= self._most:
            return False
        self._open[ip] = taken + 1
        return True

    def give_back(self, ip: str) -> None:
        if self._open[ip] == 1:
            del self._open[ip]
        else:
            self._open[ip] -= 1

    @property
    def total(self) -> int:
        return sum(self._open.values())


@dataclass
class _Guesser:
    count: int = 0
    last_s: float = 0.0
    until_s: float = 0.0
    wrong: deque[bytes] = field(default_factory=lambda: deque(maxlen=_LAST_WRONG))


class Guesses:
    """Make guessing slow: after some wrong credentials an address waits, twice as long each time, up to a block.

    The same wrong credential again is no further guess, so that a script with an old token does not lock out its
    neighbours. Nothing is held open meanwhile: who comes too early is refused without being looked at.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._guessers: Table[_Guesser] = Table(_Guesser)

    def wait_s(self, ip: str) -> int:
        """Return for how many whole seconds no credential of an address is looked at, 0 when it may try."""
        guesser = self._guessers.get(ip)
        return max(0, math.ceil(guesser.until_s - self._clock())) if guesser is not None else 0

    def wrong(self, ip: str, credential: str) -> None:
        """Remember a wrong credential, as its digest."""
        guesser, now = self._guessers.of(ip), self._clock()
        if now - guesser.last_s > FORGIVEN_S:
            guesser.count = 0
        digest = hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest()
        if digest in guesser.wrong and guesser.count:
            return
        guesser.wrong.append(digest)
        guesser.count += 1
        guesser.last_s = now
        if guesser.count >= FREE_GUESSES:
            doublings = min(guesser.count - FREE_GUESSES, 20)
            guesser.until_s = now + min(FIRST_DELAY_S * 2**doublings, BLOCK_S)
