"""CSV lines of events of one type in full: every documented field of the record, derived ones, the rest as JSON."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from coindcx_feed.analysis.cells import COLUMNS, cell, csv_line, leading_texts, parse_envelope, quoted
from coindcx_feed.analysis.csv_lines import Lines
from coindcx_feed.analysis.fields import DERIVED_FIELDS, RECORD_FIELDS, TIME_FIELDS
from coindcx_feed.analysis.parts import Part

LEADING: Final = (*COLUMNS[: COLUMNS.index("id")], "late")
EXTRA: Final = "extra"
"""Last column: fields that are not documented, as a JSON object."""

_ABSENT: Final = msgspec.Raw(b"")
_NULL: Final = msgspec.Raw(b"null")
# A text that begins like this could be a formula, or a number written as text: both need a closer look. The first three
# are so rare that they are looked for anywhere, which is quicker.
_ODD: Final = (b"=", b"+", b"@", b'"-', b'" ')
_encode = msgspec.json.Encoder().encode


def full_columns(kind: str) -> tuple[str, ...]:
    """Return the header of an export that holds one type only.

    A field called like one of ours is named after its type: ``fill_timestamp``.
    """
    own = (f"{kind}_{name}" if name in LEADING else name for name in _documented(kind))
    return (*LEADING, *own, EXTRA)


def _documented(kind: str) -> tuple[str, ...]:
    return (*RECORD_FIELDS[kind], *DERIVED_FIELDS.get(kind, ()))


class RecordLines:
    """Writes full lines of one type.

    A text that JSON writes without escapes is a quoted CSV cell already: such records, nearly all, are decoded into a
    row of raw values and joined. The others take the way of single cells, six times slower.
    """

    def __init__(self, kind: str, mode: str) -> None:
        self._mode = mode
        self._fields = _documented(kind)
        self._known = frozenset(self._fields)
        self._time = self._fields.index(TIME_FIELDS[kind]) if kind in TIME_FIELDS else None
        row = msgspec.defstruct(
            "Row", [(name, msgspec.Raw, _ABSENT) for name in self._fields], forbid_unknown_fields=True
        )
        fields: list[Any] = [("seq", msgspec.Raw), ("timestamp", str), ("source", str), ("type", str), ("data", row)]
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(
            msgspec.defstruct("Event", [*fields, ("late", bool, False)])
        ).decode

    def __call__(self, part: Part) -> Lines:
        bodies, epoch = part.bodies(), part.epoch
        head = f",{quoted(epoch)},".encode()
        lines = [self._quick_line(body, head) or self._careful_line(body, epoch) for body in bodies]
        return Lines(b"".join(lines), len(bodies))

    def _quick_line(self, body: bytes, head: bytes) -> bytes | None:
        if b"\\" in body or b"{" in body[body.find(b'"data":{') + 8 :] or not body.isascii():
            return None
        try:
            event = self._decode(body)
        except msgspec.ValidationError:
            return None
        values = msgspec.structs.astuple(event.data)
        line = b",".join(values)
        if line.count(b",") != len(values) - 1 or line.count(b"[") != line.count(b"[]") or any(map(line.count, _ODD)):
            return None
        # No comma stands inside a text, so this null is a value. Twice, because two nulls share a comma.
        line = b",%b," % line
        line = line.replace(b",null,", b",,").replace(b",null,", b",,")
        late = "true" if event.late else ""
        end = f",{self._mode},{event.source},{event.type},{late}".encode()
        time = b"" if self._time is None or values[self._time] == _NULL else bytes(values[self._time])
        return b"".join((event.seq, head, event.timestamp.encode(), b",", time.partition(b".")[0], end, line, b"\r\n"))

    def _careful_line(self, body: bytes, epoch: str) -> bytes:
        event = parse_envelope(body)
        data = event.data
        cells = [*leading_texts(event, epoch, self._mode), "true" if event.late else ""]
        cells += [cell(bytes(data[name]), name) if name in data else "" for name in self._fields]
        rest = [b"%b:%b" % (_encode(name), raw) for name, raw in data.items() if name not in self._known]
        cells.append(f"{{{b','.join(rest).decode()}}}" if rest else "")
        return csv_line(cells).encode()
