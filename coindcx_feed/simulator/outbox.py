"""Account frames on the last step before the sockets: numbered, listed, and hit by faults ordered one by one."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple

from coindcx_feed.simulator.emissions import Emissions, Fate

Arrangement = Literal["kept", "reversed", "shuffled"]
"""Order in which held frames are released."""

_ANY: Final = ""


class Outgoing(NamedTuple):
    """An account frame: event, text of its data, and its channel if one was named."""

    event: str
    text: str
    channel: str | None


Deliver = Callable[[str, str, str | None], Awaitable[tuple[int, Fate]]]


class Outbox:
    """Hands account frames to the sockets, or not.

    Args:
        emissions: Numbers and list of the records.
        deliver: Sends event, text and channel; returns the number of receivers and what became of the frame.

    Threads: the server's loop.
    """

    def __init__(self, emissions: Emissions, deliver: Deliver) -> None:
        self.emissions = emissions
        self._deliver = deliver
        self._drops: Counter[str] = Counter()
        self._repeats: Counter[str] = Counter()
        self._held: list[Outgoing] | None = None

    def drop_next(self, count: int, event: str | None) -> None:
        """Lose the next frames of an event, or of any."""
        self._drops[event or _ANY] += count

    def repeat_next(self, count: int, event: str | None) -> None:
        """Send the next frames of an event, or of any, twice in a row."""
        self._repeats[event or _ANY] += count

    def hold(self) -> None:
        """Keep frames back from now on."""
        if self._held is None:
            self._held = []

    async def release(self, arrangement: Arrangement, seed: int) -> int:
        """Send the frames kept back, and keep none any more.

        Args:
            arrangement: Order in which they leave.
            seed: Of a shuffled one.
        Returns:
            The number of receivers in all.
        """
        frames, self._held = self._held or [], None
        if arrangement == "reversed":
            frames.reverse()
        elif arrangement == "shuffled":
            random.Random(seed).shuffle(frames)
        return sum([await self._send(frame) for frame in frames])

    async def emit(self, event: str, text: str, channel: str | None) -> int:
        """Send a frame unless a fault is ordered for it. Returns the number of receivers."""
        frame = Outgoing(event, self.emissions.number(event, text), channel)
        if _take(self._drops, event):
            self.emissions.note(event, frame.text, "dropped")
            return 0
        if self._held is not None:
            self._held.append(frame)
            return 0
        return await self._send(frame)

    async def _send(self, frame: Outgoing) -> int:
        total = 0
        for _ in range(2 if _take(self._repeats, frame.event) else 1):
            count, fate = await self._deliver(*frame)
            self.emissions.note(frame.event, frame.text, fate)
            total += count
        return total


def _take(counts: Counter[str], event: str) -> bool:
    for name in (event, _ANY):
        if counts[name] > 0:
            counts[name] -= 1
            return True
    return False
