"""The clock skew from dates that are cut to whole seconds."""

import random

import pytest

from coindcx_feed.exchange.rest_skew import KEPT, ClockSkew


def _ask(skew: ClockSkew, at_ms: float, offset_ms: float, there_ms: float = 20, back_ms: float = 20) -> None:
    """Ask at a true time; our clock is ``offset_ms`` ahead."""
    server_ms = (at_ms + there_ms) // 1_000 * 1_000
    skew.add(at_ms + offset_ms, at_ms + there_ms + back_ms + offset_ms, server_ms)


def test_nothing_is_claimed_before_the_first_reply() -> None:
    """No estimate is not an offset of zero."""
    assert ClockSkew().estimate() is None


@pytest.mark.parametrize("offset_ms", [0, -3_600_000, 3_600_000, -1_000, 412, 30_000])
def test_F19_one_reply_bounds_the_offset_to_half_a_second(offset_ms: int) -> None:
    """The truth is within the bound, which is the second's half and half the round trip."""
    skew = ClockSkew()
    _ask(skew, 1_790_140_000_300, offset_ms)
    estimate = skew.estimate()
    assert estimate is not None
    assert estimate.uncertainty_ms == pytest.approx(520)
    assert abs(estimate.offset_ms - offset_ms) <= estimate.uncertainty_ms


@pytest.mark.parametrize("seed", range(20))
def test_F19_many_replies_bring_the_bound_near_the_round_trip(seed: int) -> None:
    """The truth never leaves the bound, and 50 replies make it narrow: 60 ms at most for round trips of 40 ms."""
    rng = random.Random(seed)
    skew, offset_ms, now_ms = ClockSkew(), rng.uniform(-5_000, 5_000), 1_790_140_000_000.0
    for _ in range(50):
        now_ms += rng.uniform(100, 3_000)
        _ask(skew, now_ms, offset_ms, there_ms=rng.uniform(5, 20), back_ms=rng.uniform(5, 20))
        estimate = skew.estimate()
        assert estimate is not None
        assert abs(estimate.offset_ms - offset_ms) <= estimate.uncertainty_ms + 1e-6
    last = skew.estimate()
    assert last is not None
    assert last.uncertainty_ms <= 60


def test_F19_clock_that_was_set_starts_anew() -> None:
    """An hour back: the old samples contradict the new one and are forgotten."""
    skew = ClockSkew()
    for number in range(10):
        _ask(skew, 1_790_140_000_000 + number * 700, 0)
    _ask(skew, 1_790_140_010_000, -3_600_000)
    estimate = skew.estimate()
    assert estimate is not None
    assert estimate.samples == 1
    assert abs(estimate.offset_ms + 3_600_000) <= estimate.uncertainty_ms


def test_reply_during_which_the_clock_was_set_back_is_left_out() -> None:
    """It seems to have come before it was asked for."""
    skew = ClockSkew()
    skew.add(1_000_000, 999_000, 1_000_000)
    assert skew.estimate() is None


def test_samples_are_bounded() -> None:
    """C8: a slow drift is not hidden by what was true yesterday."""
    skew = ClockSkew()
    for number in range(3 * KEPT):
        _ask(skew, 1_790_140_000_000 + number * 1_700, number * 0.1)
    estimate = skew.estimate()
    assert estimate is not None
    assert estimate.samples == KEPT
    assert abs(estimate.offset_ms - 19) < estimate.uncertainty_ms + 7
