"""Frames to records: every recorded frame, every malformed kind, and that nothing escapes."""

import json
from decimal import Decimal
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, frame, order, position, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed.events import EventType
from coindcx_feed.exchange import codec, wire
from coindcx_feed.exchange.records import OrderRecord
from coindcx_feed.feed.normalize import (
    MAX_RECORD_BYTES,
    AccountItem,
    Frame,
    Item,
    MarketItem,
    Rejected,
    derived_field,
    normalize,
    raw_text,
)

RECORDED = rows("ws/*.jsonl", "scenarios/*-*.constructed.jsonl")
ENVELOPES = [row for row in RECORDED if "event" in row]
ACCOUNT = {ORDER: EventType.ORDER, POSITION: EventType.POSITION, BALANCE: EventType.BALANCE}
TRADE = {"T": 1_790_000_000_000, "p": "2900.5", "q": "0.01", "m": 1, "s": "B-ETH_USDT", "pr": "f"}


def _items(argument: Frame) -> list[Item]:
    return list(normalize(argument))


def _only(argument: Frame) -> Item:
    (item,) = _items(argument)
    return item


def _reason(argument: Frame) -> str:
    item = _only(argument)
    assert isinstance(item, Rejected), item
    assert "\n" not in item.reason
    return item.reason


def _text(**fields: str) -> str:
    """One order as JSON text, with some fields written by hand."""
    made = {name: json.dumps(value) for name, value in order().items()} | fields
    return "[{" + ",".join(f'"{name}":{text}' for name, text in made.items()) + "}]"


@pytest.mark.parametrize("row", ENVELOPES, ids=lambda row: row["event"])
def test_C1_every_recorded_record_has_one_outcome_with_its_own_bytes(row: dict[str, Any]) -> None:
    """Account records come out one by one with the exchange's text; market frames as one message; spot is foreign."""
    items = _items(Frame(1, row["event"], row, 1))
    sent = json.loads(row["data"])
    assert "".join(item.raw.decode() for item in items) in row["data"].replace("},{", "}{")
    if row["event"] in ACCOUNT:
        assert [json.loads(item.raw) for item in items] == sent
        assert {item.type for item in items if isinstance(item, AccountItem)} == {ACCOUNT[row["event"]]}
    elif sent["pr"] == "spot":
        assert [type(item) for item in items] == [Rejected]
    else:
        assert [type(item) for item in items] == [MarketItem]


def test_recorded_files_hold_what_the_manifest_says() -> None:
    """If frames are lost on the way into this suite, the other tests prove less than they say."""
    assert len(ENVELOPES) == 27 + 58 + 60 + 8 + 11 + 12 + 4 + 13 + 5 + 9


def test_facts_of_an_order_are_what_tables_filter_on() -> None:
    """Id, pair, side, status, price, message and the exchange's time."""
    item = _only(frame(ORDER, [order("o-7", display_message="ETH limit buy order placed!")]))
    assert isinstance(item, AccountItem)
    assert item.facts == (
        "o-7", "B-ETH_USDT", "buy", "open", 2900.5, "ETH limit buy order placed!", 1_790_000_000_000,
    )  # fmt: skip


def test_facts_of_positions_and_balances() -> None:
    """A flat position has no price; a balance has neither pair nor time."""
    held = _only(frame(POSITION, [position(avg_price=0)]))
    wallet = _only(frame(BALANCE, [balance("w-3")]))
    assert isinstance(held, AccountItem)
    assert isinstance(wallet, AccountItem)
    assert held.facts == ("p-1", "B-ETH_USDT", None, None, None, None, 1_790_000_000_000)
    assert wallet.facts == ("w-3", None, None, None, None, None, None)


@pytest.mark.parametrize(
    ("event", "data", "pair", "exchange_ms"),
    [
        (wire.TRADE_EVENT, TRADE, "B-ETH_USDT", 1_790_000_000_000),
        (wire.PRICE_EVENT, {"T": 5, "p": "1", "pr": "f"}, None, 5),
        (wire.DEPTH_UPDATE_EVENT, {"ts": 6, "vs": 1, "asks": {}, "bids": {}, "s": "ETHUSDT", "pr": "futures"},
         "B-ETH_USDT", 6),
        (wire.PRICES_UPDATE_EVENT, {"ts": 7, "pr": "futures", "prices": {}}, None, 7),
    ],
)  # fmt: skip
def test_market_messages_know_pair_and_time(
    event: str, data: object, pair: str | None, exchange_ms: int | None
) -> None:
    """Books spell the pair their own way; price changes name none."""
    item = _only(frame(event, data))
    assert isinstance(item, MarketItem)
    assert (item.pair, item.exchange_ms) == (pair, exchange_ms)


