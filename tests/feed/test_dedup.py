"""Repeats, updates and late records, by example and against a model."""

import json
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, frame, order, position, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed.feed.dedup import Deduplicator, Verdict
from coindcx_feed.feed.normalize import AccountItem, Frame, normalize

NEW, LATE, DUPLICATE = Verdict.NEW, Verdict.LATE, Verdict.DUPLICATE
ACCOUNT = {ORDER, POSITION, BALANCE}


def _item(event: str, record: object) -> AccountItem:
    (item,) = normalize(frame(event, [record]))
    assert isinstance(item, AccountItem)
    return item


def _verdicts(event: str, records: list[dict[str, Any]], memory: int = 1_000) -> list[Verdict]:
    dedup = Deduplicator(memory)
    return [dedup.judge(_item(event, record)) for record in records]


def _recorded(pattern: str) -> list[Verdict]:
    dedup = Deduplicator()
    return [
        dedup.judge(item)
        for row in rows(pattern)
        if row.get("event") in ACCOUNT
        for item in normalize(Frame(1, row["event"], row, 1))
        if isinstance(item, AccountItem)
    ]


def test_F07_identical_record_is_a_duplicate() -> None:
    """The same text of the same id and time, whenever it comes again."""
    assert _verdicts(ORDER, [order(), order(status="open", updated_at=1_790_000_000_900), order()]) == [
        NEW, NEW, DUPLICATE,
    ]  # fmt: skip


def test_F07_recorded_doubled_initial_is_one_duplicate() -> None:
    """The captured sequence initial, initial, open, filled."""
    assert _recorded("ws/df-order-update.captured-abridged.jsonl") == [NEW, DUPLICATE, NEW, NEW]


@pytest.mark.parametrize("field", ["remaining_quantity", "status", "fee_amount", "new_field"])
def test_F07_same_time_with_other_content_is_an_update(field: str) -> None:
    """Two updates within one millisecond differ in their content: neither is suppressed."""
    assert _verdicts(ORDER, [order(), order(**{field: "0.01"})]) == [NEW, NEW]


def test_F07_same_content_of_two_kinds_is_no_duplicate() -> None:
    """An order and a position may share an id."""
    dedup = Deduplicator()
    record = {**position("x"), "status": "open"}
    assert [dedup.judge(_item(ORDER, record)), dedup.judge(_item(POSITION, record))] == [NEW, NEW]


def test_F08_balance_that_returns_to_a_former_value_is_published() -> None:
    """A, B, A are three updates; only what equals the present state is a repeat."""
    a, b = balance(free="100"), balance(free="90", locked="10")
    assert _verdicts(BALANCE, [a, a, b, b, a, b]) == [NEW, DUPLICATE, NEW, DUPLICATE, NEW, NEW]


def test_F08_balances_of_two_wallets_do_not_touch_each_other() -> None:
    """A, other wallet, A: the second A is still the present state of its wallet."""
    a, other = balance("w-1"), balance("w-2", currency="INR")
    assert _verdicts(BALANCE, [a, other, a, other]) == [NEW, NEW, DUPLICATE, DUPLICATE]


def test_F09_older_unseen_record_is_late_and_its_repeat_a_duplicate() -> None:
    """Late is decided by the exchange's time, not by arrival."""
    newer, older = order(status="filled", updated_at=2_000), order(updated_at=1_000)
    assert _verdicts(ORDER, [newer, older, older, newer]) == [NEW, LATE, DUPLICATE, DUPLICATE]


def test_F09_late_record_does_not_move_the_known_time_back() -> None:
    """After a late record the next in between is late too."""
    times = [3_000, 1_000, 2_000, 4_000]
    assert _verdicts(POSITION, [position(updated_at=time) for time in times]) == [NEW, LATE, LATE, NEW]


def test_F09_recorded_out_of_order_scenario() -> None:
    """initial, filled, open, filled again, initial again."""
    assert _recorded("scenarios/out-of-order-and-duplicates.*") == [NEW, NEW, LATE, DUPLICATE, DUPLICATE]


