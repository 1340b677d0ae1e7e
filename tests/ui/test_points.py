"""Which points of a line are drawn: few enough, the extremes and both ends, and never a bridge over a hole."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coindcx_feed.ui.points import MAX_POINTS, broken, kept, thin

Line = npt.NDArray[np.float64]
VALUES = st.sampled_from([0.0, 1.0, -1.0, 2.5, -7.0, 1e9, float("nan"), float("nan")])
LINES = st.integers(0, 120).flatmap(lambda count: arrays(np.float64, count, elements=VALUES))
LIMITS = st.integers(12, 50)


@given(LINES, LIMITS)
def test_ends_and_extremes_are_kept(values: Line, limit: int) -> None:
    """Whatever the line, a reader sees its first and last point, its lowest and its highest, among at most so many."""
    chosen = kept(values, limit)
    assert len(chosen) <= limit
    assert np.all(np.diff(chosen) > 0)
    if len(values):
        assert (chosen[0], chosen[-1]) == (0, len(values) - 1)
    known = values[np.isfinite(values)]
    if len(known):
        assert np.nanmin(values[chosen]) == known.min()
        assert np.nanmax(values[chosen]) == known.max()


@given(LINES, LIMITS)
def test_a_hole_is_never_bridged(values: Line, limit: int) -> None:
    """Between two chosen neighbours that are joined by the line nothing was unknown."""
    chosen = kept(values, limit)
    joined = np.isfinite(values[chosen])
    for begin, end in zip(chosen[:-1][joined[:-1] & joined[1:]], chosen[1:][joined[:-1] & joined[1:]], strict=True):
        assert np.isfinite(values[begin : end + 1]).all()


def test_a_day_of_seconds_fits() -> None:
    """Peaks and breaks survive; other columns follow the first."""
    t_ms = np.arange(86_400, dtype=np.float64)
    line = np.zeros(86_400)
    line[40_000], line[50_000] = 99.0, -99.0
    line[60_000:61_000] = np.nan
    thin_t, thin_line, other = thin(t_ms, line, t_ms * 2)
    assert len(thin_t) <= MAX_POINTS
    assert (np.nanmax(thin_line), np.nanmin(thin_line)) == (99, -99)
    assert np.isnan(thin_line[(thin_t >= 60_000) & (thin_t < 61_000)]).all()
    assert np.array_equal(other, thin_t * 2)


def test_short_lines_are_left_alone() -> None:
    """Nothing is lost where nothing needs to be."""
    t_ms = np.arange(10, dtype=np.float64)
    assert thin(t_ms, t_ms)[0] is t_ms


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        ((25.0, 35.0), [(25.0, 2.0), (35.0, 3.0)]),
        ((25.0, None), [(25.0, 2.0), (60.0, None)]),
        ((1.0, 5.0), []),
        ((90.0, None), []),
    ],
)
def test_steps_break_in_a_gap(gap: tuple[float, float | None], expected: list[tuple[float, float | None]]) -> None:
    """The value holds until the gap begins; after its end the one that is known then."""
    t_ms, values = np.array([10.0, 20.0, 30.0, 60.0]), np.array([1.0, 2.0, 3.0, 3.0])
    times, line = broken(t_ms, values, [{"from_ms": gap[0], "to_ms": gap[1]}], 60.0)
    assert np.all(np.diff(times) >= 0)
    points = list(zip(times.tolist(), line.tolist(), strict=True))
    for at, value in expected:
        assert (at, value) in points if value is not None else any(np.isnan(y) for x, y in points if x == at)
    assert np.isnan(line).any() == bool(expected)
    assert len(times) == len(t_ms) + (3 if expected else 0)
