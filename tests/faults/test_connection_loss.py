"""Rows F01, F02 and F03: the connection ends in every way it can, and comes back."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fakes.waiting import eventually
from faults.trials import SHORT, Trial, figure, percentile, trial

from coindcx_feed.exchange.states import DEFAULT_TIMINGS, Timings
from coindcx_feed.simulator.behaviour import Behaviour

KICKED = Timings(joined_after_s=0.2, proof_s=3.0, stable_s=0.1, tick_s=0.05)
"""Delays as shipped (1 s at first), reset after a tenth of a second: a kick a minute, in quick motion."""
REJOIN_P99_S = 3.0


async def _dropped(there: Trial, count: int, *ways: Callable[[], Awaitable[object]]) -> list[float]:
    """Drop the connection so often, by turns, while the account moves; return the seconds to each new join."""
    delays = []
    for number in range(count):
        await there.trader.steps(5)
        before, started = len(there.joins), time.monotonic()
        await ways[number % len(ways)]()
        await there.trader.steps(3)
        await there.rejoined(before)
        delays.append(there.joins[before] - started)
    return delays


@pytest.mark.timeout(400)
async def test_F01_server_side_disconnects_end_in_a_new_join(tmp_path: Path, is_long: bool) -> None:
    """Socket.IO and Engine.IO kicks while the account moves: always rejoined in time, nothing lost unsaid."""
    kicks = 100 if is_long else 10
    async with trial(tmp_path, KICKED) as there:
        delays = await _dropped(there, kicks, there.exchange.server.kick, there.exchange.close_engine)
        verdict = await there.end()
        await there.fills_arrived()
        missed = {"recovered": verdict.recovered, "fills": len(there.exchange.fills), "fills_missing": 0}
        assert len([gap for gap in there.runtime.watch.gaps() if gap.end_ns]) == kicks
    p99 = percentile(delays, 0.99)
    figure("F01", kicks=kicks, p50_s=percentile(delays, 0.5), p99_s=p99, stuck=0, **missed, checker=verdict)
    assert p99 <= REJOIN_P99_S


@pytest.mark.timeout(300)
async def test_F02_drop_to_join_takes_at_most_three_seconds(tmp_path: Path, is_long: bool) -> None:
    """RST and FIN by turns, delays as shipped: the same bar as after a disconnect by the server."""
    drops = 50 if is_long else 6
    async with trial(tmp_path, KICKED) as there:
        delays = await _dropped(there, drops, there.proxy.reset, there.proxy.cut)
        verdict = await there.end()
        await there.fills_arrived()
    p99 = percentile(delays, 0.99)
    figure("F02", drops=drops, p50_s=percentile(delays, 0.5), p99_s=p99, fills_missing=0, checker=verdict)
    assert p99 <= REJOIN_P99_S


@pytest.mark.parametrize("how", ["reset", "cut", "refused"])
async def test_F02_broken_connection_is_followed_by_a_new_join(tmp_path: Path, how: str) -> None:
    """RST, FIN, and FIN with a closed port behind it."""
    async with trial(tmp_path) as there:
        await there.trader.steps(5)
        before = len(there.joins)
        if how == "refused":
            await there.proxy.refuse()
        await (there.proxy.reset() if how == "reset" else there.proxy.cut())
        await there.trader.steps(5)
        if how == "refused":
            connects = there.service.status()["counters"]["connects"]
            await eventually(lambda: there.service.status()["counters"]["connects"] >= connects + 3)
            assert "cannot be reached" in there.service.status()["reason"]
            await there.proxy.listen()
        await there.rejoined(before)
        await there.trader.steps(5)
        verdict = await there.end()
        assert len(there.runtime.watch.gaps()) == 1
    figure("F02", how=how, checker=verdict)


async def test_F02_delays_double_are_capped_and_spread(tmp_path: Path) -> None:
    """Refused again and again: attempts come at growing, jittered distances up to the longest."""
    timings = SHORT._replace(retry_first_s=0.05, retry_most_s=0.4)
    async with trial(tmp_path, timings) as there:
        await there.proxy.refuse()
        await there.proxy.cut()
        planned = await _planned_delays(there, 9)
        await there.proxy.listen()
        await there.end()
    bounds = [0.05, 0.1, 0.2, *[0.4] * 6]
    assert all(bound / 2 <= delay <= bound for delay, bound in zip(planned, bounds, strict=True)), planned
    assert len({round(delay, 4) for delay in planned}) == len(planned)
    share = sum(planned[3:]) / len(planned[3:]) / timings.retry_most_s
    figure(
        "F02", attempts_per_min_at_30s=60 / (30 * share), first_s=planned[0], spread_s=max(planned) - min(planned[3:])
    )


async def _planned_delays(there: Trial, count: int) -> list[float]:
    found: list[float] = []

    def is_enough() -> bool:
        delay = there.runtime.change.next_try_s
        if delay is not None and delay not in found:
            found.append(delay)
        return len(found) >= count

    await eventually(is_enough)
    return found[:count]


def _impatient() -> Behaviour:
    return Behaviour(connect_ack_s=0, refuse_join_s=0, ping_interval_s=1.5, ping_timeout_s=1.0)


@pytest.mark.timed
@pytest.mark.parametrize("direction", ["both", "down", "up"])
@pytest.mark.timeout(300)
async def test_F03_black_hole_is_noticed_within_the_limit(tmp_path: Path, direction: str, is_long: bool) -> None:
    """Silence of the exchange is stale at the limit. Where only our side is cut off, the server's timeout ends it."""
    # The long form has the limits as shipped: 10 s, and the exchange's own 25 + 20 s.
    behaviour, timings = (Behaviour(), DEFAULT_TIMINGS) if is_long else (_impatient(), SHORT)
    async with trial(tmp_path, timings, behaviour=behaviour) as there:
        await there.trader.steps(5)
        before, started = len(there.joins), time.monotonic()
        there.proxy.hold(*(("up", "down") if direction == "both" else (direction,)))
        await there.trader.steps(5)
        await eventually(lambda: not there.is_watched, 60)
        noticed_s = time.monotonic() - started
        there.proxy.heal()
        await there.rejoined(before)
        await there.trader.steps(5)
        verdict = await there.end()
        if direction != "up":
            assert "stale" in there.states
    limit_s = timings.proof_s if direction != "up" else behaviour.ping_interval_s + behaviour.ping_timeout_s
    figure("F03", direction=direction, noticed_s=noticed_s, limit_s=limit_s, checker=verdict)
    assert noticed_s <= limit_s + 1


@pytest.mark.timed
async def test_F03_limit_of_the_proof_is_a_setting(tmp_path: Path) -> None:
    """Everything as shipped but for 3 s instead of 10: stale at that limit, long before the library's 45 s."""
    async with trial(tmp_path, None, proof_limit_s=3) as there:
        await there.trader.steps(5)
        before, started = len(there.joins), time.monotonic()
        there.proxy.hold()
        await eventually(lambda: not there.is_watched)
        noticed_s = time.monotonic() - started
        there.proxy.heal()
        await there.rejoined(before)
        verdict = await there.end()
        assert "stale" in there.states
    figure("F03", proof_limit_s=3, noticed_s=noticed_s, checker=verdict)
    assert 2.5 <= noticed_s <= 4
