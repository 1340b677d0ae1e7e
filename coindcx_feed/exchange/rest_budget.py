"""How often the exchange may be asked: a token bucket of our own, and what its headers say. One per account."""

import asyncio
import email.utils
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from coindcx_feed.errors import RateLimited
from coindcx_feed.exchange.rest_clock import SYSTEM_CLOCK, Clock

PER_MINUTE: Final = 60.0
BURST: Final = 10
"""Far below every published limit: the user's own programs share it."""

REFUSED_PAUSE_S: Final = 10.0
"""After a 429 that names no time; the exchange has never been seen to name one."""

MAX_WAIT_S: Final = 120.0
"""A reader that would have to wait longer for the exchange is told so instead."""

MAX_PAUSE_S: Final = 3_600.0

_LIMIT = re.compile(r"\b(limit|remaining|reset)=(\d{1,9})\b")
_POLICY = re.compile(r"\b(\d{1,9})\s*;\s*w=(\d{1,9})\b")


class Limits(NamedTuple):
    """What the headers of one reply say; ``None`` where they do not."""

    remaining: int | None = None
    reset_s: float | None = None
    per_s: float | None = None
    retry_after_s: float | None = None


def limits_in(headers: Mapping[str, str], now_s: float) -> Limits:
    """Read ``ratelimit: limit=5000, remaining=4999, reset=60``, ``ratelimit-policy: 5000;w=60`` and ``retry-after``.

    Args:
        headers: Of a reply; looked up in lower case, so the mapping must ignore case.
        now_s: Unix time in seconds, for a ``retry-after`` that is a date.
    Source: both ``ratelimit`` headers as recorded on live replies; ``retry-after`` by the HTTP standard.
    """
    figures = {name: int(text) for name, text in _LIMIT.findall(headers.get("ratelimit", ""))}
    rates = [
        int(limit) / int(window)
        for limit, window in _POLICY.findall(headers.get("ratelimit-policy", ""))
        if int(window)
    ]
    return Limits(
        figures.get("remaining"),
        figures.get("reset"),
        min(rates, default=None),
        _retry_after_s(headers.get("retry-after", "").strip(), now_s),
    )


def _retry_after_s(text: str, now_s: float) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError):
        return None


class Budget:
    """Token bucket; whoever asks first goes first.

    Args:
        per_minute: Requests per minute in the long run.
        burst: Requests at once after a quiet time.

    Threads: one loop.
    """

    def __init__(self, per_minute: float = PER_MINUTE, burst: int = BURST, clock: Clock = SYSTEM_CLOCK) -> None:
        self._own_per_s = self._per_s = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        # The moment the tokens were counted. In the future, it is the end of a pause.
        self._counted_mono = clock.monotonic()
        self._turn = asyncio.Lock()
        self.taken = 0

    async def take(self) -> None:
        """Wait until one more request fits.

        Raises:
            RateLimited: If the exchange wants to be left alone for longer than ``MAX_WAIT_S``.
        """
        async with self._turn:
            while (wait_s := self._wait_s()) > 0:
                pause_s = self.pause_s
                if pause_s > MAX_WAIT_S:
                    raise RateLimited(
                        f"the exchange accepts no request for {pause_s:.0f} s more (429): wait, or stop other programs "
                        "that use the same key",
                        retry_after_s=pause_s,
                    )
                await self._clock.sleep(wait_s)
            self._tokens -= 1
            self.taken += 1

    @property
    def pause_s(self) -> float:
        """Seconds for which the exchange wants to be left alone, mostly 0."""
        return max(0.0, self._counted_mono - self._clock.monotonic())

    def heed(self, status: int, limits: Limits) -> None:
        """Follow what a reply says: never faster than our own rate, slower where the exchange asks for it."""
        self._per_s = min(self._own_per_s, limits.per_s or self._own_per_s)
        if status == 429:
            self._pause(limits.retry_after_s or limits.reset_s or REFUSED_PAUSE_S)
        elif limits.remaining is not None:
            if limits.remaining == 0 and limits.reset_s:
                self._pause(limits.reset_s)
            self._refill()
            self._tokens = min(self._tokens, float(limits.remaining))

    def _pause(self, seconds: float) -> None:
        self._refill()
        end = self._clock.monotonic() + min(seconds, MAX_PAUSE_S)
        self._counted_mono = max(self._counted_mono, end)
        self._tokens = min(self._tokens, 1.0)

    def _refill(self) -> None:
        now = self._clock.monotonic()
        if now > self._counted_mono:
            self._tokens = min(float(self._burst), self._tokens + (now - self._counted_mono) * self._per_s)
            self._counted_mono = now

    def _wait_s(self) -> float:
        self._refill()
        missing = max(0.0, 1.0 - self._tokens)
        # Less than a microsecond is rounding: waiting for it would not end.
        wait_s = self.pause_s + missing / self._per_s
        return wait_s if wait_s > 1e-6 else 0.0
