"""Full lines of one type: every documented field, and nothing lost of the others."""

import csv
import io
import json
from typing import Any

import pytest
from analysis.helpers import EPOCH, fill, ledger, new_ring
from fakes.frames import balance, order, position
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.cells import neutralised
from coindcx_feed.analysis.parts import RingPart
from coindcx_feed.analysis.record_lines import EXTRA, LEADING, RecordLines, full_columns

TEXTS = st.one_of(
    st.sampled_from(
        ["=1+1", "-5", 'say "hi"', "a,null,b", "null", "[]", "{}", "[x", "two\nlines", " =x", "日本", "\\"]
    ),
    st.text(max_size=10),
)
VALUES = st.none() | st.booleans() | st.integers(-10, 10) | TEXTS | st.lists(st.integers(), max_size=2)


def read(kind: str, *records: dict[str, Any] | str) -> list[dict[str, str]]:
    ring = new_ring(*((kind, record) for record in records))
    told = RecordLines(kind, "demo")(RingPart(ring, ring.numbers(None), EPOCH))
    rows = list(csv.reader(io.StringIO(bytes(told.text).decode(), newline=""), strict=True))
    assert told.rows == len(rows)
    return [dict(zip(full_columns(kind), row, strict=True)) for row in rows]


def test_header_holds_every_documented_field() -> None:
    """Orders, positions, balances and fills begin alike, then list the exchange's fields and what was derived."""
    assert LEADING == ("seq", "epoch", "timestamp", "exchange_ms", "mode", "source", "type", "late")
    assert full_columns("balance")[8:] == (
        "id",
        "currency_short_name",
        "balance",
        "locked_balance",
        "currency_id",
        "cross_order_margin",
        "cross_user_margin",
        EXTRA,
    )
    assert full_columns("order")[-2:] == ("filled_quantity", EXTRA)
    assert full_columns("position")[-2:] == ("unrealized_pnl", EXTRA)
    for kind, names in {
        "order": {"settlement_currency_conversion_price", "stop_trigger_instruction", "trades", "client_order_id"},
        "position": {"active_pos", "inactive_pos_sell", "cumulative_funding_fee", "settlement_currency_avg_price"},
        "fill": {"fill_id", "order_id", "is_maker", "fee_amount"},
        "ledger": {"amount", "settlement_amount", "parent_id", "position_id"},
    }.items():
        assert names <= set(full_columns(kind))
        assert len(full_columns(kind)) == len(set(full_columns(kind)))


def test_a_plain_record_is_exact() -> None:
    """Numbers keep their text, null is empty, derived fields follow."""
    (row,) = read("order", order("o-1", liquidation_fee=None, trades=[], fee_amount=0.0186072135))
    assert (row["seq"], row["epoch"], row["exchange_ms"]) == ("1", EPOCH, "1790000000000")
    assert (row["mode"], row["source"], row["type"], row["late"]) == ("demo", "stream", "order", "")
    assert (row["id"], row["price"], row["fee_amount"]) == ("o-1", "2900.5", "0.0186072135")
    assert (row["liquidation_fee"], row["trades"], row["filled_quantity"], row[EXTRA]) == ("", "[]", "0", "")


def test_other_types_are_complete() -> None:
    """Signed sizes, money as text and the fill's own id and time come through."""
    (place,) = read("position", position(active_pos=-0.2))
    assert (place["active_pos"], place["unrealized_pnl"]) == ("-0.2", "")
    (wallet,) = read("balance", balance(free="1650841.59606695345873", locked="-0.5"))
    assert (wallet["balance"], wallet["locked_balance"], wallet["exchange_ms"]) == (
        "1650841.59606695345873",
        "-0.5",
        "",
    )
    (trade,) = read("fill", fill())
    assert (trade["fill_id"], trade["is_maker"], trade["exchange_ms"]) == ("f-1", "false", "1787841686516")
    assert (trade["fill_timestamp"], trade["timestamp"]) == ("1787841686516", "2026-09-23T05:06:40.124Z")
    (entry,) = read("ledger", ledger())
    assert (entry["amount"], entry["stage"], entry["ledger_source"], entry["source"]) == (
        "-1305.1716",
        "tpsl_exit",
        "user",
        "stream",
    )


