"""Present orders, positions and balances: exact money, shares, distances."""

import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position, rows
from fakes.pipelines import feed, filled, new_pipeline, row

from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.views import account


def _marks(age_s: float = 0.0, **prices: str) -> Marks:
    fields = {f"B-{name}_USDT": {"mp": Decimal(price)} for name, price in prices.items()}
    marks = Marks()
    record = CurrentPricesRecord.model_validate({"pr": "futures", "prices": fields})
    marks.update(record, time.time_ns() - int(age_s * 1e9), ())
    return marks


def _order(**fields: Any) -> dict[str, Any]:
    (found,) = account.Orders().rows(filled(row(ORDER, order(**fields))).state)
    return found


def _position(marks: Marks, **fields: Any) -> dict[str, Any]:
    (found,) = account.positions(filled(row(POSITION, position(**fields))).state, marks)
    return found


def _recorded(*patterns: str) -> Pipeline:
    return filled(*(found for found in rows(*patterns) if "event" in found))


def test_order_shows_the_exchange_figures_as_text() -> None:
    """Every digit, no exponent, no float."""
    found = _order(
        price="2900.50", total_quantity="0.300", remaining_quantity="0.100", leverage=5, fee_amount="8.893e-05"
    )
    assert found["price"] == "2900.50"
    assert (found["quantity"], found["remaining_quantity"]) == ("0.300", "0.100")
    assert (found["filled_quantity"], found["cancelled_quantity"]) == ("0.2", "0")
    assert found["filled_share"] == pytest.approx(2 / 3)
    assert (found["leverage"], found["fee"]) == ("5", "0.00008893")
    assert (found["created_ms"], found["updated_ms"], found["seq"]) == (1_790_000_000_000, 1_790_000_000_000, 1)


async def test_only_an_order_that_changed_is_built_again() -> None:
    """Thousands of rows are asked for twice a second: the others stay the same objects."""
    asked = account.Orders()
    pipeline = new_pipeline()
    await feed(pipeline, [row(ORDER, order("a", updated_at=1)), row(ORDER, order("b", updated_at=2))])
    before = {found["id"]: found for found in asked.rows(pipeline.state)}
    await feed(pipeline, [row(ORDER, order("a", updated_at=3, status="cancelled"))])
    after = asked.rows(pipeline.state)
    assert [found["id"] for found in after] == ["a", "b"]
    assert after[0]["status"] == "cancelled"
    assert after[1] is before["b"]


@pytest.mark.parametrize("field", ["avg_price", "price", "stop_price"])
def test_zero_price_stands_for_none(field: str) -> None:
    """The exchange writes 0 where there is none."""
    assert _order(**{field: 0})[field] is None
    assert _order(**{field: "0.00"})[field] is None


@pytest.mark.parametrize(
    ("fields", "filled_quantity", "share"),
    [
        ({"total_quantity": 2, "remaining_quantity": 0, "cancelled_quantity": "1.2"}, "0.8", 0.4),
        ({"total_quantity": "0.019", "remaining_quantity": 0, "cancelled_quantity": "0.019"}, "0", 0.0),
        ({"total_quantity": 0, "remaining_quantity": 0}, "0", None),
        ({"cancelled_quantity": None}, None, None),
    ],
)
def test_filled_share_counts_neither_what_is_left_nor_what_was_cancelled(
    fields: dict[str, object], filled_quantity: str | None, share: float | None
) -> None:
    """An untriggered order with zero quantities has no share."""
    found = _order(**fields)
    assert (found["filled_quantity"], found["filled_share"]) == (filled_quantity, share)


def test_F11_tiny_number_is_not_written_out() -> None:
    """A leverage of 1e-999999999 as text would be a gigabyte of zeros in a table cell."""
    assert len(_order(leverage="1e-999999999")["leverage"]) < 40


def test_orders_come_last_touched_first_with_their_end() -> None:
    """Known and unknown statuses are told apart."""
    pipeline = filled(
        row(ORDER, order("a"), order("b", status="Filled")), row(ORDER, order("a", status="paused", fee_amount=1))
    )
    found = account.Orders().rows(pipeline.state)
    assert [(item["id"], item["is_terminal"], item["status_is_known"]) for item in found] == [
        ("a", False, False), ("b", True, True),
    ]  # fmt: skip
    assert account.order(pipeline.state, "a") == found[0]
    assert account.order(pipeline.state, "no such") is None


@pytest.mark.parametrize("size", ["0.200", "-0.200"])
def test_position_side_size_and_money_are_exact(size: str) -> None:
    """The sign is the exchange's."""
    found = _position(_marks(ETH="2900.1"), active_pos=size, avg_price="2887.60", locked_margin="115.50")
    is_long = not size.startswith("-")
    assert (found["side"], found["size"]) == ("long" if is_long else "short", size)
    assert (found["avg_price"], found["margin"], found["mark_price"]) == ("2887.60", "115.50", "2900.1")
    assert found["unrealized_pnl"] == ("2.5" if is_long else "-2.5")
    assert found["pnl_share"] == pytest.approx(2.5 / 115.5 * (1 if is_long else -1))
    assert found["quote"] == "USDT"


def test_pnl_is_exact_to_the_last_digit() -> None:
    """Products of long decimals are not rounded on the way."""
    found = _position(_marks(ETH="2890.123456789012345"), active_pos="0.123456789012345678", avg_price="2887.1")
    exact = Fraction("0.123456789012345678") * (Fraction("2890.123456789012345") - Fraction("2887.1"))
    assert Fraction(found["unrealized_pnl"]) == exact


