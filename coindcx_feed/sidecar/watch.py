"""Reads along what a client sends, frame heads only: what aiohttp's reader lets pass and this server does not.

That reader bounds the bytes of a message; it takes frames without a mask, and fragments without end if they are empty.
"""

from typing import Final

from coindcx_feed.sidecar.codes import CloseCode

_MASKED: Final = 0x80
_FINAL: Final = 0x80
_CONTROL: Final = 0x8
_MASK_BYTES: Final = 4


class FrameWatch:
    """Follows the frames of one connection.

    Args:
        fragments: Most frames of one message.
        frames_per_s: Most frames of any kind in a second.
    """

    __slots__ = ("_began_s", "_count", "_fragments", "_head", "_left", "_most_fragments", "_most_frames")

    def __init__(self, fragments: int, frames_per_s: int) -> None:
        self._most_fragments, self._most_frames = fragments, frames_per_s
        self._head = b""
        self._left = 0
        self._fragments = 0
        self._began_s, self._count = 0.0, 0

    def feed(self, data: bytes, now_s: float) -> CloseCode | None:
        """Read the next bytes. Returns the code to close with, after which nothing more may be fed, or ``None``."""
        if now_s - self._began_s >= 1.0:
            self._began_s, self._count = now_s, 0
        if self._head:
            data, self._head = self._head + data, b""
        at, end = 0, len(data)
        while at < end:
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
                at += step
                continue
            if end - at < 2:
                break
            size = _head_bytes(data[at + 1])
            if not data[at + 1] & _MASKED:
                return CloseCode.PROTOCOL
            if end - at < size:
                break
            fault = self._count_frame(data[at])
            if fault is not None:
                return fault
            self._left = _payload_bytes(data, at, size)
            at += size
        self._head = data[at:]
        return None

    def _count_frame(self, first: int) -> CloseCode | None:
        self._count += 1
        if self._count > self._most_frames:
            return CloseCode.TOO_FAST
        if not first & _CONTROL:
            self._fragments += 1
            if self._fragments > self._most_fragments:
                return CloseCode.TOO_BIG
            if first & _FINAL:
                self._fragments = 0
        return None


def _head_bytes(second: int) -> int:
    return 2 + {126: 2, 127: 8}.get(second & 0x7F, 0) + _MASK_BYTES


def _payload_bytes(data: bytes, at: int, head_bytes: int) -> int:
    if head_bytes == 2 + _MASK_BYTES:
        return data[at + 1] & 0x7F
    return int.from_bytes(data[at + 2 : at + head_bytes - _MASK_BYTES], "big")