def test_old_fills_have_fractions_of_a_millisecond() -> None:
    """The column of times is whole; the record's own field keeps what it said."""
    record = fill(timestamp=1705645534425.8374)
    for (trade,) in (read("fill", record), read("fill", {**record, "unheard_of": 1})):
        assert (trade["exchange_ms"], trade["fill_timestamp"]) == ("1705645534425", "1705645534425.8374")


def test_unknown_fields_stand_in_extra_with_their_digits() -> None:
    """What the exchange adds tomorrow is kept as JSON, value for value."""
    text = '{"id":"w","balance":"1","locked_balance":"0","currency_short_name":"INR","new":1.500,"Ω":{"a":"=x"}}'
    (row,) = read("balance", text)
    assert row[EXTRA] == '{"new":1.500,"Ω":{"a":"=x"}}'


@given(st.dictionaries(st.sampled_from(["status", "display_message", "group_id", "stage"]), TEXTS), VALUES, VALUES)
def test_T14_any_text_comes_back(texts: dict[str, str], tags: object, unknown: object) -> None:
    """Whatever stands in a text field is read back as it was, or with the apostrophe that disarms it."""
    (row,) = read("order", order(**texts, metatags=tags, unheard_of=unknown))
    for name, text in {"status": "open", **texts}.items():
        assert row[name] == neutralised(text)
    assert row["metatags"] == ("" if tags is None else neutralised(tags) if isinstance(tags, str) else json_of(tags))
    assert json.loads(row[EXTRA]) == {"unheard_of": unknown}
    assert row["price"] == "2900.5"


@given(st.dictionaries(st.sampled_from(["status", "display_message", "group_id", "stage"]), TEXTS), VALUES)
def test_T14_the_quick_way_gives_the_same_cells(texts: dict[str, str], tags: object) -> None:
    """Records without unknown fields, which take the quick way, read back the same."""
    (row,) = read("order", order(**texts, metatags=tags, stop_price=None))
    for name, text in {"status": "open", **texts}.items():
        assert row[name] == neutralised(text)
    assert row["metatags"] == ("" if tags is None else neutralised(tags) if isinstance(tags, str) else json_of(tags))
    assert (row["stop_price"], row["order_type"], row[EXTRA]) == ("", "limit_order", "")


@pytest.mark.parametrize(
    "text", [" -2", "\uff0d1", "a,null,b", ",null,", "[]]", "{}", '"', "=1", "-1", "@x", "a+b", "\u00a0=1", ""]
)
def test_T14_texts_that_need_care_get_it(text: str) -> None:
    """Whatever could be run, split or taken for null among the raw values is written with care."""
    (row,) = read("order", order(display_message=text, group_id=None, trades=[]))
    assert row["display_message"] == neutralised(text)
    assert (row["group_id"], row["trades"], row["updated_at"]) == ("", "[]", "1790000000000")


@pytest.mark.parametrize(("value", "quoted"), [(["a"], b'"[""a""]"'), ({"a": 1}, b'"{""a"":1}"')])
def test_T14_quotes_inside_a_cell_are_doubled(value: object, quoted: bytes) -> None:
    """Lists and objects with texts in them are quoted as RFC 4180 asks."""
    ring = new_ring(("order", order(metatags=value)))
    assert quoted in bytes(RecordLines("order", "demo")(RingPart(ring, ring.numbers(None), EPOCH)).text)


def json_of(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize("money", ["-0.5", "+0.5", "=1"])
def test_T14_money_as_text(money: str) -> None:
    """A negative amount sent as text is a number; anything else in a money field is disarmed."""
    (row,) = read("fill", fill(fee_amount=money))
    assert row["fee_amount"] == (money if money == "-0.5" else f"'{money}")
