"""Destinations from settings: names and addresses, and refusals that hold neither."""

from collections.abc import Callable
from typing import Any

import pytest
from fakes.telegram_api import CHAT, TOKEN

from coindcx_feed.alerts.destinations import is_allowed_address, parse_chats, parse_webhooks

CANARY = "c4n4ry-5ecret"


def test_webhooks_are_named() -> None:
    """Several, separated by commas; a repr shows no address."""
    found = parse_webhooks(f"ops=https://example.org/{CANARY}?a=b, local=http://127.0.0.1:9/x")
    assert [hook.name for hook in found] == ["ops", "local"]
    assert found[0].url.get_secret_value() == f"https://example.org/{CANARY}?a=b"
    assert CANARY not in repr(found)


def test_chats_are_named() -> None:
    """A number or a channel's name; a repr shows no token."""
    found = parse_chats(f"me={TOKEN}/{CHAT},room={TOKEN}/@my_channel")
    assert [(chat.name, chat.chat_id) for chat in found] == [("me", CHAT), ("room", "@my_channel")]
    assert found[0].token.get_secret_value() == TOKEN
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_webhooks, f"https://example.org/{CANARY}"),
        (parse_webhooks, f"ops=http://example.org/{CANARY}"),
        (parse_webhooks, f"ops=ftp://example.org/{CANARY}"),
        (parse_webhooks, f"ops=https://{CANARY}:{CANARY}@example.org/"),
        (parse_webhooks, f"Ops=https://example.org/{CANARY}"),
        (parse_webhooks, f"ops=https://example.org/{CANARY},ops=https://example.org/2"),
        (parse_webhooks, f"ops=https://example.org:port/{CANARY}"),
        (parse_webhooks, ","),
        (parse_chats, f"me={CANARY}"),
        (parse_chats, f"me={TOKEN}"),
        (parse_chats, f"me={TOKEN}/{CANARY} x"),
        (parse_chats, ",".join(f"me{number}={TOKEN}/{CHAT}" for number in range(11))),
    ],
)
def test_T16_refusals_hold_no_value(parse: Callable[[str], Any], text: str) -> None:
    """One line of what was expected."""
    with pytest.raises(ValueError, match=r"^expected") as caught:
        parse(text)
    assert CANARY not in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("https://example.org/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:80/x", True),
        ("http://example.org/x", False),
        ("http://127.0.0.1.example.org/x", False),
        ("http://localhost@example.org/x", False),
        ("https:///x", False),
        ("file:///etc/passwd", False),
        ("https://example.org/\n", False),
    ],
)
def test_T18_only_https_or_loopback(address: str, is_allowed: bool) -> None:
    """Nothing readable leaves this machine."""
    assert is_allowed_address(address) is is_allowed