def test_F10_list_of_500_gives_500_records_in_order() -> None:
    """A batch in one frame loses and swaps nothing."""
    items = _items(frame(ORDER, [order(f"o-{number}") for number in range(500)]))
    assert [item.facts.key for item in items if isinstance(item, AccountItem)] == [f"o-{n}" for n in range(500)]


def test_F10_empty_list_gives_nothing() -> None:
    """No record, no outcome."""
    assert _items(frame(ORDER, " [ ] ")) == []


@pytest.mark.parametrize("data", [order(), [order()], json.dumps(order()), json.dumps([order()], indent=1)])
def test_F10_single_object_and_object_data_give_one_record(data: object) -> None:
    """The documentation prints objects, the wire sends text: both are read."""
    item = _only(Frame(1, ORDER, {"event": ORDER, "data": data}, 1))
    assert isinstance(item, AccountItem)
    assert json.loads(item.raw) == order()


def test_one_bad_record_leaves_its_neighbours_alone() -> None:
    """Quarantine takes the record, not the frame."""
    items = _items(frame(ORDER, [order("a"), {"status": "open"}, order("b")]))
    assert [type(item) for item in items] == [AccountItem, Rejected, AccountItem]


def test_numbers_are_kept_as_the_exchange_wrote_them() -> None:
    """Trailing zeros, exponents and 20 digits survive, in numbers and in texts."""
    text = _text(price="89.0", avg_price="8.893e-05", total_quantity='"1650841.59606695345873"')
    item = _only(frame(ORDER, text))
    assert isinstance(item, AccountItem)
    assert item.raw.decode() == text[1:-1]
    assert isinstance(item.record, OrderRecord)
    assert (item.record.price, item.record.avg_price) == (Decimal("89.0"), Decimal("0.00008893"))
    assert item.record.total_quantity == Decimal("1650841.59606695345873")


def test_F11_numbers_as_text_and_unknown_status_are_accepted() -> None:
    """Strange is not malformed."""
    item = _only(frame(ORDER, _text(price='"2900.50"', status='"paused"', leverage='"5"')))
    assert isinstance(item, AccountItem)
    assert item.facts.status == "paused"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (_text()[:-9], "expected a list of order records"),
        ("", "expected a list of order records"),
        ("null", "got `null`"),
        ("[] []", "trailing characters"),
        ("[" * 100_000, "nested too deeply"),
        (_text(metatags="[" * 5_000 + "]" * 5_000), "nested too deeply"),
        (_text(price="NaN"), "malformed"),
        (_text(price="1e999"), "order field price"),
        (_text(price="1e9999999999999999999"), "order: expected JSON"),
        (_text(price='"1e999"'), "order field price"),
        (_text(price='"NaN"'), "order field price"),
        (_text(total_quantity='"1e-999999999"'), "order field total_quantity: expected a number within"),
        (_text(total_quantity="0e-999999999"), "order field total_quantity: expected a number within"),
        (_text(updated_at="9" * 5_000), "out of range"),
        (_text(price="[1]"), "order field price"),
        (_text(id="null"), "order field id"),
        (_text(id='""'), "order field id"),
        (_text(id="7"), "order field id"),
        (_text(side=r'"\ud800"'), "expected a list of order records"),
        (_text(side='"\ud800"'), "order: expected JSON"),
        (_text(display_message='"' + "x" * 5 * 2**20 + '"'), "order: expected at most 1,048,576 bytes, was 5,2"),
        ('[{"status":"open"}]', "order field id"),
        ("[null]", "order: expected an object, was nothing"),
        ("[[]]", "order: expected an object, was a list"),
        ("[5]", "order: expected an object, was a number"),
    ],
)
def test_F11_malformed_account_text_is_rejected_with_its_reason(text: str, reason: str) -> None:
    """One line that says what was expected; the raw text stays as it came."""
    item = _only(frame(ORDER, text))
    assert isinstance(item, Rejected), item
    assert reason in item.reason
    assert len(item.reason) < 300
    assert item.raw.decode("utf-8", "surrogatepass") in text


