"""How far this machine's clock is from the exchange's, estimated from the dates of its replies. No I/O."""

from collections import deque
from typing import Final, NamedTuple

TICK_MS: Final = 1_000
"""A reply's ``Date`` is cut to whole seconds."""

KEPT: Final = 64
"""Samples that count; older ones would hide a slow drift."""


class Skew(NamedTuple):
    """Local clock less the exchange's, ms: the truth lies within ``offset_ms`` ± ``uncertainty_ms``."""

    offset_ms: float
    uncertainty_ms: float
    samples: int


class _Bounds(NamedTuple):
    low_ms: float
    high_ms: float


class ClockSkew:
    """Collects samples.

    The exchange wrote its date somewhere between request and reply, and the true time was up to a second later than
    written: each sample bounds the offset from both sides. Samples that fall elsewhere in the second narrow it, so a
    handful brings the bound near the round trip.

    Threads: ``add`` on one loop, ``estimate`` on any.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._samples: deque[_Bounds] = deque(maxlen=kept)
        self._estimate: Skew | None = None

    def add(self, asked_ms: float, received_ms: float, server_ms: float) -> None:
        """Take in one reply. All three are Unix ms: our clock at request and reply, the reply's date."""
        if received_ms < asked_ms:  # our clock was set back in between
            return
        sample = _Bounds(asked_ms - server_ms - TICK_MS, received_ms - server_ms)
        self._samples.append(sample)
        low_ms, high_ms = max(low for low, _ in self._samples), min(high for _, high in self._samples)
        if low_ms > high_ms:  # one of the clocks was set: what was known is no longer true
            self._samples.clear()
            self._samples.append(sample)
            low_ms, high_ms = sample
        self._estimate = Skew((low_ms + high_ms) / 2, (high_ms - low_ms) / 2, len(self._samples))

    def estimate(self) -> Skew | None:
        """Return the present estimate, or ``None`` before the first sample."""
        return self._estimate