@pytest.mark.parametrize("terminal", ["filled", "cancelled", "partially_cancelled", "rejected", "FILLED"])
def test_F09_open_record_of_the_same_time_never_follows_a_terminal_one(terminal: str) -> None:
    """Frames of one millisecond may swap: the order stays ended."""
    assert _verdicts(ORDER, [order(status=terminal), order(status="open")]) == [NEW, LATE]


def test_F09_correction_between_two_terminal_records_of_one_time_is_an_update() -> None:
    """A second terminal record, for example with the fee filled in, is no step back."""
    assert _verdicts(ORDER, [order(status="filled"), order(status="filled", fee_amount=1)]) == [NEW, NEW]


def test_F09_record_without_a_time_does_not_leave_a_terminal_status() -> None:
    """Abridged records may lack the time; they neither reopen an order nor make it forget its time."""
    ended, untimed, older = order(status="filled", updated_at=5), order(updated_at=None), order(updated_at=4)
    assert _verdicts(ORDER, [ended, untimed, older]) == [NEW, LATE, LATE]


def test_record_without_a_time_is_compared_with_the_present_state() -> None:
    """As balances: A, A, B, A."""
    a, b = order(updated_at=None), order(updated_at=None, remaining_quantity=0)
    assert _verdicts(ORDER, [a, a, b, a]) == [NEW, DUPLICATE, NEW, NEW]


def test_C8_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    """What fell out of memory is judged anew; what is in it is not."""
    records = [order(f"o-{number}") for number in range(4)]
    assert _verdicts(ORDER, [*records, records[3], records[0]], memory=3) == [NEW] * 4 + [DUPLICATE, NEW]


def test_present_state_of_an_active_id_outlives_those_of_idle_ones() -> None:
    """Forgetting goes by the last touch."""
    steps = [balance("w-1", "1"), balance("w-2"), balance("w-1", "2"), balance("w-3"), balance("w-1", "2")]
    assert _verdicts(BALANCE, steps, memory=2) == [NEW] * 4 + [DUPLICATE]


ORDERS = st.builds(
    order,
    st.sampled_from(["a", "b"]),
    updated_at=st.integers(1, 4),
    status=st.sampled_from(["open", "filled"]),
    remaining_quantity=st.integers(0, 1),
)
BALANCES = st.builds(balance, st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]), st.sampled_from(["0", "1"]))


@settings(deadline=None)
@given(st.lists(ORDERS, max_size=40))
def test_F07_never_suppresses_an_update_and_never_publishes_a_repeat(records: list[dict[str, Any]]) -> None:
    """Model: a duplicate is exactly what stood before, text for text."""
    texts = [json.dumps(record) for record in records]
    expected = [text in texts[:index] for index, text in enumerate(texts)]
    assert [verdict is DUPLICATE for verdict in _verdicts(ORDER, records)] == expected


@settings(deadline=None)
@given(st.lists(ORDERS, max_size=40))
def test_F09_what_is_not_late_never_goes_back_in_time_or_reopens(records: list[dict[str, Any]]) -> None:
    """Model: per id the applied records ascend in time, and within one time none follows a terminal one."""
    applied: dict[str, dict[str, Any]] = {}
    for record, verdict in zip(records, _verdicts(ORDER, records), strict=True):
        before = applied.get(record["id"])
        if verdict is NEW:
            assert before is None or before["updated_at"] <= record["updated_at"]
            reopens = before is not None and before["status"] == "filled" and record["status"] == "open"
            assert not reopens or (before is not None and before["updated_at"] < record["updated_at"])
            applied[record["id"]] = record
        elif verdict is LATE:
            assert before is not None
            assert before["updated_at"] >= record["updated_at"]


@settings(deadline=None)
@given(st.lists(BALANCES, max_size=40))
def test_F08_balance_is_a_duplicate_exactly_when_it_equals_the_present_one(records: list[dict[str, Any]]) -> None:
    """Model: one remembered record per wallet."""
    present: dict[str, dict[str, Any]] = {}
    for record, verdict in zip(records, _verdicts(BALANCE, records), strict=True):
        assert verdict is (DUPLICATE if present.get(record["id"]) == record else NEW)
        present[record["id"]] = record