@pytest.mark.parametrize("missing", ["id", "currency_short_name", "balance", "locked_balance"])
def test_F11_balance_without_an_identifying_field_names_the_field(missing: str) -> None:
    """Nothing is guessed."""
    record = {name: value for name, value in balance().items() if name != missing}
    assert f"balance field {missing}" in _reason(frame(BALANCE, [record]))


def test_F11_nulls_in_the_optional_fields_are_accepted() -> None:
    """Flat positions come with nulls."""
    record = dict.fromkeys(position()) | {"id": "p", "pair": "B-ETH_USDT", "active_pos": 0}
    assert isinstance(_only(frame(POSITION, [record])), AccountItem)


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        (None, "expected an object with 'data', was nothing"),
        ("text", "expected an object with 'data', was text"),
        ([1], "expected an object with 'data', was a list"),
        ({"event": ORDER}, "expected an object with 'data', was an object"),
        ({"data": None}, "expected 'data' as text, object or list, was nothing"),
        ({"data": True}, "expected 'data' as text, object or list, was true or false"),
        ({"data": [{"id": "\ud800"}]}, "expected 'data' that can be written as JSON"),
        ({"data": _nested(5_000)}, "nested too deeply"),
    ],
)
def test_F11_argument_of_another_shape_is_rejected_whole(argument: object, reason: str) -> None:
    """Whatever the socket hands on ends in quarantine, never in an exception."""
    assert reason in _reason(Frame(1, ORDER, argument, 1))


def test_F11_event_packet_that_is_no_json_keeps_its_text() -> None:
    """The codec hands such packets on; here they are named and kept."""
    item = _only(Frame(1, codec.MALFORMED, '["df-order-update",{"data":"[{', 1))
    assert item == Rejected(
        "expected JSON in the event packet, was text that does not parse", b'["df-order-update",{"data":"[{'
    )


def test_answer_to_a_leave_is_no_record() -> None:
    """Its shape was never published: channels are left live, so it must not fill the quarantine."""
    assert normalize(Frame(1, wire.LEFT_EVENT, {"anything": 1}, 1)) == ()


@pytest.mark.parametrize("event", ["df-trade-update", "Joined Channel", "x" * 10_000])
def test_unknown_event_is_rejected_with_its_name_cut(event: str) -> None:
    """A new event of the exchange is kept and counted; a long name does not fill the log."""
    reason = _reason(Frame(1, event, {"event": event, "data": "[]"}, 1))
    assert reason.startswith(f"unknown event {event[:100]}")
    assert len(reason) < 300


def test_F07_twin_of_the_spot_host_makes_no_second_event() -> None:
    """``order-update`` is the spot name: next to ``df-order-update`` it is kept apart."""
    assert "unknown event order-update" in _reason(frame("order-update", [order()]))


@pytest.mark.parametrize(
    "row", [row for row in ENVELOPES if '"pr":"spot"' in row["data"]], ids=lambda row: row["event"]
)
def test_recorded_spot_frames_are_a_foreign_product(row: dict[str, Any]) -> None:
    """The futures host delivers them when asked; they are no futures prices."""
    assert _reason(Frame(1, row["event"], row, 1)).startswith("foreign product: ")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({**TRADE, "pr": "x"}, "trade field pr"),
        ({**TRADE, "p": "Infinity"}, "trade field p"),
        ([TRADE], "trade: expected an object, was a list"),
        ({**TRADE, "z": "x" * MAX_RECORD_BYTES}, "trade: expected at most 1,048,576 bytes"),
        ('{"T":1', "trade: expected JSON"),
    ],
)
def test_F11_malformed_market_frame_is_rejected(data: object, reason: str) -> None:
    """C8: a market buffer counts messages, so one message may not be megabytes."""
    assert reason in _reason(frame(wire.TRADE_EVENT, data))


def test_reasons_of_bad_fields_do_not_quote_the_content() -> None:
    """T16: a reason goes to the log; what a field held does not."""
    assert "canary" not in _reason(frame(ORDER, [order(price="canary")]))


