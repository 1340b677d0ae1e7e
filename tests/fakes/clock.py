"""A clock that stands still until a test moves it: wall time, monotonic time and sleeping."""

import asyncio
import heapq
import itertools

START_MS = 1_790_140_000_000
_TURNS = 5
"""Turns of the loop given to whoever was woken, before the clock moves on."""


class FakeClock:
    """Stands for the clock of REST reads and everything else that takes one.

    Args:
        wall_ms: Unix ms to begin at.
        is_automatic: Sleeping moves the clock itself and returns at once: for code that is alone with its clock.
    """

    def __init__(self, wall_ms: float = START_MS, *, is_automatic: bool = False) -> None:
        self._wall_ns = int(wall_ms * 1_000_000)
        self._mono_ns = 1_000_000_000
        self._is_automatic = is_automatic
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self.slept: list[float] = []

    def time_ns(self) -> int:
        return self._wall_ns

    def monotonic(self) -> float:
        return self._mono_ns / 1e9

    def monotonic_ns(self) -> int:
        return self._mono_ns

    @property
    def sleepers(self) -> int:
        """How many wait for the clock to move on."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has moved so far."""
        self.slept.append(seconds)
        if self._is_automatic:
            self._move(round(seconds * 1e9))
            await asyncio.sleep(0)
            return
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._mono_ns + round(seconds * 1e9), next(self._numbers), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move both clocks, waking each sleeper at its own time and letting it run before time goes on."""
        end_ns = self._mono_ns + round(seconds * 1e9)
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end_ns:
            due_ns, _, future = heapq.heappop(self._sleepers)
            self._move(due_ns - self._mono_ns)
            if not future.done():
                future.set_result(None)
            await self._settle()
        self._move(end_ns - self._mono_ns)

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as a user or NTP does; the monotonic one stays."""
        self._wall_ns += round(seconds * 1e9)

    def _move(self, span_ns: int) -> None:
        self._mono_ns += span_ns
        self._wall_ns += span_ns

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
