"""Ways out of this process: one bounded queue per destination, one at a time, tried again with growing pauses.

What is sent is plain text, cut. Addresses and tokens stay inside the senders: nothing here ever sees them.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

from coindcx_feed.alerts.notices import Notice
from coindcx_feed.errors import FeedError
from coindcx_feed.events import iso_ms
from coindcx_feed.exchange.backoff import Backoff
from coindcx_feed.exchange.rest_clock import Clock
from coindcx_feed.feed.tasks import end_tasks

log = logging.getLogger(__name__)

QUEUE: Final = 100
"""Messages that may wait for one destination; beyond it the oldest make room, and are counted."""
TRIES: Final = 6
FIRST_S, MOST_S = 1.0, 60.0
MAX_TEXT: Final = 1_000
OLD_S: Final = 1_800.0
"""A message that waited for longer than this is dropped: late alarms mislead."""


class Undelivered(FeedError):
    """A message did not arrive. The text names neither address nor token.

    Attributes:
        is_final: Trying again does not help.
        retry_after_s: How long the other side wants to be left alone, if it says so.
    """

    def __init__(self, message: str, *, is_final: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.is_final, self.retry_after_s = is_final, retry_after_s


class Message(NamedTuple):
    """What a destination gets: plain text and some facts. ``at_ns`` is wall clock."""

    text: str
    rule: str
    severity: str
    mode: str
    at_ns: int
    seq: int | None = None

    def to_mapping(self) -> dict[str, Any]:
        facts = {"rule": self.rule, "severity": self.severity, "mode": self.mode, "seq": self.seq}
        return {"text": self.text, **facts, "at": iso_ms(self.at_ns)}


class Sender(Protocol):
    """One destination. ``name`` is what rules call it."""

    name: str

    async def send(self, message: Message) -> None:
        """Deliver one message.

        Raises:
            Undelivered: It did not arrive, as far as is known.
        """

    async def close(self) -> None: ...


class Courier:
    """Carries messages to one destination, in order. Runs on the feed's loop; ``status`` may be asked by any thread."""

    def __init__(self, sender: Sender, clock: Clock, backoff: Callable[[], Backoff] | None = None) -> None:
        self.name = sender.name
        self._sender, self._clock = sender, clock
        self._new_backoff = backoff or (lambda: Backoff(FIRST_S, MOST_S))
        self._queue: deque[Message] = deque(maxlen=QUEUE)
        self._wake = asyncio.Event()
        self._counts: Counter[str] = Counter()
        self._last: tuple[int, bool, str] | None = None

    def put(self, message: Message) -> None:
        """Queue a message. Threads: the loop's."""
        if len(self._queue) == QUEUE:
            self._counts["dropped"] += 1
        self._queue.append(message)
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    await self._deliver(self._queue.popleft())
        finally:
            await self._sender.close()

    async def _deliver(self, message: Message) -> None:
        backoff = self._new_backoff()
        for left in range(TRIES - 1, -1, -1):
            if self._clock.time_ns() - message.at_ns > OLD_S * 1e9:
                self._note(False, "waited too long")
                self._counts["dropped"] += 1
                return
            try:
                await self._sender.send(message)
                self._counts["sent"] += 1
                self._note(True, "delivered")
                return
            except Undelivered as error:
                is_last = error.is_final or not left
                self._note(False, str(error))
                if is_last:
                    self._counts["failed"] += 1
                    log.warning("alert not delivered destination=%s reason=%r", self.name, str(error))
                    return
                await self._clock.sleep(max(backoff.next(), min(error.retry_after_s or 0.0, MOST_S)))

    def _note(self, is_good: bool, text: str) -> None:
        self._last = (self._clock.time_ns(), is_good, text)

    def status(self) -> dict[str, Any]:
        """Return plain data about the last sending and the counts since the start."""
        last = self._last
        return {
            "name": self.name,
            "waiting": len(self._queue),
            **{name: self._counts[name] for name in ("sent", "failed", "dropped")},
            "last_ms": None if last is None else last[0] / 1e6,
            "is_good": None if last is None else last[1],
            "last": None if last is None else last[2],
        }


class Channels:
    """All destinations. Runs on the feed's loop.

    Args:
        senders: Destinations of the settings.
        mode: Stands in every message, and before its text where it is not ``live``.
        clock: Time.
    """

    def __init__(self, senders: Iterable[Sender], mode: str, clock: Clock) -> None:
        self._couriers = {sender.name: Courier(sender, clock) for sender in senders}
        self._mode, self._clock = mode, clock
        self._held: Counter[str] = Counter()

    @property
    def names(self) -> list[str]:
        return list(self._couriers)

    def offer(self, notice: Notice, channels: Iterable[str]) -> None:
        """Send a notice to those of a rule's channels that are destinations; in quiet hours only count it."""
        for name in channels:
            courier = self._couriers.get(name)
            if courier is None:
                continue
            if notice.is_quiet:
                self._held[name] += 1
            else:
                text = f"{notice.name}: {notice.text}"
                courier.put(self._message(text, notice.name, notice.severity, notice.at_ns, notice.seq))

    def end_quiet(self) -> None:
        """Say in one message each how much the quiet hours kept back."""
        if not self._held:
            return
        held, self._held = self._held, Counter()
        for name, count in held.items():
            text = f"{count} notice{'s' if count > 1 else ''} came in the quiet hours; the Alerts page lists them"
            self._couriers[name].put(self._message(text, "quiet hours", "info", self._clock.time_ns()))

    def test(self, name: str) -> bool:
        """Queue a message that says what it is; false when there is no such destination. Threads: the loop's."""
        courier = self._couriers.get(name)
        if courier is not None:
            text = "Test: notices of the rules that name this destination arrive here"
            courier.put(self._message(text, "test", "info", self._clock.time_ns()))
        return courier is not None

    def _message(self, text: str, rule: str, severity: str, at_ns: int, seq: int | None = None) -> Message:
        lead = "" if self._mode == "live" else f"[{self._mode.upper()}] "
        return Message(one_line(f"{lead}{text}"), one_line(rule), severity, self._mode, at_ns, seq)

    async def run(self) -> None:
        """Deliver until cancelled."""
        tasks = [
            asyncio.create_task(courier.run(), name=f"alert-{courier.name}") for courier in self._couriers.values()
        ]
        try:
            await asyncio.gather(*tasks, _forever())
        finally:
            await end_tasks(*tasks)

    def status(self) -> list[dict[str, Any]]:
        """Return every destination's state. Threads: any."""
        return [courier.status() for courier in self._couriers.values()]


def _forever() -> Awaitable[bool]:
    return asyncio.Event().wait()


def one_line(text: str) -> str:
    """Make a text of the feed plain to look at: unseen and direction-turning characters replaced, cut."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: MAX_TEXT + 1])
    flat = " ".join(shown.split())
    return flat if len(flat) <= MAX_TEXT else f"{flat[: MAX_TEXT - 1]}…"
