"""What moved a wallet: ledger rows, and the steps that stand in for them."""

from decimal import Decimal as D

import pytest
from fakes.notes import ledger, note, order, position

from coindcx_feed.analysis.causes import SAME_MS, Cause, Causes, conversion, funded
from coindcx_feed.analysis.noted import Noted


def collected(*events: Noted, currency: str = "USDT") -> list[Cause]:
    causes = Causes()
    for event in events:
        causes.take(event)
    return causes.of(currency)


def parts(cause: Cause) -> dict[str, D]:
    return {part.kind: part.amount for part in cause.parts}


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("default", {"realised": D(5), "fee": D(-1)}),
        ("tpsl_exit", {"realised": D(5), "fee": D(-1)}),
        ("liquidation", {"realised": D(5), "fee": D(-1)}),
        ("funding", {"funding": D(5), "fee": D(-1)}),
        ("wallet_transfer", {"transfer": D(5), "fee": D(-1)}),
        ("currency_conversion", {"conversion": D(5), "fee": D(-1)}),
        ("something_new", {"other": D(5), "fee": D(-1)}),
    ],
)
def test_ledger_row_says_its_kind_by_its_stage(stage: str, expected: dict[str, D]) -> None:
    """A stage nobody knows is *other*, never taken for a known one."""
    assert [parts(cause) for cause in collected(ledger(1, 1_000, stage, "5", "1"))] == [expected]


def test_step_of_an_order_brings_fee_and_realised_result() -> None:
    """A sell of 1 at 110 against a long from 100 realised 10; its fee is the order's."""
    found = collected(
        position(1, 900, "2"), order(2, 1_000, "filled", "1", side="sell", avg_price="110", fee_amount="0.5")
    )
    assert [(parts(cause), cause.source) for cause in found] == [({"realised": D(10), "fee": D("-0.5")}, "order")]


def test_step_counts_what_is_new_of_an_order() -> None:
    """Quantities, averages and fees of an order are cumulative: 1 at 100, then 1 more at 104."""
    first = order(2, 1_000, "partially_filled", "1", avg_price="100", fee_amount="0.5")
    second = order(3, 2_000, "filled", "2", avg_price="102", fee_amount="1.1", total_quantity="2", previous=2)
    closing = collected(position(1, 900, "-5", average="110"), first, second)
    assert [parts(cause) for cause in closing] == [
        {"realised": D(10), "fee": D("-0.5")},
        {"realised": D(6), "fee": D("-0.6")},
    ]


def test_second_order_closes_what_the_first_left() -> None:
    """Two exits that fill before the position is told of again: the second finds 1 of 2 left, and turns it over."""
    events = [
        position(1, 900, "2"),
        order(2, 1_000, "filled", "1", side="sell", id="a", avg_price="110"),
        order(3, 1_001, "filled", "3", side="sell", id="b", avg_price="120", total_quantity="3"),
    ]
    assert [parts(cause)["realised"] for cause in collected(*events)] == [D(10), D(20)]


def test_order_that_was_filled_before_it_was_seen_is_no_step() -> None:
    """How far it was before is unknown: its first record here has one before it that is not kept."""
    assert collected(order(2, 1_000, "filled", "1", avg_price="100", fee_amount="1", previous=1)) == []


@pytest.mark.parametrize(("away_ms", "count"), [(0, 1), (SAME_MS, 1), (SAME_MS + 1, 2)])
def test_ledger_row_replaces_the_step_it_stands_for(away_ms: float, count: int) -> None:
    """Booked with the step, or so near to it; a row of another time is another fill."""
    step = order(2, 10_000, "partially_filled", "0.4", avg_price="100", fee_amount="0.5")
    found = collected(step, ledger(3, 10_000 + away_ms, "default", "0", "0.2"))
    assert [cause.source for cause in found].count("ledger") == 1
    assert len(found) == count


def test_rows_that_cover_an_orders_fees_replace_its_steps() -> None:
    """However far apart the times are: the fees are the same money."""
    step = order(2, 10_000, "filled", "1", avg_price="100", fee_amount="0.5")
    assert len(collected(step, ledger(3, 60_000, "default", "0", "0.5"))) == 1


def test_inr_book_needs_the_records_own_rate() -> None:
    """USDT figures of an order become rupees at the rate it names; without one nothing is said."""
    named = {"margin_currency_short_name": "INR", "avg_price": "100", "fee_amount": "0.5"}
    step = order(2, 1_000, "filled", "1", settlement_currency_conversion_price="102", **named)
    assert [parts(cause)["fee"] for cause in collected(step, currency="INR")] == [D("-51.0")]
    assert collected(order(2, 1_000, "filled", "1", **named), currency="INR") == []
    assert (conversion(None, "USDT"), conversion(D(0), "INR")) == (D(1), None)


def test_funding_shows_in_the_margin_of_an_isolated_position() -> None:
    """Nothing else moves the margin while size, average and the money put in stay."""
    before, after = position(1, 1_000, "1"), position(2, 2_000, "1", locked_margin="9.75")
    found = collected(before, after)
    assert [(parts(cause), cause.source) for cause in found] == [({"funding": D("-0.25")}, "position")]
    told = collected(before, after, ledger(3, 2_010, "funding", "-0.25"))
    assert [cause.source for cause in told] == ["ledger"]
    assert [cause.reference for cause in told] == ["p-1"]


@pytest.mark.parametrize(
    "changed",
    [
        {"active_pos": "2"},
        {"avg_price": "101"},
        {"locked_user_margin": "9.75"},
        {"margin_type": "crossed"},
        {"locked_user_margin": None},
        {"active_pos": "0"},
    ],
)
def test_margin_that_something_else_moved_is_no_funding(changed: dict[str, str | None]) -> None:
    """A fill, own money, crossed margin, flat: then it is not proven."""
    before = position(1, 1_000, "1")
    after = position(2, 2_000, "1", **{"locked_margin": "9.75", **changed})
    assert not funded(before.data, after.data)


def test_records_of_no_currency_and_old_causes_are_forgotten() -> None:
    """What belongs to no wallet explains none."""
    causes = Causes()
    causes.take(note("ledger", 1, 1_000, stage="default", amount="1", margin_currency_short_name=None))
    causes.take(ledger(2, 1_000, "default", "1"))
    causes.take(ledger(3, 2_000, "default", "2"))
    causes.forget_before("USDT", 1_500)
    assert [cause.seq for cause in causes.of("USDT")] == [3]
