"""WebSocket frames of a server (RFC 6455: final, unmasked, no extensions), built once for many transports."""

from collections.abc import Iterable
from struct import Struct
from typing import Final

_MEDIUM: Final = Struct("!BBH").pack
_LARGE: Final = Struct("!BBQ").pack
_TEXT: Final = 0x81

PING_FRAME: Final = bytes((0x89, 0))


def text_frame(payload: bytes) -> bytes:
    """Wrap UTF-8 text in one frame."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 0x10000:
        return _MEDIUM(_TEXT, 126, size) + payload
    return _LARGE(_TEXT, 127, size) + payload


def text_frames(payloads: Iterable[bytes]) -> bytes:
    """Wrap several texts, one frame each, in one piece for one write."""
    return b"".join([text_frame(payload) for payload in payloads])


def close_frame(code: int, reason: bytes = b"") -> bytes:
    """End a conversation. ``reason`` is at most 123 bytes."""
    return bytes((0x88, 2 + len(reason))) + code.to_bytes(2, "big") + reason


def pong_frame(payload: bytes) -> bytes:
    """Answer a ping. ``payload`` is the ping's, at most 125 bytes: longer ones never pass the reader."""
    return bytes((0x8A, len(payload))) + payload
