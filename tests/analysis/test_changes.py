"""What changed: exact values, and the line a table shows of it."""

from decimal import Decimal
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position, rows
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.changes import Change, arrow, changes, grouped, signed, summary
from coindcx_feed.exchange.numbers import parse_exact

KINDS = {ORDER: "order", POSITION: "position", BALANCE: "balance"}
NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?\Z")


def exact(record: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in record.items()}


def line(before: dict[str, Any], after: dict[str, Any], kind: str) -> str:
    return summary(changes(exact(before), exact(after), kind), kind, first=False)


def lines_of(pattern: str) -> list[tuple[str, str]]:
    """Tell a recorded story: the type and the line of each record."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    told = []
    for row in rows(pattern):
        kind = KINDS[row["event"]]
        for record in parse_exact(row["data"]):
            before = last.get((kind, record["id"]))
            told.append((kind, summary(changes(before, record, kind), kind, first=before is None)))
            last[kind, record["id"]] = record
    return told


def test_a_fill_tells_status_and_quantity() -> None:
    """The status before is left out where the filled quantity tells it."""
    before = order(status="partially_filled", total_quantity=0.05, remaining_quantity=0.03, avg_price=2941.55)
    after = order(status="filled", total_quantity=0.05, remaining_quantity=0, avg_price=2941.62, updated_at=2)
    found = changes(exact(before), exact(after), "order")
    assert found == [
        Change("status", "partially_filled", "filled"),
        Change("filled_quantity", "0.02", "0.05"),
        Change("remaining_quantity", "0.03", "0"),
        Change("avg_price", "2941.55", "2941.62"),
    ]
    assert summary(found, "order", first=False) == "status → filled · filled 0.02 → 0.05 ▲"


def test_an_opened_order_tells_both_statuses() -> None:
    """Without a fill the status says where it came from, and the margin that was locked."""
    before, after = order(status="initial", locked_margin=0), order(status="open", locked_margin=19.62)
    assert line(before, after, "order") == "status initial → open · locked 0 → 19.62 ▲"


def test_a_position_tells_size_and_average() -> None:
    """An average of nothing is no price."""
    before, after = position(active_pos=0.2, avg_price=2887.6), position(active_pos=0.25, avg_price=2898.4)
    assert line(before, after, "position") == "size 0.2 → 0.25 ▲ · avg 2,887.6 → 2,898.4"
    flat = position(active_pos=0, avg_price=0)
    assert line(after, flat, "position") == "size 0.25 → 0 ▼ · avg 2,898.4 → –"
    assert line(flat, position(active_pos=-0.2), "position") == "size 0 → −0.2 ▼ · avg – → 2,887.6"


def test_a_balance_tells_locked_and_the_difference_of_the_rest() -> None:
    """Every digit of both amounts is kept; alone, the available amount shows both its values."""
    before, after = balance(free="1000.00", locked="232.31"), balance(free="985.49", locked="246.82")
    assert line(before, after, "balance") == "locked 232.31 → 246.82 ▲ · available −14.51"
    assert line(balance(free="9.5"), balance(free="1650841.59606695345873"), "balance") == (
        "available 9.5 → 1,650,841.59606695345873 ▲"
    )
    assert line(balance(free="1", locked="0"), balance(free="1.0", locked="2"), "balance") == "locked 0 → 2 ▲"


def test_first_seen_and_no_change() -> None:
    """A first event has nothing to compare with; a repeat that only moved in time says so."""
    assert changes(None, order(), "order") == []
    assert summary([], "order", first=True) == "first seen"
    assert line(order(updated_at=1), order(updated_at=2), "order") == "no change"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"price": 10}, {"price": Decimal("10.0")}),
        ({"balance": "1.20"}, {"balance": "1.2"}),
        ({"balance": "5"}, {"balance": Decimal(5)}),
        ({"avg_price": Decimal("1E+2")}, {"avg_price": 100}),
        ({"stop_price": None}, {}),
        ({"stop_price": 5}, {}),
        ({}, {"stop_price": None}),
        ({"filled_quantity": Decimal(1)}, {"filled_quantity": None}),
    ],
)
def test_the_same_value_is_no_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Spelling, a field left out and a derived field that could not be computed are not news."""
    assert changes(before, after, "order") == []


