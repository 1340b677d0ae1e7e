"""What the exchange emitted: numbers inside the records, and the list a checker compares with what others accepted."""

import time
from collections import OrderedDict
from typing import Any, Final, Literal, NamedTuple

import msgspec

from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.topics import kind_of

NUMBER_FIELD: Final = "x_number"

Fate = Literal["delivered", "nobody", "muted", "frozen", "dropped"]
"""Handed to a joined socket; none was joined; kept back by the switch of that name; lost on purpose."""

# Texts remembered to give a repetition the number of its original.
_REMEMBERED: Final = 10_000

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Emission(NamedTuple):
    """One account record that left, or should have.

    Attributes:
        number: Its ``x_number``; repetitions have that of their original, ``None`` without numbering.
        event: Socket.IO event name.
        id: The record's identifier.
        updated_at: Its time, Unix ms; balances have none.
        fate: What became of it. A record handed to a socket that is cut right afterwards may still not be read.
        mono_s: When, on the monotonic clock.
        text: The record's JSON.
    """

    number: int | None
    event: str
    id: str | None
    updated_at: int | None
    fate: Fate
    mono_s: float
    text: str

    @property
    def is_delivered(self) -> bool:
        """Whether at least one joined socket got it."""
        return self.fate == "delivered"


class _Key(msgspec.Struct):
    id: Any = None
    updated_at: Any = None
    x_number: Any = None


_read_key = msgspec.json.Decoder(_Key).decode


class Emissions:
    """Numbers and lists account records, as far as the behaviour asks for it; other events pass untouched.

    A record is what its text says: the same text with the same ``updated_at`` keeps its number, so that a repetition
    stays one. A balance carries no time and is new each time the exchange makes it.

    Attributes:
        rows: Every record so far, in order of leaving; it grows for as long as it is asked for.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.rows: list[Emission] = []
        self._behaviour = behaviour
        self._count = 0
        self._known: OrderedDict[str, int] = OrderedDict()

    def number(self, event: str, data: str) -> str:
        """Return the data of a frame with a number in each record; records that have one keep it."""
        if not self._behaviour.numbered or kind_of(event) != "account":
            return data
        pieces = _pieces(data)
        if not pieces:
            return data
        return f"[{','.join(self._numbered(text, key) for text, key in pieces)}]"

    def note(self, event: str, data: str, fate: Fate) -> None:
        """List the records of a frame."""
        if not (self._behaviour.numbered or self._behaviour.listed) or kind_of(event) != "account":
            return
        now_s = time.monotonic()
        for text, key in _pieces(data):
            self.rows.append(Emission(key.x_number, event, key.id, key.updated_at, fate, now_s, text))

    def _numbered(self, text: str, key: _Key) -> str:
        if key.x_number is not None:
            return text
        number = self._known.get(text) if key.updated_at is not None else None
        if number is None:
            self._count += 1
            number = self._known[text] = self._count
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        comma = "," if len(text) > 2 else ""
        return f'{text[:-1]}{comma}"{NUMBER_FIELD}":{number}}}'


def _pieces(data: str) -> list[tuple[str, _Key]]:
    # A frame that is malformed on purpose has no records.
    try:
        texts = [data] if data.startswith("{") else [bytes(piece).decode() for piece in _split(data)]
        return [(text, _read_key(text)) for text in texts]
    except ValueError:
        return []
