"""Plays a stored window of the log: the same events in the same order at a chosen pace, never stored again."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, Final

from coindcx_feed.analysis.moments import MAX, STEP, Window, speed_text
from coindcx_feed.errors import BadRequest, FeedError
from coindcx_feed.events import Event, iso_ms
from coindcx_feed.feed.replay_clock import Pace, ReplayClock
from coindcx_feed.feed.replay_source import Reading, Source
from coindcx_feed.feed.stage import Stage, state_digest

log = logging.getLogger(__name__)

TURN: Final = 200
"""Events shown before others get their turn and are told: about 5 ms of work."""

Sink = Callable[[Sequence[Event]], Awaitable[None]]
"""Gets what was shown, in order; the replay waits for it."""


class Phase(StrEnum):
    """Where a replay stands. ``ended``: the window is played, a seek goes on."""

    WAITING = "waiting"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    STOPPED = "stopped"
    FAILED = "failed"


class Player:
    """Plays one window on a stage. The controls may be called from any thread; ``run`` belongs to the feed's loop.

    Args:
        source: The log.
        stage: Where the events are shown.
        window: What is played.
        speed: Factor, ``MAX`` or ``STEP``.
    """

    def __init__(self, source: Source, stage: Stage, window: Window, speed: float = 1.0) -> None:
        self._source, self._stage, self._window, self._speed = source, stage, window, speed
        self._clock = ReplayClock(_rate(speed))
        self._clock.jump(window.from_ns or 0)
        self._pace = Pace(self._clock)
        self._phase = Phase.WAITING
        self._reason: str | None = None
        self._listeners: list[Callable[[], None]] = []
        self._sinks: list[Sink] = []
        self._fresh: list[Event] = []
        self._count = self._turn = self._steps = 0
        self._position_ns = 0
        self._skip_to_ns = 0
        self._is_anchored = self._is_paused = self._is_leaving = self._is_stopped = False
        self._digest: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    @property
    def phase(self) -> Phase:
        """Threads: any."""
        return Phase.PAUSED if self._phase is Phase.PLAYING and self._is_paused else self._phase

    @property
    def position_ns(self) -> int:
        """Receive time of the last event shown, 0 before the first. Threads: any."""
        return self._position_ns

    @property
    def now_ns(self) -> int:
        """The replay's own time: what pages compare ages with. Unix ns. Threads: any."""
        now_ns = max(self._position_ns, self._clock.now_ns())
        return now_ns if self._window.to_ns is None else min(now_ns, self._window.to_ns)

    def on_publish(self, listener: Callable[[], None]) -> None:
        """Call a function on the loop after events were shown."""
        self._listeners.append(listener)

    def add_sink(self, sink: Sink) -> None:
        """Hand what is shown to somebody, who may take their time."""
        self._sinks.append(sink)

    def pause(self) -> None:
        """Hold the replay's clock. Steps go on."""
        self._post(lambda: self._change(is_paused=True))

    def resume(self) -> None:
        """Let the clock go on from where it stands."""
        self._post(lambda: self._change(is_paused=False))

    def set_speed(self, speed: float) -> None:
        """Change the pace: a factor, ``MAX`` or ``STEP``."""
        self._post(lambda: self._change(speed=speed))

    def step(self, count: int = 1) -> None:
        """Show the next events whatever the clock says; when paused, or at ``STEP``."""
        self._post(lambda: self._step(count))

    def seek(self, at_ns: int) -> None:
        """Go to a time: the account is shown as known then. Back means another epoch, played from the beginning.

        Raises:
            BadRequest: If the time is outside the window.
        """
        first, last = self._window
        if (first is not None and at_ns < first) or (last is not None and at_ns > last):
            raise BadRequest(f"seek: expected a time inside the window, was {iso_ms(at_ns)}")
        self._post(lambda: self._seek(at_ns))

    def stop(self) -> None:
        """End the replay; what was shown stays."""
        self._post(self._stop)

    def status(self) -> dict[str, Any]:
        """Return where the replay stands, as plain data. Threads: any.

        ``pace``: how late events were shown against the ideal time (ms), and by how many percent the time since the
        last change of pace differs from it. ``state_digest`` is there when the window was played to its end.
        """
        return {
            "phase": str(self.phase),
            "reason": self._reason,
            "speed": speed_text(self._speed),
            "from_ms": _ms(self._window.from_ns),
            "to_ms": _ms(self._window.to_ns),
            "position_ms": _ms(self._position_ns or None),
            "epoch": self._stage.ring.epoch,
            "shown": self._count,
            "quarantined": self._stage.quarantine.count,
            "pace": self._pace.figures(),
            "state_digest": self._digest,
        }

    async def run(self) -> None:
        """Play, then wait for a seek, until stopped or cancelled. Trouble of the log ends it: see ``status``."""
        self._loop = asyncio.get_running_loop()
        reading = Reading(self._source, self._window)
        try:
            while not self._is_stopped:
                if await self._play(reading):
                    await self._finish()
                while not (self._is_stopped or self._is_leaving):
                    await self._sleep(math.inf)
            self._phase = Phase.STOPPED
        except FeedError as error:
            self._phase, self._reason = Phase.FAILED, str(error)
            log.error("replay failed reason=%r", self._reason)
        finally:
            reading.close()

    async def _play(self, reading: Reading) -> bool:
        """Return whether the window was played to its end."""
        if self._phase is not Phase.WAITING:
            self._stage.clear()
        self._count = self._position_ns = 0
        self._is_leaving, self._is_anchored, self._digest = False, False, None
        self._phase = Phase.PLAYING
        for known in await reading.before():
            self._stage.know(known)
        async with contextlib.aclosing(reading.slices()) as slices:
            async for events in slices:
                for event in events:
                    # The wall clock may have been set back between two events: they are played one after the other.
                    at_ns = max(event.received_ns, self._position_ns)
                    if not await self._is_due(at_ns):
                        return False
                    self._show(event, at_ns)
        await self._tell()
        return True

    async def _is_due(self, at_ns: int) -> bool:
        """Return when an event is to be shown; ``False`` when it is not, because of a stop or a seek back."""
        while not (self._is_stopped or self._is_leaving):
            if at_ns < self._skip_to_ns:
                break
            if not self._is_anchored:
                self._is_anchored = True
                self._clock.jump(self._skip_to_ns or at_ns)
            if self._steps:
                self._steps -= 1
                self._clock.jump(max(at_ns, self._clock.now_ns()))  # it may have been due already
                break
            wait_s = self._clock.until_s(at_ns)
            if wait_s <= 0:
                self._pace.add(at_ns)
                break
            await self._sleep(wait_s)
        else:
            await self._tell()
            return False
        self._turn += 1
        if self._turn % TURN == 0:
            await self._tell()
            await asyncio.sleep(0)
        return True

    def _show(self, event: Event, at_ns: int) -> None:
        self._position_ns = at_ns
        shown = self._stage.show(event)
        if shown is not None:
            self._count += 1
            self._fresh.append(shown)

    async def _tell(self) -> None:
        fresh, self._fresh = self._fresh, []
        if not fresh:
            return
        for listener in self._listeners:
            listener()
        for sink in self._sinks:
            await sink(fresh)

    async def _sleep(self, seconds: float) -> None:
        await self._tell()
        if self._wake.is_set():
            self._wake.clear()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _finish(self) -> None:
        # In a thread: 50,000 orders take a second, and nothing changes them now.
        self._digest = await asyncio.to_thread(state_digest, self._stage.state)
        self._phase = Phase.ENDED
        log.info("replay ended events=%d state=%s pace=%s", self._count, self._digest, self._pace.figures())

    def _post(self, change: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None:
            change()
            return

        def apply() -> None:
            change()
            self._wake.set()

        with contextlib.suppress(RuntimeError):  # the loop may have ended: there is nothing to control any more
            loop.call_soon_threadsafe(apply)

    def _change(self, *, speed: float | None = None, is_paused: bool | None = None) -> None:
        self._speed = self._speed if speed is None else speed
        self._is_paused = self._is_paused if is_paused is None else is_paused
        self._pace.clear()
        if self._clock.rate == MAX and self._position_ns:
            self._clock.jump(self._position_ns)
        self._clock.set_rate(0.0 if self._is_paused else _rate(self._speed))

    def _step(self, count: int) -> None:
        if self._is_paused or self._speed == STEP:
            self._steps += max(0, count)

    def _seek(self, at_ns: int) -> None:
        self._skip_to_ns, self._is_anchored, self._steps = at_ns, False, 0
        self._is_leaving = at_ns < self._position_ns

    def _stop(self) -> None:
        self._is_stopped = True


def _rate(speed: float) -> float:
    return 0.0 if speed == STEP else speed


def _ms(unix_ns: int | None) -> int | None:
    return None if unix_ns is None else unix_ns // 1_000_000
