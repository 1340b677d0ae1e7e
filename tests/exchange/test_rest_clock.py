"""The machine's own clock behind the seam."""

import time

from fakes.clock import FakeClock

from coindcx_feed.exchange.rest_clock import SYSTEM_CLOCK, Clock


async def test_system_clock_is_the_machines() -> None:
    """Unix nanoseconds, monotonic seconds, and sleeping takes time."""
    assert abs(SYSTEM_CLOCK.time_ns() - time.time_ns()) < 1e9
    before = SYSTEM_CLOCK.monotonic()
    await SYSTEM_CLOCK.sleep(0.02)
    assert SYSTEM_CLOCK.monotonic() - before >= 0.02


def test_fake_clock_fits_the_seam() -> None:
    """Both can stand in its place."""
    clocks: list[Clock] = [SYSTEM_CLOCK, FakeClock()]
    assert all(clock.time_ns() > 1.7e18 for clock in clocks)
