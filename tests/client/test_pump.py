"""The thread behind a synchronous reader, without a socket."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator

import pytest

from coindcx_feed.client.pump import AHEAD, Pump


async def _numbers(count: int) -> AsyncGenerator[int, None]:
    for number in range(count):
        yield number


def _all(pump: Pump[int]) -> list[int]:
    found = []
    while (item := pump.next()) is not None:
        found.append(item)
    return found


def test_everything_arrives_in_order_and_ends() -> None:
    """Also many more than are read ahead."""
    pump = Pump(lambda: _numbers(AHEAD * 5), deque())
    pump.start()
    assert _all(pump) == list(range(AHEAD * 5))
    assert pump.next() is None
    pump.stop()


def test_error_comes_after_the_items_before_it() -> None:
    """As it was raised."""

    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("no")

    pump = Pump(failing, deque())
    pump.start()
    assert pump.next() == 1
    with pytest.raises(ValueError, match=r"^no$"):
        pump.next()


def test_stop_closes_the_stream_and_keeps_what_was_not_given() -> None:
    """The stream sees its end; a second stop is harmless."""
    closed = threading.Event()
    items: deque[int] = deque()

    async def endless() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
            await asyncio.Event().wait()
        finally:
            closed.set()

    pump = Pump(endless, items)
    pump.start()
    assert pump.next() == 1
    pump.stop()
    pump.stop()
    assert closed.is_set()
    assert pump.next() is None
    assert list(items) in ([], [2])


def test_stop_before_start_is_harmless() -> None:
    """A loop that was never entered."""
    pump = Pump(lambda: _numbers(1), deque())
    pump.stop()
    assert pump.next() is None