def test_truth_and_texts_are_compared_as_they_are() -> None:
    """True is not 1, and an id of digits is not a number."""
    found = changes({"metatags": True, "group_id": "10"}, {"metatags": 1, "group_id": "10.0"}, "order")
    assert found == [Change("metatags", "true", "1"), Change("group_id", "10", "10.0")]


def test_derived_quantity_is_worked_out_where_it_is_missing() -> None:
    """A verbatim record has no filled quantity: it follows from total, remaining and cancelled."""
    before, after = order(remaining_quantity=0.05), order(remaining_quantity=0, cancelled_quantity=0.03)
    found = {change.field: change for change in changes(exact(before), exact(after), "order")}
    assert found["filled_quantity"] == Change("filled_quantity", "0", "0.02")
    abridged = {"id": "o", "total_quantity": 1, "remaining_quantity": 0}
    assert changes({"id": "o"}, abridged, "order") == [
        Change("remaining_quantity", None, "0"),
        Change("total_quantity", None, "1"),
    ]


def test_unknown_fields_are_told_too() -> None:
    """A field nobody documented is shown under its own name, after the known ones; lists are JSON."""
    found = changes({"new_thing": 1}, {"new_thing": [Decimal("1.50")], "status": "open"}, "order")
    assert found == [Change("status", None, "open"), Change("new_thing", "1", "[1.50]")]


def test_a_huge_exponent_stays_short() -> None:
    """A hostile number is not written out in full."""
    (found,) = changes({"odd": 1}, {"odd": Decimal("1e-999999")}, "order")
    assert found.after == "1E-999999"


def test_T13_hostile_text_stays_one_short_line() -> None:
    """Line ends, direction marks and length of the exchange's text do not reach a table."""
    shown = line(order(display_message="a"), order(display_message="b\n\u202eevil\u2066 " + "x" * 500), "order")
    assert shown.startswith("message a → b \ufffdevil\ufffd x")
    assert shown.isprintable()
    assert len(shown) < 90


def test_recorded_stories_read_well() -> None:
    """A limit order that is filled in two parts, told by its own frames."""
    assert lines_of("scenarios/limit-partial-then-filled*") == [
        ("order", "first seen"),
        ("position", "first seen"),
        ("balance", "first seen"),
        ("order", "no change"),
        ("order", "status initial → open"),
        ("order", "status → partially filled · filled 0 → 0.02 ▲"),
        ("position", "size 0 → 0.02 ▲ · avg – → 2,776.5"),
        ("balance", "no change"),
        ("order", "no change"),
        ("order", "status → filled · filled 0.02 → 0.05 ▲"),
        ("position", "size 0.02 → 0.05 ▲ · buy orders 0.03 → 0 ▼"),
        ("balance", "no change"),
    ]
    assert ("order", "status open → cancelled · cancelled 0 → 0.01 ▲") in lines_of("scenarios/limit-cancelled-inr*")


@given(NUMBERS)
def test_grouping_invents_and_loses_no_digit(text: str) -> None:
    """Without its commas and with a plain minus, the shown number is the exchange's text."""
    shown = grouped(text)
    assert shown.replace(",", "").replace("−", "-") == text
    whole = shown.removeprefix("−").split(".")[0].split(",")
    assert all(len(group) == 3 for group in whole[1:])
    assert 1 <= len(whole[0]) <= 3


@given(NUMBERS, NUMBERS)
def test_differences_are_exact(before: str, after: str) -> None:
    """After less before, with a sign that a reader sees."""
    difference = Change("balance", before, after).difference
    assert difference is not None
    assert difference + Decimal(before) == Decimal(after) or len(before + after) > 27
    shown = signed(difference)
    assert shown[0] == ("+" if difference > 0 else "−" if difference < 0 else "0")
    assert arrow(difference) == (" ▲" if difference > 0 else " ▼" if difference < 0 else "")


def test_no_difference_without_two_numbers() -> None:
    """Texts, and fields that appear or vanish, have no difference."""
    assert Change("status", "open", "filled").difference is None
    assert Change("stop_loss_trigger", None, "5").difference is None
    assert (arrow(None), grouped("n/a")) == ("", "n/a")
