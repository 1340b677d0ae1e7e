"""Golden rows: the formulas reproduce captured fees, margins and liquidation prices."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.simulator.margin import fee, liquidation_price, maintenance_margin, order_margin

ONE_PERCENT = [(D(10**9), D(1))]


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        ("2102.51", "0.015", "0.0186072135"),
        ("107.54", "4.67", "0.296304962"),
        ("85.81", "10.33", "0.522986207"),
        ("64128.4", "0.001", "0.037835756"),
    ],
)
def test_fee_of_captured_fills(price: str, quantity: str, expected: str) -> None:
    """Price × quantity × taker percent, unrounded; captured rows show nine to ten decimals of it."""
    exact = fee(D(price), D(quantity), D("0.059"))
    assert exact.quantize(D(expected)) == D(expected)


def test_inr_fee_is_the_usdt_fee_at_the_peg() -> None:
    """The captured ledger row of an INR fill."""
    assert (D("0.296304962") * 102) == D("30.223106124")


@pytest.mark.parametrize(
    ("price", "quantity", "leverage", "expected"),
    [
        ("2102.94", "0.015", "4", "7.904636019"),  # captured, 2025
        ("2776.5", "0.05", "5", "27.84690675"),
        ("119.3", "2", "10", "24.000774"),
        ("2500", "0.01", "3", "8.348083333333"),
        ("86857.7", "1.5", "10", "13105.5240645"),
    ],
)
def test_order_margin(price: str, quantity: str, leverage: str, expected: str) -> None:
    """Value over leverage plus the taker fee."""
    assert order_margin(D(price), D(quantity), D(leverage), D("0.059")) == D(expected)


def test_maintenance_of_a_captured_row() -> None:
    """1.5 % of mark × quantity."""
    assert maintenance_margin(D("2968.91000758") * D("0.01"), [(D(50_000), D("1.5"))]) == D("0.445336501137")


def test_maintenance_tiers_are_marginal() -> None:
    """60,000 at {50,000: 1.5, 100,000: 2} is 950, as documented; the last band has no end."""
    tiers = [(D(50_000), D("1.5")), (D(100_000), D(2))]
    assert maintenance_margin(D(60_000), tiers) == 950
    assert maintenance_margin(D(150_000), tiers) == 750 + 2_000
    assert maintenance_margin(D(0), tiers) == 0


@pytest.mark.parametrize(
    ("active", "avg", "locked", "tiers", "expected"),
    [
        ("0.01", "3045.02", "30.47606849152526", [(D(50_000), D("1.5"))], "43.088450847474"),  # captured
        ("0.05", "2776.5", "27.81414405", ONE_PERCENT, "2247.982119"),
        ("-0.75", "119.3", "8.97917415", ONE_PERCENT, "130.0792322"),
        ("1.5", "86858.1", "13028.654646", ONE_PERCENT, "79040.911236"),
        ("0", "0", "0", ONE_PERCENT, "0"),
    ],
)
def test_liquidation_price(active: str, avg: str, locked: str, tiers: list[tuple[D, D]], expected: str) -> None:
    """The captured long row, and the scenarios' rows with the short formula mirrored."""
    assert liquidation_price(D(active), D(avg), D(locked), tiers) == D(expected)


def test_overfunded_position_has_no_negative_liquidation_price() -> None:
    """More margin than value: the price is 0."""
    assert liquidation_price(D(1), D(10), D(50), ONE_PERCENT) == 0


@given(
    st.decimals(min_value=1, max_value=100_000, places=2),
    st.decimals(min_value=D("0.001"), max_value=1_000, places=3),
    st.integers(min_value=1, max_value=50),
)
def test_short_mirrors_long(price: D, quantity: D, leverage: int) -> None:
    """Long and short of the same size are liquidated at the same distance."""
    locked = order_margin(price, quantity, D(leverage), D("0.059"))
    long = liquidation_price(quantity, price, locked, ONE_PERCENT)
    short = liquidation_price(-quantity, price, locked, ONE_PERCENT)
    assert long == 0 or price - long == short - price