@pytest.mark.parametrize(
    ("event", "record", "mark", "derived"),
    [
        (ORDER, order(total_quantity="0.3", remaining_quantity="0.1"), None, ("filled_quantity", b"0.2")),
        (ORDER, order(total_quantity=0.019, remaining_quantity=0, cancelled_quantity=0.019), None,
         ("filled_quantity", b"0")),
        (ORDER, order(cancelled_quantity=None), None, ("filled_quantity", b"null")),
        (ORDER, order(filled_quantity=7), None, None),
        (POSITION, position(), "2900.1", ("unrealized_pnl", b"2.5")),
        (POSITION, position(active_pos=-0.2), "2900.1", ("unrealized_pnl", b"-2.5")),
        (POSITION, position(), None, ("unrealized_pnl", b"null")),
        (POSITION, position(avg_price=None), "2900.1", ("unrealized_pnl", b"null")),
        (POSITION, position(unrealized_pnl=1), "2900.1", None),
        (BALANCE, balance(), None, None),
    ],
)  # fmt: skip
def test_derived_field_are_exact_and_never_replace_what_was_sent(
    event: str, record: object, mark: str | None, derived: tuple[str, bytes] | None
) -> None:
    """Filled is total less remaining less cancelled; PnL is signed size times mark less average."""
    item = _only(frame(event, [record]))
    assert isinstance(item, AccountItem)
    assert derived_field(item, None if mark is None else Decimal(mark)) == derived


def test_raw_text_of_a_frame_with_more_than_data_keeps_all_of_it() -> None:
    """Quarantine shows what came, not what was understood of it."""
    assert raw_text({"event": "e", "data": "[1"}) == b"[1"
    assert json.loads(raw_text({"event": "e", "data": "[1", "more": 2})) == {"event": "e", "data": "[1", "more": 2}
    assert raw_text({"data": {1, 2}}) == b'{"data":[1,2]}'
    assert raw_text("\ud800") == b"\xed\xa0\x80"


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.decimals()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
EVENTS = st.sampled_from([*ACCOUNT, wire.TRADE_EVENT, wire.CANDLE_EVENT, wire.PRICES_UPDATE_EVENT, codec.MALFORMED])


def _mutated(record: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(sorted(record)), VALUES, max_size=3).map(lambda change: {**record, **change})


RECORDS = _mutated(order()) | _mutated(position()) | _mutated(balance()) | VALUES


def _dumped(value: object) -> str:
    return json.dumps(value, default=str)


@settings(deadline=None)
@given(event=EVENTS, argument=VALUES | st.builds(lambda data: {"data": data}, VALUES | st.text().map(str)))
def test_F11_nothing_escapes_whatever_the_argument(event: str, argument: object) -> None:
    """Fuzz: each frame ends in items or in one reason, never in an exception."""
    for item in normalize(Frame(1, event, argument, 1)):
        assert isinstance(item, AccountItem | MarketItem | Rejected)


@settings(deadline=None)
@given(event=st.sampled_from(sorted(ACCOUNT)), records=st.lists(RECORDS, max_size=6))
def test_C1_each_record_of_a_readable_list_has_exactly_one_outcome(event: str, records: list[Any]) -> None:
    """Fuzz: as many outcomes as records, in their order, each with its text."""
    texts = [_dumped(record) for record in records]
    items = _items(frame(event, "[" + " , ".join(texts) + "]"))
    if any(isinstance(item, Rejected) and "expected a list" in item.reason for item in items):
        assert len(items) == 1  # not JSON at all: the frame is one outcome
    else:
        assert [item.raw.decode() for item in items] == texts


@settings(deadline=None)
@given(data=st.data(), row=st.sampled_from([row for row in ENVELOPES if row["event"] in ACCOUNT]))
def test_F11_cut_or_changed_text_never_escapes(data: st.DataObject, row: dict[str, Any]) -> None:
    """Fuzz: a recorded frame with a piece cut out and another put in."""
    text = row["data"]
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    changed = text[:first] + data.draw(st.text(max_size=6)) + text[last:]
    for item in normalize(Frame(1, row["event"], {"data": changed}, 1)):
        assert isinstance(item, AccountItem | Rejected)
