"""Times and rates of funding: functions of seed, pair and time, nothing else."""

from decimal import Decimal as D

import pytest
from simulator.helpers import START_MS

from coindcx_feed.simulator.funding import HOUR_MS, FundingRates
from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.market import Market

ETH = "B-ETH_USDT"


def test_interval_is_the_contracts_unless_overridden() -> None:
    """Eight hours by the instrument's row; a switch makes it shorter at any time."""
    override: list[int] = []
    rates = FundingRates(Market(1, instruments()), lambda: override[0] if override else None)
    assert rates.interval_ms(ETH) == 8 * HOUR_MS
    override.append(60_000)
    assert rates.interval_ms(ETH) == 60_000


@pytest.mark.parametrize(
    ("after_ms", "until_ms", "is_due"),
    [
        (59_000, 60_000, True),
        (59_999, 60_000, True),
        (60_000, 61_000, False),
        (0, 59_999, False),
        (59_000, 200_000, True),
    ],
)
def test_funding_falls_on_multiples_of_the_interval(after_ms: int, until_ms: int, is_due: bool) -> None:
    """The end of a stretch belongs to it, its beginning does not."""
    rates = FundingRates(Market(1, instruments()), lambda: 60_000)
    assert rates.is_due(ETH, after_ms, until_ms) is is_due


def test_upcoming_rate_is_the_one_settled_next() -> None:
    """What is announced is what is paid."""
    rates = FundingRates(Market(1, instruments()))
    next_ms = (START_MS // rates.interval_ms(ETH) + 1) * rates.interval_ms(ETH)
    assert rates.upcoming(ETH, START_MS) == rates.settled(ETH, next_ms)


def test_rates_are_small_and_follow_the_seed() -> None:
    """Both signs occur; the same seed gives the same rates."""
    first, again, other = (FundingRates(Market(seed, instruments()), lambda: 1_000) for seed in (1, 1, 2))
    times = range(START_MS, START_MS + 100_000, 1_000)
    rates = [first.settled(ETH, at_ms) for at_ms in times]
    assert rates == [again.settled(ETH, at_ms) for at_ms in times]
    assert rates != [other.settled(ETH, at_ms) for at_ms in times]
    assert min(rates) < 0 < max(rates) <= D("0.0001")
