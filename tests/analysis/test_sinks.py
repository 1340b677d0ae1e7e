"""Parquet holds the cells of the CSV; CSV and JSON are files that other programs read."""

import io

import pyarrow as pa
from analysis.helpers import EPOCH, new_event
from fakes.frames import balance, order
from pyarrow import parquet

from coindcx_feed.analysis import sinks
from coindcx_feed.analysis.cells import COLUMNS, row_texts
from coindcx_feed.analysis.csv_lines import EventLines, Lines
from coindcx_feed.analysis.parts import LogPart
from coindcx_feed.analysis.sinks import JsonSink, ParquetSink


def _parquet(lines: list[Lines]) -> pa.Table:
    file = io.BytesIO()
    sink = ParquetSink(file, COLUMNS)
    for each in lines:
        sink.add(each)
    sink.end()
    return parquet.read_table(io.BytesIO(file.getvalue()))


def test_parquet_has_the_cells_of_the_csv_with_types() -> None:
    """Texts and money come back as they were, numbers and times as such, empty cells as null."""
    records = [
        ("order", order("o-1", display_message='two\r\nlines, "quoted"')),
        ("balance", balance(free="1650841.59606695345873")),
        ("order", order("o-2", display_message="=1+1")),
    ]
    events = [new_event(seq, kind, record) for seq, (kind, record) in enumerate(records, 1)]
    table = _parquet([EventLines("demo")(LogPart([event], EPOCH)) for event in events])
    assert tuple(table.column_names) == COLUMNS
    assert (table.schema.field("seq").type, table.schema.field("exchange_ms").type) == (pa.int64(), pa.int64())
    assert table.schema.field("timestamp").type == pa.timestamp("ms", tz="UTC")
    for row, event in zip(table.to_pylist(), events, strict=True):
        expected = dict(zip(COLUMNS, row_texts(event.body, EPOCH, "demo"), strict=True))
        assert row["timestamp"].isoformat(timespec="milliseconds").replace("+00:00", "Z") == expected["timestamp"]
        texts = {name: "" if row[name] is None else str(row[name]) for name in COLUMNS if name != "timestamp"}
        assert texts == {name: expected[name] for name in texts}


def test_T14_parquet_takes_a_broken_time_for_none() -> None:
    """A record whose time is no whole number does not end the export."""
    line = f"1,{EPOCH},2026-09-23T05:06:40.124Z,soon,demo,stream,order,o,,,,,,,\r\n".encode()
    assert _parquet([Lines(line, 1)])["exchange_ms"].to_pylist() == [None]


def test_row_groups_bound_the_memory() -> None:
    """Lines are written as soon as they are a group; together they are one table."""
    line = f"1,{EPOCH},2026-09-23T05:06:40.124Z,7,demo,stream,order,o,,,,,,,\r\n".encode()
    file = io.BytesIO()
    sink = ParquetSink(file, COLUMNS)
    many = Lines(line * (sinks.GROUP_BYTES // len(line) + 1), sinks.GROUP_BYTES // len(line) + 1)
    sink.add(many)
    sink.add(Lines(line, 1))
    sink.add(Lines(b"", 0))
    sink.end()
    found = parquet.ParquetFile(io.BytesIO(file.getvalue()))
    assert (found.metadata.num_row_groups, found.metadata.num_rows) == (2, many.rows + 1)


def test_an_empty_export_is_still_a_file() -> None:
    """No rows: a Parquet table with all columns, and an empty array."""
    assert (_parquet([]).num_rows, len(_parquet([]).column_names)) == (0, len(COLUMNS))
    file = io.BytesIO()
    sink = JsonSink(file, ())
    sink.add(Lines(b"", 0))
    sink.end()
    assert file.getvalue() == b"[\n\n]\n"
