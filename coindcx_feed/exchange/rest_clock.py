"""The seam between REST reads and time: what they ask of a clock, and the machine's own."""

import asyncio
import time
from typing import Final, Protocol


class Clock(Protocol):
    """Wall clock, monotonic clock and waiting. Tests put their own in its place."""

    def time_ns(self) -> int:
        """Unix time, ns; may jump."""

    def monotonic(self) -> float:
        """Seconds since some moment; never jumps."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The clocks of this machine."""

    def time_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


SYSTEM_CLOCK: Final = SystemClock()
