"""The clock's offset in words."""

import pytest

from coindcx_feed.ui import clock_skew


def _skew(offset_ms: float, uncertainty_ms: float = 40.0) -> dict[str, float]:
    return {"offset_ms": offset_ms, "uncertainty_ms": uncertainty_ms, "samples": 12}


@pytest.mark.parametrize(
    ("offset_ms", "shown"),
    [
        (120.0, "+120 ms, ahead of the exchange"),
        (-1_450.4, "−1,450 ms, behind the exchange"),
        (3_600_000.0, "+1 h 00 m, ahead of the exchange"),
        (0.2, "0 ms, as the exchange"),
    ],
)
def test_F19_offset_has_sign_unit_and_direction(offset_ms: float, shown: str) -> None:
    """A sign alone would leave open which clock is the late one."""
    assert clock_skew.offset(_skew(offset_ms)) == shown


def test_F19_clock_is_off_only_beyond_what_is_uncertain() -> None:
    """One reply bounds the offset to half a second either way: that is no wrong clock."""
    assert not clock_skew.is_off(_skew(2_400.0, 600.0))
    assert clock_skew.is_off(_skew(-2_700.0, 600.0))
    assert clock_skew.uncertainty(_skew(0, 612.0)) == "± 612 ms"
