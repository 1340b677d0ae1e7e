"""What a line handed on to the feed, and when: a record that had arrived cannot have been held by the line."""

import re
import time
from typing import Final
from weakref import WeakKeyDictionary

from fakes.proxy import Direction

_TOKEN: Final = re.compile(rb'x_number\\*":(\d+)(?=\D)|\]"\}\]')
"""The number of a record, or the end of a frame: nobody can take a record before the end of its frame came."""
_LONGEST: Final = 64


class Deliveries:
    """Reads the numbers of account records from the bytes that pass.

    Attributes:
        times: When each record lay, whole, with the kernel of the feed's side, by number; oldest first. Wall clock, ns.

    Threads: the proxy's loop; ``times`` may be looked up from any.
    """

    def __init__(self) -> None:
        self.times: dict[int, list[int]] = {}
        self._lines: WeakKeyDictionary[object, _Line] = WeakKeyDictionary()

    def passed(self, direction: Direction, connection: object, data: bytes, is_flushed: bool) -> None:
        """Take in what a proxy wrote; see ``fakes.proxy.Passed``."""
        if direction == "up":
            return
        line = self._lines.setdefault(connection, _Line())
        line.add(data)
        if is_flushed:
            now_ns = time.time_ns()
            for number in line.written:
                self.times.setdefault(number, []).append(now_ns)
            line.written.clear()


class _Line:
    # Of one connection: the end of its text, the records of a frame that is not whole, those that are on the way.
    def __init__(self) -> None:
        self._text = b""
        self._begun: list[int] = []
        self.written: list[int] = []

    def add(self, data: bytes) -> None:
        text, end = self._text + data, 0
        for token in _TOKEN.finditer(text):
            end = token.end()
            if token[1]:
                self._begun.append(int(token[1]))
            else:
                self.written += self._begun
                self._begun = []
        self._text = text[end:][-_LONGEST:]
