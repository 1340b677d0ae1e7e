"""Reads along what a client sends, frame heads only: what aiohttp's reader lets pass and this server does not.

That reader bounds the bytes of a message; it takes frames without a mask, and fragments without end if they are empty.
It also reads on for as long as there is something to read: what is too fast has to end before it.
"""

from collections import deque
from typing import Final

from coindcx_feed.sidecar.codes import CloseCode
from coindcx_feed.sidecar.limits import Limits

_MASKED: Final = 0x80
_FINAL: Final = 0x80
_CONTROL: Final = 0x8
_OPCODE: Final = 0xF
_CLOSE: Final = 0x8
_MASK_BYTES: Final = 4


class FrameWatch:
    """Follows the frames of one connection.

    Args:
        limits: ``messages_per_s`` (pings and pongs are messages too), ``fragments``, ``frames_per_s``.

    Attributes:
        good_bytes: After a fault: how much of the bytes last fed came before the frame at fault.
    """

    __slots__ = ("_began_s", "_count", "_fragments", "_head", "_left", "_limits", "_messages_at", "good_bytes")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._messages_at: deque[float] = deque(maxlen=limits.messages_per_s)
        self.good_bytes = 0
        self._head = b""
        self._left = 0
        self._fragments = 0
        self._began_s, self._count = 0.0, 0

    def feed(self, data: bytes, now_s: float) -> CloseCode | None:
        """Read the next bytes. Returns the code to close with, after which nothing more may be fed, or ``None``."""
        if now_s - self._began_s >= 1.0:
            self._began_s, self._count = now_s, 0
        known = len(self._head)
        if known:
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
            fault: CloseCode | None = CloseCode.PROTOCOL
            if data[at + 1] & _MASKED:
                if end - at < size:
                    break
                fault = self._count_frame(data[at], now_s)
            if fault is not None:
                self.good_bytes = max(0, at - known)
                return fault
            self._left = _payload_bytes(data, at, size)
            at += size
        self._head = data[at:]
        return None

    def _count_frame(self, first: int, now_s: float) -> CloseCode | None:
        self._count += 1
        if self._count > self._limits.frames_per_s:
            return CloseCode.TOO_FAST
        if not first & _CONTROL:
            self._fragments += 1
            if self._fragments > self._limits.fragments:
                return CloseCode.TOO_BIG
            if not first & _FINAL:
                return None
            self._fragments = 0
        return self._count_message(first, now_s)

    def _count_message(self, first: int, now_s: float) -> CloseCode | None:
        times = self._messages_at
        if first & _OPCODE == _CLOSE:  # who says goodbye is never too fast
            return None
        if len(times) == times.maxlen and now_s - times[0] < 1.0:
            return CloseCode.TOO_FAST
        times.append(now_s)
        return None


def _head_bytes(second: int) -> int:
    return 2 + {126: 2, 127: 8}.get(second & 0x7F, 0) + _MASK_BYTES


def _payload_bytes(data: bytes, at: int, head_bytes: int) -> int:
    if head_bytes == 2 + _MASK_BYTES:
        return data[at + 1] & 0x7F
    return int.from_bytes(data[at + 2 : at + head_bytes - _MASK_BYTES], "big")