def test_liquidation_distance_is_the_share_of_the_mark() -> None:
    """Long and short alike: how far the mark may go."""
    assert _position(_marks(ETH="3000"), liquidation_price=2400)["liquidation_distance"] == pytest.approx(0.2)
    short = _position(_marks(ETH="3000"), active_pos=-1, liquidation_price=3600)
    assert short["liquidation_distance"] == pytest.approx(0.2)


def test_crossed_position_has_no_liquidation_price() -> None:
    """The exchange's figure is meaningless then."""
    found = _position(_marks(ETH="3000"), margin_type="crossed")
    assert (found["liquidation_price"], found["liquidation_distance"]) == (None, None)
    assert _position(_marks(), margin_type=None)["margin_type"] == "isolated"


@pytest.mark.parametrize(("age_s", "is_fresh"), [(1.0, True), (60.0, False)])
def test_C6_mark_tells_its_age_and_whether_it_is_fresh(age_s: float, is_fresh: bool) -> None:
    """An old one is shown with its age, and the page greys what follows from it."""
    found = _position(_marks(age_s, ETH="2900.1"))
    assert found["mark_is_fresh"] is is_fresh
    assert found["mark_age_s"] == pytest.approx(age_s, abs=0.9)
    assert found["mark_price"] == "2900.1"


def test_position_without_a_mark_computes_nothing() -> None:
    """Unknown is not zero."""
    found = _position(_marks(BTC="64000"))
    names = ("mark_price", "mark_age_s", "unrealized_pnl", "pnl_share", "liquidation_distance")
    assert [found[name] for name in names] == [None] * 5
    assert found["mark_is_fresh"] is False


def test_flat_position_has_no_pnl_and_keeps_its_mark() -> None:
    """Flat rows come with zeros and nulls."""
    found = _position(_marks(ETH="2900.1"), active_pos=0, avg_price=0, liquidation_price=None, locked_margin=0)
    assert (found["side"], found["size"], found["mark_price"]) == ("flat", "0", "2900.1")
    assert (found["avg_price"], found["liquidation_price"], found["unrealized_pnl"]) == (None, None, None)


def test_positions_of_one_pair_in_two_margin_currencies_are_separate() -> None:
    """INR and USDT books of a pair have their own size and margin."""
    sent = row(
        POSITION,
        position("p-usdt", active_pos=1),
        position("p-inr", active_pos=-2, margin_currency_short_name="INR", locked_margin="9000.123456789"),
    )
    found = account.positions(filled(sent).state, _marks(ETH="2900"))
    assert [(item["id"], item["margin_currency"], item["size"], item["margin"]) for item in found] == [
        ("p-inr", "INR", "-2", "9000.123456789"), ("p-usdt", "USDT", "1", "115.5"),
    ]  # fmt: skip


def test_open_positions_come_before_flat_ones() -> None:
    """Each group by pair."""
    sent = [("a", "B-BTC_USDT", 0), ("b", "B-SOL_USDT", 1), ("c", "B-ETH_USDT", -1)]
    records = [position(name, pair=pair, active_pos=size) for name, pair, size in sent]
    found = account.positions(filled(row(POSITION, *records)).state, Marks())
    assert [item["id"] for item in found] == ["c", "b", "a"]


def test_golden_balance_is_shown_digit_for_digit() -> None:
    """Total is free plus locked, exact; a long amount keeps its digits."""
    wallet = balance(free="1650841.59606695345873", locked="0.00000000000001", currency="INR")
    (found,) = account.balances(filled(row(BALANCE, wallet)).state, None, None)
    assert (found["available"], found["locked"]) == ("1650841.59606695345873", "0.00000000000001")
    assert found["total"] == "1650841.59606695345874"
    assert found["in_inr"] is None


def test_recorded_balance_of_the_inr_wallet() -> None:
    """The captured frame."""
    (found,) = account.balances(_recorded("ws/balance-update.captured.jsonl").state, None, None)
    assert (found["currency"], found["available"], found["locked"]) == ("INR", "265.01745775027309", "258.600771")
    assert found["total"] == "523.61822875027309"
    assert found["locked_share"] == pytest.approx(258.600771 / 523.61822875027309)


def test_usdt_balance_in_rupees_carries_rate_and_time() -> None:
    """Only USDT is converted; the product is exact."""
    sent = row(BALANCE, balance("u", "10.25", "0.75"), balance("i", "7", "0", "INR"))
    found = account.balances(filled(sent).state, Decimal("102.5"), 1_790_000_000_000)
    assert [item["currency"] for item in found] == ["USDT", "INR"]
    assert found[0]["in_inr"] == {"text": "1127.500", "rate": "102.5", "rate_ms": 1_790_000_000_000}
    assert found[1]["in_inr"] is None


def test_empty_wallet_has_no_locked_share() -> None:
    """Nothing divided by nothing is unknown."""
    (found,) = account.balances(filled(row(BALANCE, balance(free="0"))).state, None, None)
    assert (found["total"], found["locked_share"]) == ("0", None)


def test_newest_wallet_row_of_a_currency_counts() -> None:
    """A wallet that was given a new id does not show twice."""
    sent = row(BALANCE, balance("new", "2"), balance("old", "1"), balance("new", "3"))
    (found,) = account.balances(filled(sent).state, None, None)
    assert (found["id"], found["available"]) == ("new", "3")
