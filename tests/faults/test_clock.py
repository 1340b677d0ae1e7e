"""Row F19: the wall clock is set while the feed runs. Order and durations do not depend on it."""

import itertools
import time
from functools import partial
from pathlib import Path

import pytest
from fakes.waiting import eventually
from faults.trials import figure, trial
from faults.worlds import World, world

from coindcx_feed.simulator.behaviour import Behaviour

HOUR_S = 3_600


class WallClock:
    """Stands for the process's wall clock; the monotonic one goes on untouched."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset_ns = 0
        time_ns = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: time_ns() + self.offset_ns)
        monkeypatch.setattr(time, "time", lambda: (time_ns() + self.offset_ns) / 1e9)

    def jump(self, seconds: float) -> None:
        self.offset_ns += int(seconds * 1e9)


async def test_F19_wall_clock_that_jumps_changes_no_order_and_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour back, two forward, a leap second: arrival order, one connection, no gap."""
    clock = WallClock(monkeypatch)
    async with trial(tmp_path) as there:
        for jump_s in (-HOUR_S, 2 * HOUR_S, -1, -HOUR_S):
            await there.trader.steps(20)
            clock.jump(jump_s)
            await there.trader.steps(20)
            assert there.is_watched
        verdict = await there.end()
        numbers = [message["data"]["x_number"] for message in there.taken_records()]
        assert (there.runtime.watch.gaps(), len(there.joins)) == ([], 1)
    inversions = sum(after < before for before, after in itertools.pairwise(numbers))
    figure("F19", jumps=4, inversions=inversions, gaps=0, checker=verdict)
    assert inversions == 0


@pytest.mark.timed
@pytest.mark.parametrize("jump_s", [-HOUR_S, HOUR_S])
async def test_F19_length_of_a_gap_is_told_by_the_monotonic_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_s: int
) -> None:
    """The clock is set while we are away: the time away is what really passed."""
    clock = WallClock(monkeypatch)
    async with trial(tmp_path) as there:
        await there.trader.steps(5)
        await there.end()
        started = time.monotonic()
        await there.proxy.refuse()
        await there.proxy.cut()
        clock.jump(jump_s)
        await there.proxy.listen()
        await there.rejoined(1)
        passed_s = time.monotonic() - started
        complete = there.service.status()["completeness"]
        (gap,) = there.runtime.watch.gaps()
    figure("F19", jump_s=jump_s, away_s=complete["away_s"], at_most_s=passed_s + 0.2)
    assert 0.1 <= complete["away_s"] <= passed_s + 0.2
    assert 0 <= complete["share"] <= 1
    assert (gap.end_ns or 0) >= gap.start_ns


@pytest.mark.timed
@pytest.mark.parametrize("ahead_s", [-1, 3 * HOUR_S])
async def test_F19_clock_skew_is_estimated_from_the_dates_of_replies(tmp_path: Path, ahead_s: int) -> None:
    """The exchange's clock differs: the status tells by how much, within the uncertainty that it names."""
    behaviour = Behaviour(connect_ack_s=0, refuse_join_s=0, clock_skew_ms=ahead_s * 1000)
    async with world(tmp_path, behaviour=behaviour) as there:
        for samples in (4, 8, 12):  # each join is followed by reads
            await eventually(partial(_has_samples, there, samples))
            await there.exchange.kick()
        skew = there.service.status()["clock_skew"]
    error_ms = abs(skew["offset_ms"] + ahead_s * 1000)
    figure("F19", local_less_exchange_s=-ahead_s, error_ms=error_ms, uncertainty_ms=skew["uncertainty_ms"])
    assert error_ms <= skew["uncertainty_ms"] <= 500


def _has_samples(there: World, count: int) -> bool:
    skew = there.service.status()["clock_skew"]
    return skew is not None and skew["samples"] >= count
