"""Where notices may be sent: named in the settings and nowhere else. No message here ever holds a value."""

import re
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
MAX_DESTINATIONS: Final = 10
_NAMED: Final = re.compile(r"([a-z0-9-]{1,20})=(\S+)", re.ASCII).fullmatch
_CHAT: Final = re.compile(r"(\d+:[A-Za-z0-9_-]{20,100})/(-?\d{1,20}|@[A-Za-z0-9_]{3,40})", re.ASCII).fullmatch


class Webhook(NamedTuple):
    """An address that is posted to: the whole of it is a secret."""

    name: str
    url: SecretStr


class Chat(NamedTuple):
    """A Telegram chat, and the token of the bot that writes to it."""

    name: str
    token: SecretStr
    chat_id: str


def parse_webhooks(text: str) -> tuple[Webhook, ...]:
    """Read ``NAME=URL`` pairs, separated by commas.

    Raises:
        ValueError: Without any of the text.
    """
    found = []
    for name, address in _named(text):
        if not is_allowed_address(address):
            raise ValueError("expected NAME=https://…, separated by commas; plain http:// is accepted on loopback only")
        found.append(Webhook(name, SecretStr(address)))
    return tuple(found)


def parse_chats(text: str) -> tuple[Chat, ...]:
    """Read ``NAME=TOKEN/CHAT`` pairs, separated by commas; a chat is a number or ``@channel``.

    Raises:
        ValueError: Without any of the text.
    """
    found = []
    for name, address in _named(text):
        parts = _CHAT(address)
        if parts is None:
            raise ValueError("expected NAME=TOKEN/CHAT, separated by commas, as the bot's maker and the chat have them")
        found.append(Chat(name, SecretStr(parts[1]), parts[2]))
    return tuple(found)


def _named(text: str) -> list[tuple[str, str]]:
    pairs = [_NAMED(part.strip()) for part in text.split(",") if part.strip()]
    names = [pair[1] for pair in pairs if pair is not None]
    if len(names) != len(pairs) or not names:
        raise ValueError("expected NAME=ADDRESS pairs, separated by commas; a name has small letters, digits and -")
    if len(set(names)) != len(names) or len(names) > MAX_DESTINATIONS:
        raise ValueError(f"expected different names, at most {MAX_DESTINATIONS}")
    return [(pair[1], pair[2]) for pair in pairs if pair is not None]


def is_allowed_address(address: str) -> bool:
    """Say whether an address may be posted to: https, or http on this machine; no user name in it."""
    parts = _split(address)
    if parts is None or parts.username or parts.password or parts.fragment or not address.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises when it is no number
    except ValueError:
        return None
    return parts if parts.hostname else None
