"""Classes of times to fill: narrow, adding up, and a median that is hardly off."""

import statistics
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.fill_times import PER_DOUBLING, class_of, median_ms

WIDTH = 2 ** (1 / PER_DOUBLING) - 1


def _classes(times: list[int]) -> dict[str, tuple[int, Decimal]]:
    found: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for ms in times:
        number, added = found[class_of(Decimal(ms))]
        found[class_of(Decimal(ms))] = number + 1, added + ms
    return found


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_median_is_off_by_a_class_at_most(times: list[int]) -> None:
    """Also of an even number of times, whose two middle ones lie far apart."""
    assert median_ms(_classes(times)) == pytest.approx(statistics.median(times), rel=WIDTH, abs=1.0)


def test_equal_times_have_an_exact_median() -> None:
    """A class stands for its mean."""
    assert median_ms(_classes([12_345] * 7)) == 12_345.0
    assert median_ms({}) is None


def test_classes_ascend_with_time() -> None:
    """From nothing to a month."""
    names = [int(class_of(Decimal(ms))) for ms in (0, 1, 2, 1_000, 1_100, 60_000, 2_592_000_000)]
    assert names == sorted(set(names))
