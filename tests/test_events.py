"""Events and their envelope: the record byte for byte, times and ids as the contract has them."""

import json
import re
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.events import (
    Event,
    EventType,
    Facts,
    Source,
    encode_envelope,
    iso_ms,
    new_epoch,
    new_id,
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
RECORDS = st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=5)
DERIVED = st.none() | st.tuples(st.sampled_from(["filled_quantity"]), st.sampled_from([b"0.05", b"null"]))


def made(record: bytes, derived: tuple[str, bytes] | None, *, is_late: bool) -> Event:
    body, at = encode_envelope(
        7, EventType.ORDER, Source.STREAM, 1_790_140_000_123_456_789, record, derived, is_late=is_late
    )
    facts = Facts("o-1")
    return Event(7, EventType.ORDER, Source.STREAM, 1, facts, body, at, len(record), is_late=is_late)


@given(RECORDS, DERIVED, st.booleans())
def test_the_record_stays_verbatim(record: dict[str, object], derived: tuple[str, bytes] | None, late: bool) -> None:
    """Whatever is added around it, the exchange's text can be cut out unchanged, and the envelope is JSON."""
    text = json.dumps(record, ensure_ascii=False).encode()
    event = made(text, derived, is_late=late)
    assert event.record == text
    envelope = json.loads(event.body)
    expected = {**record, **({derived[0]: json.loads(derived[1])} if derived else {})}
    assert envelope["data"] == expected
    assert envelope.get("derived") == ([derived[0]] if derived else None)
    assert envelope.get("late", False) is late


def test_an_envelope_has_the_agreed_names() -> None:
    """Readers find id, timestamp, type, seq, source and data, and nothing that does not apply."""
    envelope = json.loads(made(b'{"id":"o-1"}', None, is_late=False).body)
    assert list(envelope) == ["id", "timestamp", "type", "seq", "source", "data"]
    assert (envelope["type"], envelope["seq"], envelope["source"]) == ("order", 7, "stream")
    assert envelope["timestamp"] == "2026-09-23T05:06:40.123Z"


def test_money_keeps_its_digits() -> None:
    """No number passes through a binary float."""
    record = b'{"id":"w","balance":1650841.59606695345873,"tiny":8.893e-05,"ten":10.0}'
    assert record[:-1] in made(record, ("unrealized_pnl", b"-0.10"), is_late=False).body


def test_an_empty_record_is_still_json() -> None:
    """A derived field can stand alone."""
    event = made(b"{}", ("filled_quantity", b"null"), is_late=False)
    assert json.loads(event.body)["data"] == {"filled_quantity": None}
    assert event.record == b"{}"


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))
def test_times_are_iso_utc_with_milliseconds(moment: datetime) -> None:
    """Milliseconds are cut, never rounded up into the next second."""
    exact = moment.replace(tzinfo=UTC)
    unix_ns = int(exact.timestamp()) * 1_000_000_000 + exact.microsecond * 1_000
    assert iso_ms(unix_ns) == f"{exact:%Y-%m-%dT%H:%M:%S}.{exact.microsecond // 1000:03d}Z"


def test_times_of_mixed_order_are_right() -> None:
    """A replay that jumps between seconds tells each its own time."""
    seconds = [1_790_140_000, 1_790_140_001, 1_790_140_000]
    assert [iso_ms(second * 1_000_000_000)[17:] for second in seconds] == ["40.000Z", "41.000Z", "40.000Z"]


def test_ids_are_uuids_of_version_4_and_never_repeat() -> None:
    """Each envelope has an id of its own that any library reads."""
    ids = [new_id() for _ in range(2_000)]
    assert len(set(ids)) == 2_000
    assert {uuid.UUID(text).version for text in ids} == {4}
    assert all(str(uuid.UUID(text)) == text for text in ids)


def test_epochs_are_distinct_and_sort_by_start() -> None:
    """A name begins with its time in UTC and ends with chance."""
    first, second = new_epoch(), new_epoch()
    assert first != second
    assert first[:15] <= second[:15]
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{8}", first)


@pytest.mark.parametrize("kind", list(EventType))
def test_types_are_written_by_their_name(kind: EventType) -> None:
    """Envelope, filter and columns use the same words."""
    body, _ = encode_envelope(1, kind, Source.REST, 0, b"{}")
    assert json.loads(body)["type"] == str(kind) == kind.value
