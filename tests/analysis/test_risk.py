"""How near a position is to its end: ratio, distances, time; and what is exposed."""

import math
from decimal import Decimal as D

import numpy as np
import pytest

from coindcx_feed.analysis import risk
from coindcx_feed.analysis.risk import Figure, Held

LONG = Held(D("0.5"), D(2_000), D(200), D(15), D(1_630), D(2_100), is_crossed=False)
SHORT = LONG._replace(size=D("-0.5"), liquidation=D(2_370))
UNMARKED = LONG._replace(mark=None)
CROSSED = LONG._replace(is_crossed=True, liquidation=None)


def test_margin_ratio_is_maintenance_of_margin_and_result() -> None:
    """15 ÷ (200 + 0.5 × 100); a short has lost what the long won."""
    assert risk.margin_ratio(LONG).value == pytest.approx(0.06)
    assert risk.margin_ratio(SHORT).value == pytest.approx(0.1)


def test_margin_ratio_is_one_at_the_liquidation_price() -> None:
    """The captured formula of the price and this ratio meet: avg − (margin − maintenance) ÷ size."""
    at_end = LONG._replace(mark=LONG.liquidation)
    assert risk.margin_ratio(at_end).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (UNMARKED, "no fresh mark"),
        (LONG._replace(maintenance=None), "did not send"),
        (CROSSED, "whole wallet"),
        (LONG._replace(mark=D(1_000)), "used up"),
    ],
)
def test_unknown_ratio_says_why(held: Held, reason: str) -> None:
    """Never a zero."""
    found = risk.margin_ratio(held)
    assert found.value is None
    assert reason in (found.reason or "")


def test_crossed_positions_share_one_ratio() -> None:
    """Maintenance of all ÷ (available + result of all), as the documented sample relates them."""
    found = risk.crossed_ratio([CROSSED, CROSSED], D(900))
    assert (found.value, found.basis) == (pytest.approx(0.03), "shared by 2 crossed")
    assert risk.crossed_ratio([CROSSED], None).reason == "its wallet was not seen yet"
    assert risk.crossed_ratio([CROSSED, CROSSED._replace(mark=None)], D(900)).value is None


def test_day_ranges_count_days_like_the_last() -> None:
    """470 to go, 94 a day: five days."""
    found = risk.day_ranges(LONG, 2_110.0, 2_016.0)
    assert found.value == pytest.approx(5.0)
    assert "2,016 to 2,110" in (found.basis or "")
    assert risk.day_ranges(LONG, None, 2_016.0).reason == "the day's range is not known"
    assert risk.day_ranges(LONG, 2_000.0, 2_000.0).value is None
    assert risk.day_ranges(UNMARKED, 2_110.0, 2_016.0).reason == "no fresh mark"


def marks(seconds: int, step: float, every: int = 60) -> tuple[risk.Floats, risk.Floats]:
    t_ms = np.arange(seconds, dtype=np.float64) * 1_000
    ups = (np.arange(seconds) // every) % 2
    return t_ms, 100.0 * np.exp(step * ups)


def test_volatility_is_that_of_minutes() -> None:
    """A mark that moves 0.1 % each minute: 0.1 % ÷ √60 a second."""
    found = risk.volatility(*marks(3_601, 0.001))
    assert found.value == pytest.approx(0.001 / math.sqrt(60), rel=0.02)
    assert found.basis == "60 steps of 60 s"


def test_volatility_of_a_short_history_is_that_of_5_seconds() -> None:
    """A quarter of an hour is too short for minutes; less than that is nothing."""
    found = risk.volatility(*marks(600, 0.001, every=5))
    assert found.value == pytest.approx(0.001 / math.sqrt(5), rel=0.02)
    assert "of 5 s" in (found.basis or "")
    assert risk.volatility(*marks(60, 0.001)).value is None
    assert risk.volatility(np.empty(0), np.empty(0)).reason == "needs 2.5 minutes of marks"


def test_steps_across_a_hole_do_not_count() -> None:
    """Half an hour without marks between two prices is no return of a minute."""
    t_ms, mark = marks(3_601, 0.001)
    mark[600:2_400] = np.nan
    mark[2_400:] *= 2
    found = risk.volatility(t_ms, mark)
    assert found.value == pytest.approx(0.001 / math.sqrt(60), rel=0.05)


def test_time_is_the_square_of_the_distance_in_deviations() -> None:
    """(|ln(1630 ÷ 2100)| ÷ σ)² seconds; twice the volatility is a quarter of the time."""
    one = risk.time_to_liquidation(LONG, Figure(0.0001)).value
    two = risk.time_to_liquidation(LONG, Figure(0.0002)).value
    assert one == pytest.approx((math.log(2_100 / 1_630) / 0.0001) ** 2)
    assert two is not None
    assert one == pytest.approx(4 * two)


@pytest.mark.parametrize(
    ("held", "sigma", "reason"),
    [
        (LONG, Figure(None, "needs marks"), "needs marks"),
        (LONG, Figure(0.0), "the mark did not move"),
        (UNMARKED, Figure(0.1), "no fresh mark"),
        (CROSSED, Figure(0.1), "crossed: the whole wallet stands for it"),
        (LONG._replace(liquidation=None), Figure(0.1), "the exchange sent no liquidation price"),
    ],
)
def test_unknown_time_says_why(held: Held, sigma: Figure, reason: str) -> None:
    """No mark, no movement, no price of liquidation: no time."""
    assert risk.time_to_liquidation(held, sigma) == Figure(None, reason)


def test_distance_is_a_share_of_the_mark() -> None:
    """Of a stop or a target, either way."""
    assert risk.distance(LONG, D(1_890)) == pytest.approx(0.1)
    assert risk.distance(UNMARKED, D(1_890)) is None
    assert risk.distance(LONG, None) is None


def test_exposure_adds_up_sizes_at_mark() -> None:
    """Long and short apart, without leverage; what has no mark is counted, not valued."""
    found = risk.exposure([LONG, SHORT, SHORT, UNMARKED])
    assert (found.long, found.short, found.unknown) == (D(1_050), D(2_100), 1)
    assert (found.total, found.net) == (D(3_150), D(-1_050))
