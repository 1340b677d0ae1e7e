"""From reply text to checked rows."""

import json
from typing import Any

import pytest

from coindcx_feed.errors import BadReply
from coindcx_feed.exchange.records import BalanceRecord
from coindcx_feed.exchange.rest import Reply
from coindcx_feed.exchange.rest_rows import MAX_ROW_BYTES, RejectedRow, Row, check_row, only_row, split_rows

WALLET = b'{ "id":"w-1", "currency_short_name":"INR", "balance":"1650841.59606695345873", "locked_balance":0.10 }'


def _reply(text: bytes) -> Reply:
    return Reply(text, 1_000.0, 1_200.0, None)


def test_rows_keep_the_exchanges_own_text() -> None:
    """Spaces, order and digits as sent."""
    assert split_rows("wallets", _reply(b"[" + WALLET + b" ,7,null]")) == [WALLET, b"7", b"null"]


@pytest.mark.parametrize("text", [b'{"status":"error","message":"no"}', b'"text"', b"null", b"3"])
def test_reply_that_is_no_list_is_an_error_with_its_text(text: bytes) -> None:
    """F28: an error in the clothes of a success is not an empty list."""
    with pytest.raises(BadReply, match="wallets: expected a list of rows, was") as caught:
        split_rows("wallets", _reply(text))
    assert caught.value.raw == text


def test_valid_row_is_its_record() -> None:
    """Amounts are exact, also those sent as text."""
    record = check_row("wallets", BalanceRecord, WALLET)
    assert isinstance(record, BalanceRecord)
    assert (str(record.balance), str(record.locked_balance)) == ("1650841.59606695345873", "0.10")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"balance": None}, "wallets row, field balance: "),
        ({"id": ""}, "wallets row, field id: "),
        ({"id": {"nested": 1}}, "wallets row, field id: "),
        ({"balance": "NaN"}, "wallets row, field balance: "),
        ({"balance": "1e-999999"}, "field balance: expected a number within 1e±40"),
        ({"balance": "0e99"}, "field balance: expected a number within 1e±40"),
    ],
)
def test_F11_row_that_does_not_validate_comes_back_with_its_reason(change: dict[str, Any], reason: str) -> None:
    """It is neither dropped nor does it cost its neighbours."""
    raw = json.dumps({**json.loads(WALLET), **change}).encode()
    checked = check_row("wallets", BalanceRecord, raw)
    assert isinstance(checked, RejectedRow)
    assert reason in checked.reason
    assert checked.raw == raw


@pytest.mark.parametrize("raw", [b"7", b"null", b"[1]", b'"text"', b'{"id":', b"[1e99999999999999]"])
def test_F11_row_that_is_no_object_comes_back_too(raw: bytes) -> None:
    """Whatever stands in the list."""
    assert isinstance(check_row("wallets", BalanceRecord, raw), RejectedRow)


def test_T13_reason_does_not_repeat_what_was_sent() -> None:
    """Reasons reach logs and pages; the text itself stays in ``raw``."""
    checked = check_row("wallets", BalanceRecord, WALLET.replace(b"1650841.59606695345873", b"<script>"))
    assert isinstance(checked, RejectedRow)
    assert "script" not in checked.reason


def test_C8_oversized_row_is_rejected() -> None:
    """A buffer that counts rows must not be filled by one of them."""
    checked = check_row("wallets", BalanceRecord, b'{"id":"' + b"x" * MAX_ROW_BYTES + b'"}')
    assert isinstance(checked, RejectedRow)
    assert "at most 1,048,576 bytes, was 1,048,585" in checked.reason


def test_single_object_is_a_row_of_its_own() -> None:
    """With the moment it was asked for."""
    row = only_row("wallet", BalanceRecord, _reply(WALLET))
    assert row == Row("wallet", row.record, WALLET, 1_000.0)


def test_single_object_that_does_not_validate_is_an_error() -> None:
    """There is nothing to return beside it."""
    with pytest.raises(BadReply, match="wallet row, field id") as caught:
        only_row("wallet", BalanceRecord, _reply(b"{}"))
    assert caught.value.raw == b"{}"
