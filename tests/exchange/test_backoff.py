"""Delays between connections."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.exchange.backoff import JITTER, Backoff


def test_F02_delays_double_to_the_cap() -> None:
    """Without jitter: 1, 2, 4, … 30, 30."""
    backoff = Backoff(1, 30, uniform=lambda: 0.0)
    assert [backoff.next() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_reset_begins_anew() -> None:
    """After a stable minute the next delay is short again."""
    backoff = Backoff(1, 30, uniform=lambda: 0.0)
    for _ in range(6):
        backoff.next()
    backoff.reset()
    assert backoff.next() == 1


@given(st.lists(st.floats(min_value=0, max_value=0.999), min_size=8, max_size=8))
def test_F02_jitter_shortens_and_never_exceeds(draws: list[float]) -> None:
    """Each delay lies between half of its cap and its cap."""
    values = iter(draws)
    backoff = Backoff(1, 30, uniform=lambda: next(values))
    caps = [1, 2, 4, 8, 16, 30, 30, 30]
    delays = [backoff.next() for _ in caps]
    assert all(cap * (1 - JITTER) <= delay <= cap for cap, delay in zip(caps, delays, strict=True))
    assert all(later >= earlier / 2 for earlier, later in pairwise(delays))
