"""The clock of a replay, with a machine's clock that the test moves."""

import math

import pytest

from coindcx_feed.feed.replay_clock import Pace, ReplayClock

SECOND = 1_000_000_000


class Machine:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(("rate", "after_s"), [(1.0, 5.0), (10.0, 0.5), (0.5, 10.0)])
def test_past_runs_by_at_its_rate(rate: float, after_s: float) -> None:
    """Five seconds of the past are there after so long, and twice as many after twice the time."""
    machine = Machine()
    clock = ReplayClock(rate, machine)
    clock.jump(1_000 * SECOND)
    assert clock.until_s(1_005 * SECOND) == pytest.approx(after_s)
    machine.now_s += after_s
    assert clock.now_ns() == 1_005 * SECOND
    machine.now_s += after_s
    assert clock.late_s(1_005 * SECOND) == pytest.approx(after_s)
    assert clock.error_percent(1_005 * SECOND) == pytest.approx(100)


def test_clock_that_stands_still_is_waited_for_without_end() -> None:
    """And an infinite rate is there already."""
    machine = Machine()
    clock = ReplayClock(0.0, machine)
    clock.jump(7 * SECOND)
    machine.now_s += 1e6
    assert (clock.now_ns(), clock.until_s(8 * SECOND)) == (7 * SECOND, math.inf)
    assert ReplayClock(math.inf, machine).until_s(1 << 62) == 0


def test_change_of_rate_goes_on_from_now() -> None:
    """Nothing jumps."""
    machine = Machine()
    clock = ReplayClock(10.0, machine)
    clock.jump(0)
    machine.now_s += 1
    clock.set_rate(0.0)
    machine.now_s += 1
    clock.set_rate(2.0)
    machine.now_s += 1
    assert clock.now_ns() == 12 * SECOND


def test_pace_shows_how_late_events_were() -> None:
    """In ms of this machine; nothing without an ideal."""
    machine = Machine()
    clock = ReplayClock(2.0, machine)
    clock.jump(0)
    pace = Pace(clock)
    assert pace.figures() is None
    machine.now_s += 1
    pace.add(2 * SECOND)
    machine.now_s += 1.5
    pace.add(4 * SECOND)
    figures = pace.figures()
    assert figures is not None
    assert figures["late_max_ms"] == pytest.approx(500)
    assert figures["error_percent"] == pytest.approx(25)
    pace.clear()
    clock.set_rate(math.inf)
    pace.add(4 * SECOND)
    assert pace.figures() is None
