"""Couriers: in order, bounded, tried again, and never longer than it makes sense."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from alerts.helpers import rule
from fakes.clock import FakeClock
from fakes.waiting import eventually

from coindcx_feed.alerts.channels import MAX_TEXT, OLD_S, QUEUE, TRIES, Channels, Message, Undelivered, one_line
from coindcx_feed.alerts.notices import Found, Notice, Notices


class FlakySender:
    """Fails with what it was given, one after the other, then delivers."""

    name = "webhook:ops"

    def __init__(self, *failures: Undelivered) -> None:
        self.failures = list(failures)
        self.got: list[Message] = []
        self.tries = 0
        self.is_closed = False

    async def send(self, message: Message) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(message)

    async def close(self) -> None:
        self.is_closed = True


@contextlib.asynccontextmanager
async def carrying(sender: FlakySender, clock: FakeClock, mode: str = "live") -> AsyncIterator[Channels]:
    channels = Channels([sender], mode, clock)
    running = asyncio.create_task(channels.run())
    await asyncio.sleep(0)
    try:
        yield channels
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def notice(clock: FakeClock, text: str = "filled", *, is_quiet: bool = False) -> Notice:
    return Notices().add(Found(rule(), "x", text, clock.time_ns(), 41), group_s=0, is_quiet=is_quiet)[0]


async def test_messages_arrive_in_order_as_one_plain_line() -> None:
    """With the facts beside the text; only destinations are addressed."""
    sender, clock = FlakySender(), FakeClock()
    async with carrying(sender, clock) as channels:
        for text in ("first", "second\n\u202ex\x00"):
            channels.offer(notice(clock, text), ("toast", "webhook:ops", "webhook:gone"))
        await eventually(lambda: len(sender.got) == 2)
    assert [message.text for message in sender.got] == ["A rule: first", "A rule: second x"]
    facts = sender.got[0].to_mapping()
    assert (facts["rule"], facts["severity"], facts["mode"], facts["seq"]) == ("A rule", "info", "live", 41)
    assert sender.is_closed


async def test_other_modes_are_named_first() -> None:
    """Nobody must take a demo for the account."""
    sender, clock = FlakySender(), FakeClock()
    async with carrying(sender, clock, "demo") as channels:
        channels.offer(notice(clock), ("webhook:ops",))
        await eventually(lambda: sender.got)
    assert sender.got[0].text == "[DEMO] A rule: filled"


async def test_failure_is_tried_again_with_growing_pauses() -> None:
    """As long as the other side wants, but no longer than a minute at once."""
    sender, clock = (
        FlakySender(Undelivered("answered 503"), Undelivered("slow down", retry_after_s=7)),
        FakeClock(is_automatic=True),
    )
    async with carrying(sender, clock) as channels:
        channels.offer(notice(clock), ("webhook:ops",))
        await eventually(lambda: sender.got)
        (status,) = channels.status()
    assert 0.5 <= clock.slept[0] <= 1
    assert clock.slept[1] == 7
    assert (status["sent"], status["failed"], status["is_good"], status["last"]) == (1, 0, True, "delivered")


async def test_refusal_and_too_many_failures_end_it_and_the_next_goes_on() -> None:
    """Counted and shown."""
    final = Undelivered("answered 404", is_final=True)
    sender, clock = FlakySender(final, *[Undelivered("answered 500")] * TRIES), FakeClock(is_automatic=True)
    async with carrying(sender, clock) as channels:
        for _ in range(3):
            channels.offer(notice(clock), ("webhook:ops",))
        await eventually(lambda: sender.got)
        (status,) = channels.status()
    assert sender.tries == 1 + TRIES + 1
    assert (status["sent"], status["failed"]) == (1, 2)


async def test_late_alarm_is_dropped() -> None:
    """Half an hour after it happened it would mislead."""
    sender, clock = FlakySender(), FakeClock()
    late = notice(clock)
    clock.jump(OLD_S + 1)
    async with carrying(sender, clock) as channels:
        channels.offer(late, ("webhook:ops",))
        await eventually(lambda: channels.status()[0]["dropped"] == 1)
    assert sender.got == []


async def test_queue_is_bounded_and_the_newest_stay() -> None:
    """A destination that hangs costs no memory."""
    sender, clock = FlakySender(), FakeClock()
    channels = Channels([sender], "live", clock)
    for number in range(QUEUE + 20):
        channels.offer(notice(clock, str(number)), ("webhook:ops",))
    (status,) = channels.status()
    assert (status["waiting"], status["dropped"]) == (QUEUE, 20)


async def test_quiet_hours_hold_back_and_say_how_much() -> None:
    """One message at their end, none when nothing came."""
    sender, clock = FlakySender(), FakeClock()
    async with carrying(sender, clock) as channels:
        channels.end_quiet()
        for _ in range(3):
            channels.offer(notice(clock, is_quiet=True), ("webhook:ops",))
        channels.end_quiet()
        await eventually(lambda: sender.got)
        channels.end_quiet()
    assert [message.text for message in sender.got] == ["3 notices came in the quiet hours; the Alerts page lists them"]


async def test_test_message_says_what_it_is() -> None:
    """And an unknown destination is none."""
    sender, clock = FlakySender(), FakeClock()
    async with carrying(sender, clock) as channels:
        assert not channels.test("webhook:gone")
        assert channels.test("webhook:ops")
        await eventually(lambda: sender.got)
    assert sender.got[0].text.startswith("Test: ")


def test_text_is_cut() -> None:
    """A message of a mebibyte is none."""
    assert len(one_line("x" * 100_000)) == MAX_TEXT
