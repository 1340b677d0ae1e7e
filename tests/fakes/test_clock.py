"""The clock that tests move."""

import asyncio

from fakes.clock import START_MS, FakeClock
from fakes.waiting import eventually


async def test_time_stands_still_until_it_is_moved() -> None:
    """Both clocks move together, to the nanosecond."""
    clock = FakeClock()
    mono = clock.monotonic()
    await clock.advance(1.5)
    assert clock.time_ns() == (START_MS + 1_500) * 1_000_000
    assert clock.monotonic() - mono == 1.5


async def test_sleepers_wake_at_their_own_time() -> None:
    """Each sees the clock at its moment, also when one step passes several; a second sleep within it counts too."""
    clock = FakeClock()
    start = clock.monotonic()
    woken: list[tuple[str, float]] = []

    async def sleep_twice(name: str, seconds: float) -> None:
        for _ in range(2):
            await clock.sleep(seconds)
            woken.append((name, clock.monotonic() - start))

    tasks = [asyncio.create_task(sleep_twice("slow", 3)), asyncio.create_task(sleep_twice("quick", 2))]
    await eventually(lambda: clock.sleepers == 2)
    await clock.advance(1.9)
    assert woken == []
    await clock.advance(10)
    assert woken == [("quick", 2), ("slow", 3), ("quick", 4), ("slow", 6)]
    await asyncio.gather(*tasks)


async def test_cancelled_sleeper_is_forgotten() -> None:
    """Cancelling a task that waits for the clock works as with the real one."""
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(5))
    await eventually(lambda: clock.sleepers == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.sleepers == 0
    await clock.advance(10)


async def test_automatic_clock_moves_by_sleeping() -> None:
    """Code that is alone with its clock needs nobody to move it."""
    clock = FakeClock(is_automatic=True)
    start = clock.monotonic()
    await clock.sleep(60)
    assert clock.monotonic() - start == 60
    assert clock.slept == [60]


def test_jump_moves_the_wall_clock_only() -> None:
    """F19: durations do not change when the time of day is set."""
    clock = FakeClock()
    mono = clock.monotonic()
    clock.jump(-3_600)
    assert clock.time_ns() == (START_MS - 3_600_000) * 1_000_000
    assert clock.monotonic() == mono
