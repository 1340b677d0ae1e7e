"""Rows of recorded files: plain and gzip, cut, damaged, foreign and giant ones."""

import gzip
import logging
import pickle
import zlib
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from simulator.helpers import Recorder, eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import codec, wire
from coindcx_feed.simulator import recordings
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.frames import build_frames_server, load_frames
from coindcx_feed.simulator.recordings import Row, read_rows

ENVELOPE = {"event": "x", "data": "y"}


def lines(*rows: object) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def zipped(path: Path, text: bytes) -> Path:
    path.write_bytes(gzip.compress(text))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_rows(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_gzip_rows_are_those_of_the_plain_file(tmp_path: Path) -> None:
    """Whatever the file is called: its first bytes tell."""
    text = lines({"offset_ms": 5, "frame": ENVELOPE}, ENVELOPE)
    (tmp_path / "a.jsonl").write_bytes(text)
    expected = [Row("x", ENVELOPE, 5.0), Row("x", ENVELOPE, None)]
    for path in (tmp_path / "a.jsonl", zipped(tmp_path / "a.jsonl.gz", text), zipped(tmp_path / "b.jsonl", text)):
        assert read_rows(path) == expected


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    """A payload that was recorded as an object is sent with the digits it came with."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"offset_ms":0,"frame":{"event":"x","data":{"p":0.10000000000000000555}}}\n')
    (row,) = read_rows(path)
    assert row.argument["data"]["p"] == Decimal("0.10000000000000000555")


def test_recording_without_its_end_counts_up_to_the_last_whole_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a killed recorder leaves it: one line in the log says so."""
    packer = zlib.compressobj(wbits=31)
    cut = packer.compress(lines(ENVELOPE, ENVELOPE) + b'{"event":"x","da') + packer.flush(zlib.Z_SYNC_FLUSH)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(cut)
    with caplog.at_level(logging.WARNING):
        assert len(read_rows(path)) == 2
    assert "cut off" in caplog.text
    path.write_bytes(cut[:11])
    assert "was an empty file" in refusal(path)


def test_T22_damaged_and_foreign_files_are_one_line_each(tmp_path: Path) -> None:
    """A bit that fell over, a pickle, another kind of compression, and a number that is none."""
    good = zipped(tmp_path / "damaged.jsonl.gz", lines(*[{"event": "x", "data": str(n)} for n in range(5_000)]))
    damaged = bytearray(good.read_bytes())
    damaged[-6] ^= 0xFF  # of the checksum
    good.write_bytes(bytes(damaged))
    assert "expected gzip, was damaged" in refusal(good)
    (tmp_path / "foreign.gz").write_bytes(b"PK\x03\x04" + bytes(100))
    assert "expected gzip, was something else" in refusal(tmp_path / "foreign.gz")
    (tmp_path / "pickled.jsonl").write_bytes(pickle.dumps(ENVELOPE))
    assert "line 1: expected" in refusal(tmp_path / "pickled.jsonl")
    for text in ('{"offset_ms":1e999999,"frame":{"event":"x","data":"y"}}', '{"offset_ms":1,"name":7,"frame":1}'):
        (tmp_path / "a.jsonl").write_text(text)
        assert "a.jsonl line 1: expected" in refusal(tmp_path / "a.jsonl")


def test_T22_giant_rows_and_files_are_refused_before_they_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small compressed file may hold any amount: reading ends at the limit."""
    monkeypatch.setattr(recordings, "MAX_ROW_BYTES", 1_000)
    monkeypatch.setattr(recordings, "MAX_TEXT_BYTES", 5_000)
    giant = zipped(tmp_path / "row.jsonl.gz", lines(ENVELOPE) + b"0" * 3_000_000)
    assert "line 2: expected at most 1,000 bytes, was a longer row" in refusal(giant)
    many = zipped(tmp_path / "many.jsonl.gz", lines(*[ENVELOPE] * 100_000))
    assert "expected at most 5,000 bytes of text" in refusal(many)


async def test_odd_frames_are_served_as_they_came(tmp_path: Path) -> None:
    """Another name inside, no envelope at all, several arguments in a list, and a packet that is not JSON."""
    odd = [("x", {"event": "y", "data": "z"}), ("x", 7), ("x", [1, 2]), (codec.MALFORMED, '["x",{')]
    rows = [{"offset_ms": 0, "name": name, "frame": frame} for name, frame in odd]
    path = zipped(tmp_path / "a.jsonl.gz", lines(*rows, {"event": wire.PRICES_UPDATE_EVENT, "data": "{}"}))
    server = build_frames_server(load_frames([path], interval_s=0), port=0, behaviour=instant())
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join(server, wire.CURRENT_PRICES_CHANNEL)
        await eventually(lambda: len(client.frames) >= len(odd) + 1)
    assert client.frames[: len(odd)] == odd
