"""Records of the exchange."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from fakes import frames
from pydantic import ValidationError

from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord

CASES = [("order", OrderRecord), ("position", PositionRecord), ("balance", BalanceRecord)]


def _recorded(kind: str) -> list[Any]:
    return [
        record
        for row in frames.rows("ws/*.jsonl", "scenarios/*.jsonl")
        if kind in row.get("event", "")
        for record in parse_exact(row["data"])
    ]


@pytest.mark.parametrize(("kind", "model"), CASES)
def test_every_recorded_record_is_accepted(kind: str, model: Any) -> None:
    """Captured, documented and constructed frames all pass."""
    records = _recorded(kind)
    assert records
    for record in records:
        assert model.model_validate(record).id == record["id"]


@pytest.mark.parametrize(("kind", "model"), CASES)
def test_no_recorded_field_is_unknown(kind: str, model: Any) -> None:
    """Every documented field is modelled: nothing of the recorded frames ends among the unknown ones."""
    for record in _recorded(kind):
        assert not model.model_validate(record).model_extra


@pytest.mark.parametrize(
    ("total", "remaining", "cancelled", "filled"),
    [("0.019", "0", "0.019", "0"), ("0.05", "0.02", "0", "0.03"), ("2", "0", "1.2", "0.8"), ("1", None, "0", None)],
)
def test_filled_quantity_is_what_is_neither_left_nor_cancelled(
    total: str, remaining: str | None, cancelled: str, filled: str | None
) -> None:
    """On a cancel the remainder moves to cancelled_quantity, so remaining 0 does not mean filled."""
    record = OrderRecord.model_validate(
        {
            "id": "a",
            "status": "open",
            "total_quantity": total,
            "remaining_quantity": remaining,
            "cancelled_quantity": cancelled,
        }
    )
    assert record.filled_quantity == (None if filled is None else Decimal(filled))


def test_unknown_status_and_fields_are_kept() -> None:
    """Tomorrow's exchange may say more than today's."""
    record = OrderRecord.model_validate({"id": "a", "status": "paused", "new_field": {"x": 1}})
    assert (record.status, record.has_known_status) == ("paused", False)
    assert record.model_extra == {"new_field": {"x": 1}}


def test_numbers_as_text_are_accepted() -> None:
    """Balances come as text, and other fields might."""
    record = PositionRecord.model_validate({"id": "p", "pair": "B-ETH_USDT", "active_pos": "-0.010"})
    assert record.active_pos == Decimal("-0.010")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "abc", "", True, [], {}])
def test_F11_amount_that_is_no_number_is_refused_without_printing_it(value: object) -> None:
    """The reason names the field, not the content."""
    with pytest.raises(ValidationError) as caught:
        BalanceRecord.model_validate({"id": "w", "currency_short_name": "INR", "balance": value, "locked_balance": "0"})
    assert "balance" in str(caught.value)
    assert "abc" not in str(caught.value)


def test_golden_balance_keeps_every_digit() -> None:
    """The captured INR wallet, digit for digit."""
    record = BalanceRecord.model_validate(_recorded("balance")[0])
    assert str(record.balance) == json.loads(frames.rows("ws/balance-update.captured.jsonl")[0]["data"])[0]["balance"]


@pytest.mark.parametrize("text", ["1e-999999999", "1e999999", "0e-999999999"])
def test_F11_time_with_an_absurd_exponent_is_refused_at_once(text: str) -> None:
    """Made an integer, it took seconds and a gigabyte: one short frame stopped the feed."""
    started = time.process_time()
    with pytest.raises(ValidationError, match="exponent out of range"):
        OrderRecord.model_validate({"id": "o", "status": "open", "updated_at": Decimal(text)})
    assert time.process_time() - started < 0.1
