"""Messages to and from one client, word for word."""

import re

import msgspec
import pytest

from coindcx_feed.errors import BadRequest
from coindcx_feed.sidecar import protocol

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_greeting_word_for_word() -> None:
    """The seed's clients look for these words; the added fields stand behind them."""
    text = protocol.greeting(is_connected=True, mode="demo", epoch="E", seq=7).decode()
    assert re.fullmatch(
        rf'{{"id":"{UUID}","timestamp":"{TIME}","type":"system","data":'
        r'{"message":"Connected to CoinDCX WebSocket bridge","coindcx_connected":true,"mode":"demo",'
        r'"epoch":"E","seq":7}}',
        text,
    )


def test_keep_alive_messages_have_two_fields() -> None:
    """Type and time, as the seed sends them."""
    assert re.fullmatch(rf'{{"type":"pong","timestamp":"{TIME}"}}', protocol.pong().decode())
    assert re.fullmatch(rf'{{"type":"ping","timestamp":"{TIME}"}}', protocol.ping().decode())


def test_errors_are_typed() -> None:
    """Quotes and line breaks of a message stay inside its text."""
    assert protocol.error('a "b"\n') == b'{"type":"error","data":{"message":"a \\"b\\"\\n"}}'


def test_resume_gap_names_what_is_missing() -> None:
    """Unknown ends are null, and no message to one client carries a seq."""
    message = msgspec.json.decode(protocol.resume_gap(3, None, "why"))
    assert message["type"] == "system"
    assert message["data"] == {
        "message": "resume_gap",
        "recovered": False,
        "missed_from": 3,
        "missed_to": None,
        "reason": "why",
    }
    assert "seq" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ping", "ping"),
        (" ping\n", "ping"),
        ('{"type":"ping"}', "ping"),
        ("pong", "pong"),
        ('{"type":"pong","timestamp":"2026-01-01T00:00:00.000Z"}', "pong"),
        ('{"action":"auth","token":"abc"}', protocol.Auth("abc")),
    ],
)
def test_known_messages(text: str, said: object) -> None:
    """Words and their JSON forms."""
    assert protocol.parse_message(text) == said


@pytest.mark.parametrize(
    ("text", "came"),
    [
        ("", "not JSON"),
        ("PING", "not JSON"),
        ("{", "not JSON"),
        ("[" * 50_000, "JSON of another shape"),
        ('{"a":' * 50_000, "not JSON"),
        ("NaN", "not JSON"),
        ("1e999", "JSON of another shape"),
        ("null", "JSON of another shape"),
        ("[]", "JSON of another shape"),
        ('{"type":5}', "JSON of another shape"),
        ("{}", "JSON of another kind"),
        ('{"type":"subscribe"}', "JSON of another kind"),
        ('{"action":"auth"}', "JSON of another kind"),
        ('{"__proto__":{"admin":true}}', "JSON of another kind"),
        ('{"action":"create_order","pair":"B-BTC_USDT"}', "JSON of another kind"),
    ],
)
def test_T10_anything_else_is_a_bad_request(text: str, came: str) -> None:
    """What was expected and what came, without repeating the text."""
    with pytest.raises(BadRequest) as caught:
        protocol.parse_message(text)
    assert (
        str(caught.value) == f'expected ping or {{"action":"subscribe"|"unsubscribe"|"resume"|"auth",...}}, was {came}'
    )


def test_T16_a_token_is_not_in_repr() -> None:
    """Neither in the message nor in an error about it."""
    assert "canary" not in repr(protocol.Auth("canary"))
    with pytest.raises(BadRequest) as caught:
        protocol.parse_message('{"action":"authenticate","token":"canary"}')
    assert "canary" not in str(caught.value)
