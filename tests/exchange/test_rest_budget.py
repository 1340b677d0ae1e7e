"""The budget of requests, by a clock that tests move."""

import asyncio

import pytest
from fakes.clock import FakeClock
from fakes.waiting import eventually
from multidict import CIMultiDict

from coindcx_feed.errors import RateLimited
from coindcx_feed.exchange.rest_budget import BURST, Budget, Limits, limits_in


async def _times(budget: Budget, clock: FakeClock, count: int) -> list[float]:
    start, times = clock.monotonic(), []
    for _ in range(count):
        await budget.take()
        times.append(round(clock.monotonic() - start, 6))
    return times


async def test_F28_burst_passes_at_once_and_the_rest_at_the_sustained_rate() -> None:
    """Ten now, then one each second: 60 a minute."""
    clock = FakeClock(is_automatic=True)
    times = await _times(Budget(clock=clock), clock, 73)
    assert times[:BURST] == [0.0] * BURST
    assert times[BURST:] == [float(second) for second in range(1, 64)]


async def test_quiet_time_refills_the_burst_and_no_more() -> None:
    """An hour of silence does not allow more than ten at once."""
    clock = FakeClock(is_automatic=True)
    budget = Budget(clock=clock)
    await _times(budget, clock, 12)
    await clock.sleep(3_600)
    assert await _times(budget, clock, 12) == [0.0] * 10 + [1.0, 2.0]


async def test_rate_and_burst_are_arguments() -> None:
    """The user's own programs may need the larger part."""
    clock = FakeClock(is_automatic=True)
    assert await _times(Budget(6, 2, clock), clock, 4) == [0.0, 0.0, 10.0, 20.0]


async def test_whoever_asks_first_goes_first() -> None:
    """Twenty readers at once: none starves."""
    clock, served = FakeClock(), []
    budget = Budget(clock=clock)

    async def read(number: int) -> None:
        await budget.take()
        served.append(number)

    tasks = [asyncio.create_task(read(number)) for number in range(20)]
    await eventually(lambda: len(served) == 10)
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert served == list(range(20))


async def test_cancelled_reader_takes_nothing_and_blocks_nobody() -> None:
    """The next one gets its turn."""
    clock = FakeClock()
    budget = Budget(60, 1, clock)
    await budget.take()
    first, second = asyncio.create_task(budget.take()), asyncio.create_task(budget.take())
    await eventually(lambda: clock.sleepers == 1)
    first.cancel()
    await eventually(lambda: clock.sleepers == 1 and first.done())
    await clock.advance(1)
    await asyncio.wait_for(second, 1)
    assert budget.taken == 2


@pytest.mark.parametrize(
    ("limits", "pause_s"),
    [
        (Limits(), 10.0),
        (Limits(retry_after_s=30), 30.0),
        (Limits(reset_s=7), 7.0),
        (Limits(retry_after_s=10**9), 3_600.0),
    ],
)
async def test_F28_after_429_nobody_asks_until_the_pause_is_over(limits: Limits, pause_s: float) -> None:
    """As long as the exchange says, or ten seconds; then gently."""
    clock = FakeClock(is_automatic=True)
    budget = Budget(clock=clock)
    budget.heed(429, limits)
    assert budget.pause_s == pause_s
    if pause_s <= 120:
        assert await _times(budget, clock, 3) == [pause_s, pause_s + 1, pause_s + 2]


async def test_long_pause_is_told_instead_of_waited_for() -> None:
    """A reader must not hang for an hour; the error says how long and what to do."""
    clock = FakeClock()
    budget = Budget(clock=clock)
    budget.heed(429, Limits(retry_after_s=600))
    with pytest.raises(RateLimited, match=r"no request for 600 s more \(429\).*other programs") as caught:
        await budget.take()
    assert caught.value.retry_after_s == 600
    assert clock.slept == []


async def test_shorter_pause_does_not_end_a_longer_one() -> None:
    """Two replies in the wrong order."""
    clock = FakeClock()
    budget = Budget(clock=clock)
    budget.heed(429, Limits(retry_after_s=100))
    budget.heed(429, Limits(retry_after_s=5))
    assert budget.pause_s == 100


async def test_F28_what_the_exchange_has_left_is_respected() -> None:
    """Another program with the same key has used nearly everything."""
    clock = FakeClock(is_automatic=True)
    budget = Budget(clock=clock)
    budget.heed(200, Limits(remaining=2, reset_s=40))
    assert await _times(budget, clock, 3) == [0.0, 0.0, 1.0]
    budget.heed(200, Limits(remaining=0, reset_s=40))
    assert budget.pause_s == 40


async def test_policy_slows_down_and_never_speeds_up() -> None:
    """A generous policy changes nothing, a strict one is followed while it is announced."""
    clock = FakeClock(is_automatic=True)
    budget = Budget(60, 1, clock)
    budget.heed(200, Limits(per_s=5_000 / 60))
    assert await _times(budget, clock, 2) == [0.0, 1.0]
    budget.heed(200, Limits(per_s=0.1))
    assert await _times(budget, clock, 2) == [10.0, 20.0]
    budget.heed(200, Limits())
    assert await _times(budget, clock, 1) == [1.0]


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        ({}, Limits()),
        ({"RateLimit": "limit=5000, remaining=4999, reset=60"}, Limits(4_999, 60)),
        ({"ratelimit-policy": "5000;w=60"}, Limits(per_s=5_000 / 60)),
        ({"RateLimit-Policy": "5000;w=60, 10;w=1"}, Limits(per_s=10.0)),
        ({"Retry-After": "17"}, Limits(retry_after_s=17)),
        ({"Retry-After": "Wed, 23 Sep 2026 05:07:30 GMT"}, Limits(retry_after_s=50)),
        ({"Retry-After": "Wed, 23 Sep 2020 05:07:30 GMT"}, Limits(retry_after_s=0)),
        ({"ratelimit": "remaining=lots", "ratelimit-policy": "5000;w=0", "retry-after": "soon"}, Limits()),
        ({"retry-after": "-5", "ratelimit": "remaining=99999999999999999999"}, Limits()),
    ],
)
def test_headers_are_read_as_recorded(headers: dict[str, str], limits: Limits) -> None:
    """Also with odd spelling; what makes no sense says nothing."""
    assert limits_in(CIMultiDict(headers), 1_790_140_000.0) == limits
