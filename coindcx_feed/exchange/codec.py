"""The JSON module given to python-socketio: fast, and it never loses a frame that it cannot parse.

python-socketio keeps its JSON module per process, so client and embedded exchange share this one.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec

MALFORMED: Final = "malformed-frame"
"""Event name under which an event packet that is not JSON is handed on, with its text as the only argument."""

# A peer may send the payload as an object instead of text: its numbers must keep their digits.
_PACKET_TYPES: Final = frozenset("0123456789") | {""}

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def parse_event(text: str) -> tuple[str, Any]:
    """Parse the body of an event packet, ``["name",argument]``.

    Several arguments come back as a list. What is not such a body comes back under ``MALFORMED`` with its text.
    """
    try:
        parsed = _decode(text)
    except (ValueError, ArithmeticError, RecursionError):
        return MALFORMED, text
    match parsed:
        case [str(event), argument]:
            return event, argument
        case [str(event), *arguments]:
            return event, arguments
    return MALFORMED, text


def dumps(value: Any, **_options: Any) -> str:
    """Encode compactly; the options of the standard module are accepted and not needed."""
    return _encode(value).decode()


def loads(text: str | bytes, **_options: Any) -> Any:
    """Decode the JSON of a packet.

    Engine.IO tries every message as JSON first and expects ``ValueError`` for the Socket.IO packets among them, which
    begin with a digit. Any other text that does not parse is the body of an event: raising there would end in the
    library's log, so it becomes an event of its own and reaches quarantine.
    """
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if shown[:1] in _PACKET_TYPES:
        raise ValueError("a Socket.IO packet, not JSON")
    try:
        return _decode(text)
    except (ValueError, ArithmeticError, RecursionError) as error:  # msgspec's errors are ValueErrors
        if shown.startswith("{"):
            raise ValueError(str(error)) from error
        return [MALFORMED, shown]
