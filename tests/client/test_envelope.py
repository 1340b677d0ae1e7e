"""What a reader may rely on in a message, and that everything else is one clear line."""

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed.client import to_dataframe
from coindcx_feed.client.envelope import error_of, parse_envelope, parse_greeting, shown
from coindcx_feed.client.items import item_of
from coindcx_feed.errors import ClientError
from coindcx_feed.sidecar import protocol

TIME = "2026-01-01T00:00:00.000Z"
EVENT = {"id": "x", "timestamp": TIME, "type": "order", "seq": 4, "source": "stream", "data": {"id": "a"}}
GAP = {"message": "resume_gap", "missed_from": 1, "missed_to": None}


def raw(**parts: object) -> bytes:
    """Encode an event with other parts; ``None`` leaves one out."""
    return msgspec.json.encode({name: part for name, part in (EVENT | parts).items() if part is not None})


def note(**data: object) -> bytes:
    return raw(type="system", seq=None, data=data)


@pytest.mark.parametrize(
    "good",
    [
        raw(),
        raw(data=[1, "a record of another shape"]),
        raw(type="liquidation"),
        raw(seq=None, mseq=7, type="trade"),
        raw(derived=["filled_quantity"], late=True),
        note(**GAP),
        protocol.epoch_changed("F", 9),
        protocol.ping(),
        protocol.error("no"),
        protocol.changed("subscribed", {"types": []}, 4, "E"),
    ],
    ids=range(10),
)
def test_messages_pass_as_they_are(good: bytes) -> None:
    """Whatever the record is: its shape changes with the exchange."""
    envelope = parse_envelope(good, "E", "demo")
    assert (dict(envelope), envelope.raw) == (msgspec.json.decode(good), good)


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"hello", b"[]", b"1", b'{"a":' * 3000 + b"1" + b"}" * 3000,
        b'{"type":"order","seq":' + b"9" * 5000 + b"}",
        raw(seq="4"), raw(seq=1.5), raw(seq=True), raw(seq=-1), raw(seq=2**63), raw(mseq="4"),
        raw(timestamp=None), raw(timestamp="yesterday"), raw(timestamp=5), raw(timestamp="2026-13-01T00:00:00Z"),
        raw(timestamp="2026-01-01T00:00:00"), raw(data=None), raw(type=None), raw(type=5),
        raw(derived=7), raw(derived=[1]), raw(type="system", data=[]), raw(type="system", data="x"),
        note(**GAP | {"missed_to": "9"}), note(**GAP | {"missed_to": -7}), note(message="epoch_changed"),
        note(message="epoch_changed", epoch=5),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_T10_what_no_reader_could_use_is_one_clear_line(bad: bytes) -> None:
    """Not the error of whatever line of a script meets it first."""
    with pytest.raises(ClientError, match=r"^expected (JSON )?messages of a CoinDCX sidecar, was [^\n]*$"):
        parse_envelope(bad)


@settings(deadline=None)  # the first table loads pandas
@given(st.dictionaries(st.sampled_from(list(EVENT)), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_T10_any_message_is_an_item_and_a_row_or_one_clear_line(parts: dict[str, object]) -> None:
    """Nothing else comes out of what another program says, whatever it is that it says."""
    text = msgspec.json.encode(EVENT | parts)
    try:
        envelope = parse_envelope(text, "E", "demo")
    except ClientError:
        return
    assert len(to_dataframe([item_of(envelope)])) <= 1


@pytest.mark.parametrize("part", ["epoch", "mode", "seq"])
def test_a_greeting_without_its_parts_is_none(part: str) -> None:
    """A place would be built of them."""
    whole = msgspec.json.decode(protocol.greeting(is_connected=True, mode="demo", epoch="E", seq=0))
    assert parse_greeting(msgspec.json.encode(whole)) == whole["data"]
    for odd in (None, [], -1, "=1+1" if part == "mode" else ""):
        data = whole["data"] | {part: odd}
        with pytest.raises(ClientError, match="expected the greeting of a CoinDCX sidecar"):
            parse_greeting(msgspec.json.encode(whole | {"data": data}))


def test_T15_what_another_program_tells_fits_a_terminal() -> None:
    """One short line without control characters."""
    assert shown("a\x1b[31m\nb\u202e") == "a [31m b "
    assert len(shown("x" * 1000)) == 300
    assert error_of(b'{"error":"no\\u0007"}') == "no "
    assert [error_of(text) for text in (b"<html>", b"[]", b"{}", b"[" * 5000)] == [""] * 4
