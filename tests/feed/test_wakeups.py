"""Loops of other threads are woken once per burst, and never miss the last event."""

import asyncio
import threading

from fakes.waiting import eventually

from coindcx_feed.feed.wakeups import Wakeups


class Counting(asyncio.Event):
    """An event that counts how often it was set."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = 0

    def set(self) -> None:
        self.rung += 1
        super().set()


async def test_listener_is_woken_from_another_thread() -> None:
    """The publisher's thread rings, the listener's loop wakes."""
    wakeups, event = Wakeups(), asyncio.Event()
    wakeups.listen(asyncio.get_running_loop(), event)
    threading.Thread(target=wakeups.notify).start()
    await asyncio.wait_for(event.wait(), 5)


async def test_burst_rings_a_bell_that_rings_already_no_more() -> None:
    """A reader that is busy costs the publisher nothing; once it has cleared the bell it is woken again."""
    wakeups, event = Wakeups(), Counting()
    wakeups.listen(asyncio.get_running_loop(), event)
    wakeups.notify()
    await event.wait()
    for _ in range(1_000):
        wakeups.notify()
    assert event.rung == 1
    event.clear()
    wakeups.notify()
    await eventually(event.is_set)
    assert event.rung == 2


async def test_listening_ends_once_and_for_one_listener_only() -> None:
    """Two tapes of one loop are told apart; ending twice harms nobody."""
    wakeups, loop = Wakeups(), asyncio.get_running_loop()
    one, other = asyncio.Event(), asyncio.Event()
    stop = wakeups.listen(loop, one)
    wakeups.listen(loop, other)
    stop()
    stop()
    wakeups.notify()
    await asyncio.wait_for(other.wait(), 5)
    assert not one.is_set()


def test_closed_loop_does_not_stop_the_publisher() -> None:
    """A server that ends first leaves a bell behind; the others still ring."""
    wakeups = Wakeups()
    closed = asyncio.new_event_loop()
    wakeups.listen(closed, asyncio.Event())
    closed.close()
    running = asyncio.new_event_loop()
    event = asyncio.Event()
    wakeups.listen(running, event)
    wakeups.notify()
    running.run_until_complete(asyncio.wait_for(event.wait(), 5))
    running.close()
