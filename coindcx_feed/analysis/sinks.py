"""What lines become: CSV, a JSON array, or a Parquet table of the very same cells."""

from collections.abc import Sequence
from typing import Any, BinaryIO, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from coindcx_feed.analysis.csv_lines import Lines, header

KINDS: Final = ("csv", "json", "parquet")
GROUP_BYTES: Final = 8 << 20
"""Lines that become one row group of a Parquet file: larger ones cost memory, smaller ones space."""
_TYPES: Final = {
    "seq": pa.int64(),
    "exchange_ms": pa.int64(),
    "timestamp": pa.timestamp("ms", tz="UTC"),
}
"""Columns that are no text. Money stays the exchange's text: no number type holds every one exactly."""


class Sink(Protocol):
    """Takes lines in order; ``end`` completes the file."""

    def add(self, lines: Lines) -> None: ...

    def end(self) -> None: ...


class CsvSink:
    """One header line, then the lines as they are."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        file.write(header(columns))

    def add(self, lines: Lines) -> None:
        self._file.write(lines.text)

    def end(self) -> None:
        """Nothing follows the last line."""


class JsonSink:
    """One array of envelopes, byte for byte, one a line."""

    def __init__(self, file: BinaryIO, _columns: Sequence[str]) -> None:
        self._file = file
        self._joint = b""
        file.write(b"[\n")

    def add(self, lines: Lines) -> None:
        if lines.rows:
            self._file.write(self._joint)
            self._file.write(lines.text)
            self._joint = b",\n"

    def end(self) -> None:
        self._file.write(b"\n]\n")


class ParquetSink:
    """The cells of the CSV lines as columns: texts, but for numbers, times and empty cells, which are null."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        from pyarrow import parquet  # takes a tenth of a second, and most exports are CSV

        self._columns = list(columns)
        schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in columns])
        self._read_as = schema.set(schema.get_field_index("exchange_ms"), pa.field("exchange_ms", pa.string()))
        self._writer: Any = parquet.ParquetWriter(file, schema, compression="zstd")
        self._held: list[bytes] = []
        self._held_bytes = 0

    def add(self, lines: Lines) -> None:
        if lines.rows:
            self._held.append(bytes(lines.text))
            self._held_bytes += len(lines.text)
        if self._held_bytes >= GROUP_BYTES:
            self._write()

    def end(self) -> None:
        if self._held:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        text, self._held, self._held_bytes = b"".join(self._held), [], 0
        table = csv.read_csv(
            pa.BufferReader(text),
            # One block: the next one would begin at a line end that may stand inside a quoted text.
            csv.ReadOptions(column_names=self._columns, block_size=len(text) + 1, use_threads=False),
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(column_types=self._read_as, null_values=[""], strings_can_be_null=True),
        )
        place = self._columns.index("exchange_ms")
        self._writer.write_table(table.set_column(place, "exchange_ms", _whole(table.column(place))))


def _whole(texts: Any) -> Any:
    """Return whole numbers; a time that is none, which only a broken record holds, is null."""
    return pc.if_else(pc.match_substring_regex(texts, r"^-?\d{1,18}$"), texts, None).cast(pa.int64())


SINKS: Final[dict[str, type[CsvSink] | type[JsonSink] | type[ParquetSink]]] = {
    "csv": CsvSink,
    "json": JsonSink,
    "parquet": ParquetSink,
}
