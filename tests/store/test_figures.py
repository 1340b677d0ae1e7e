"""Figures per minute, exact to the last digit, from rollups and from what is in no segment yet."""

from collections import Counter
from decimal import Decimal

import pytest
from store.made import EPOCH, event, fill, made, opened

from coindcx_feed.analysis.fill_times import median_ms
from coindcx_feed.errors import BadRequest
from coindcx_feed.events import EventType
from coindcx_feed.store import EventStore, Figure

MINUTE_NS = 60_000_000_000
ETH = "B-ETH_USDT"


def fill_record(price: str, quantity: str, fee: str) -> bytes:
    return f'{{"order_id":"o","price":{price},"quantity":{quantity},"fee_amount":{fee},"timestamp":1}}'.encode()


def ledger_record(stage: str, amount: str, currency: str = "INR") -> bytes:
    return f'{{"stage":"{stage}","amount":{amount},"margin_currency_short_name":"{currency}"}}'.encode()


def test_events_are_counted_per_minute_and_type(store: EventStore) -> None:
    """The sum over all buckets is every event, wherever it is kept."""
    source = made(21_000)
    fill(store, source, group=1_000)
    wanted = Counter((each.received_ns // MINUTE_NS * 60, each.facts.pair or "", each.type.value) for each in source)
    found = store.figures("events", bucket_s=60)
    assert {(each.start_s, each.pair, each.label): each.number for each in found} == dict(wanted)
    assert sum(each.number for each in store.figures("events")) == 21_000


def test_money_is_summed_exactly(store: EventStore) -> None:
    """Volume and fees of fills, results and funding of the ledger, each in its own currency."""
    rows = [
        (EventType.FILL, fill_record("0.1", "3", "0.00000000000000000001")),
        (EventType.FILL, fill_record("0.2", "0.00000000000000000007", "0.3")),
        (EventType.LEDGER, ledger_record("exit", "-1305.1716")),
        (EventType.LEDGER, ledger_record("funding", "0.000000000000000000000001")),
        (EventType.LEDGER, ledger_record("tpsl_exit", "1.1", "USDT")),
    ]
    store.append([event(seq, kind, text, pair=ETH) for seq, (kind, text) in enumerate(rows, 1)], EPOCH)
    expected = {
        "volume": [("USDT", 2, "0.300000000000000000014")],
        "fees": [("USDT", 2, "0.30000000000000000001")],
        "pnl": [("INR", 1, "-1305.1716"), ("USDT", 1, "1.1")],
        "funding": [("INR", 1, "0.000000000000000000000001")],
    }
    for measure, wanted in expected.items():
        found = store.figures(measure)
        assert found == [Figure(0, ETH, label, number, Decimal(amount)) for label, number, amount in wanted]


def test_an_order_ends_once(store: EventStore) -> None:
    """A repeated last status is no second end; time to fill is what the exchange's own times say."""
    filled = b'{"id":"o1","status":"filled","created_at":1000,"updated_at":3500}'
    statuses = [("o1", "open", b"{}"), ("o1", "filled", filled), ("o1", "Filled", filled), ("o2", "rejected", b"{}")]
    store.append(
        [
            event(seq, EventType.ORDER, text, key=key, pair=ETH, status=status)
            for seq, (key, status, text) in enumerate(statuses, 1)
        ],
        EPOCH,
    )
    ended = [(each.label, each.number) for each in store.figures("orders")]
    assert ended == [("filled", 1), ("rejected", 1)]
    assert store.figures("fill_ms") == [Figure(0, ETH, "", 1, Decimal(2_500))]


def test_closed_trades_win_or_lose(store: EventStore) -> None:
    """Neither funding nor what an opening order is booked with, which is zero; currencies stay apart."""
    rows = [("exit", "12.5", "USDT"), ("default", "0", "USDT"), ("default", "0.5", "USDT"), ("funding", "-3", "USDT")]
    rows += [("liquidation", "-7.25", "USDT"), ("exit", "-0.000000000000000001", "INR")]
    texts = [ledger_record(*row) for row in rows]
    store.append([event(seq, EventType.LEDGER, text, pair=ETH) for seq, text in enumerate(texts, 1)], EPOCH)
    assert store.figures("wins") == [Figure(0, ETH, "USDT", 2, Decimal("13.0"))]
    assert store.figures("losses") == [
        Figure(0, ETH, "INR", 1, Decimal("-0.000000000000000001")),
        Figure(0, ETH, "USDT", 1, Decimal("-7.25")),
    ]


def test_times_to_fill_keep_their_median(store: EventStore) -> None:
    """By class, so that they add up over any span; a slow one does not move the median."""
    source = []
    for seq, taken_ms in enumerate((800, 900, 1_000, 3_600_000, 1_100), 1):
        text = f'{{"id":"o{seq}","status":"filled","created_at":1000,"updated_at":{1000 + taken_ms}}}'.encode()
        source.append(event(seq, EventType.ORDER, text, key=f"o{seq}", pair=ETH, status="filled"))
    store.append(source, EPOCH)
    found = {each.label: (each.number, each.amount) for each in store.figures("fill_times")}
    assert sum(number for number, _ in found.values()) == 5
    assert median_ms(found) == pytest.approx(1_000, rel=0.1)
    assert sum(each.amount for each in store.figures("fill_ms")) == 3_603_800


def test_F31_sums_of_an_earlier_version_are_named_until_they_are_made_anew(url: str) -> None:
    """What was summed up before a measure existed lacks it: the log says until when, and a rebuild brings it."""
    store = opened(url)
    source = [event(seq, EventType.LEDGER, ledger_record("exit", "1"), pair=ETH) for seq in range(1, 11_001)]
    fill(store, source, group=500)
    assert store.lacking_until_ns() is None
    with store._writer.transaction("age") as connection:
        connection.exec_driver_sql("UPDATE segments SET sums = 1")
        connection.exec_driver_sql("DELETE FROM minutes WHERE measure = 'wins'")
    assert store.lacking_until_ns() == source[9_999].received_ns
    assert sum(each.number for each in store.figures("wins")) == 1_000
    store.rebuild()
    assert store.lacking_until_ns() is None
    assert sum(each.number for each in store.figures("wins")) == 11_000
    store.close()


def test_standings_are_the_last_of_their_bucket(store: EventStore) -> None:
    """Balances and open results do not add up; a late event does not count."""
    source = []
    for seq, (minute, amount, is_late) in enumerate([(0, "10", 0), (0, "11", 0), (1, "12", 0), (3, "9", 1)], 1):
        text = f'{{"id":"w","currency_short_name":"USDT","balance":"{amount}","locked_balance":"0.5"}}'.encode()
        at_ns = minute * MINUTE_NS + seq
        source.append(event(seq, EventType.BALANCE, text, key="w", received_ns=at_ns, is_late=bool(is_late)))
    derived = "unrealized_pnl", b"-7.25"
    record = b'{"id":"p","pair":"B-ETH_USDT","active_pos":1,"margin_currency_short_name":"INR"}'
    source.append(event(5, EventType.POSITION, record, key="p", pair=ETH, received_ns=MINUTE_NS, derived=derived))
    store.append(source, EPOCH)
    assert store.figures("balance", bucket_s=60) == [
        Figure(0, "", "USDT", 1, Decimal(11)),
        Figure(60, "", "USDT", 1, Decimal(12)),
    ]
    assert [each.amount for each in store.figures("locked", bucket_s=3_600)] == [Decimal("0.5")]
    assert store.figures("unrealized", bucket_s=60) == [Figure(60, ETH, "INR", 1, Decimal("-7.25"))]


def test_a_span_bounds_a_figure(store: EventStore) -> None:
    """Whole minutes; the end is not included."""
    store.append([event(seq, received_ns=seq * MINUTE_NS) for seq in range(1, 11)], EPOCH)
    found = store.figures("events", from_ns=3 * MINUTE_NS, to_ns=6 * MINUTE_NS, bucket_s=120)
    assert [(each.start_s, each.number) for each in found] == [(120, 1), (240, 2)]


def test_segments_and_the_rest_make_one_figure(url: str) -> None:
    """A figure is the same before and after a clean stop, and after a rebuild."""
    store = opened(url)
    source = [
        event(seq, EventType.FILL, fill_record(f"{seq}.1", "0.01", "0.001"), pair=ETH, key=f"f{seq}")
        for seq in range(1, 11_001)
    ]
    fill(store, source, group=500)
    before = store.figures("volume", bucket_s=60)
    assert sum(each.amount for each in before) == sum(Decimal(f"{seq}.1") * Decimal("0.01") for seq in range(1, 11_001))
    store.close()
    again = opened(url)
    assert again.figures("volume", bucket_s=60) == before
    again.rebuild()
    assert again.figures("volume", bucket_s=60) == before
    again.close()


def test_a_record_of_another_shape_counts_as_an_event_only(store: EventStore) -> None:
    """What cannot be read as documented does not stop the log."""
    store.append([event(1, EventType.FILL, b'{"price":[],"quantity":{}}', pair=ETH)], EPOCH)
    assert store.figures("volume") == []
    assert [each.number for each in store.figures("events")] == [1]


@pytest.mark.parametrize(("measure", "bucket_s"), [("nonsense", None), ("events", 30), ("events", 90)])
def test_unknown_measures_and_buckets_are_refused(store: EventStore, measure: str, bucket_s: int | None) -> None:
    """One line says what would do."""
    with pytest.raises(BadRequest, match="figures: expected"):
        store.figures(measure, bucket_s=bucket_s)
