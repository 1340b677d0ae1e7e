"""Raw frames on disk: value for value, in order, bounded, private, and never in the handler's way."""

import asyncio
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.frames import FIXTURES
from fakes.waiting import eventually, eventually_sync

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import codec, signing, wire
from coindcx_feed.exchange.session import Session
from coindcx_feed.feed import recorder as recorder_module
from coindcx_feed.feed.recorder import Recorder
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.frames import build_frames_server, load_frames
from coindcx_feed.simulator.recordings import read_rows
from coindcx_feed.simulator.server import ExchangeServer

CAPTURED = sorted((FIXTURES / "ws").glob("*.captured*.jsonl"))
SCENARIO = FIXTURES / "scenarios" / "limit-partial-then-filled.constructed.jsonl"
CHANNELS = [
    wire.CURRENT_PRICES_CHANNEL,
    *[wire.trades_channel(pair) for pair in ("B-BTC_USDT", "B-ETH_USDT")],
    wire.price_channel("B-BTC_USDT"),
    wire.book_channel("B-ETH_USDT", 10),
    wire.book_channel("B-CHR_USDT", 50),
    wire.candle_channel("B-BTC_USDT", "1m"),
    wire.candle_channel("B-ETH_USDT", "1m"),
]
Frames = list[tuple[str, Any]]


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A running recorder of a folder of its own."""
    made = Recorder(tmp_path / "records", "demo")
    made.start()
    yield made
    made.stop()


def envelope(number: int, event: str = wire.TRADE_EVENT) -> dict[str, Any]:
    return {"event": event, "data": json.dumps({"n": number})}


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("records/*"))


def frames_of(*paths: Path) -> Frames:
    return [(row.event, row.argument) for path in paths for row in read_rows(path)]


async def received_from(server: ExchangeServer, count: int, record: Recorder | None = None) -> Frames:
    """Join everything over the real session and return the first frames, recording them on the way."""
    found: Frames = []

    def receive(event: str, argument: object) -> None:
        found.append((event, argument))

    session = Session(server.url.replace("http", "ws", 1), receive if record is None else record.tap(receive))
    await session.open(10)
    try:
        for channel in CHANNELS:
            await session.join({"channelName": channel})
        await session.join(signing.join_payload("any key", "any secret"))
        await eventually(lambda: len(found) >= count)
    finally:
        await session.close()
    return found


@pytest.mark.timed
async def test_session_recorded_and_served_again_arrives_value_for_value(tmp_path: Path, recorder: Recorder) -> None:
    """Real session, recorder, file, simulate --frames, real session: captured frames and a lifecycle with its pace."""
    sent = load_frames([*CAPTURED, SCENARIO], interval_s=0.001, speed=50)
    async with build_frames_server(sent, port=0, behaviour=instant()) as server:
        first = await received_from(server, len(sent), recorder)
    recorder.stop()
    (path,) = files(tmp_path)
    again = load_frames([path])
    # The pace is kept: the scenario's ten seconds were played in a fiftieth.
    assert sent[-1].due_s - 0.1 <= again[-1].due_s <= sent[-1].due_s + 5
    async with build_frames_server(again, port=0, behaviour=instant()) as server:
        second = await received_from(server, len(sent))
    assert first == [(frame.event, frame.envelope) for frame in sent]
    assert second == first
    assert recorder.status()["recorded"] == len(sent)
    assert recorder.status()["missed"] == 0


async def test_malformed_packet_is_recorded_and_served_as_it_came(tmp_path: Path, recorder: Recorder) -> None:
    """What is not even JSON is what one wants to look at later."""

    async def spoil(server: ExchangeServer) -> None:
        await server.hub.wait_for(lambda: len(server.joins) == len(CHANNELS) + 1)
        await server.emit_raw('2["new-trade",{cut')
        await server.emit(wire.TRADE_EVENT, {"s": "B-BTC_USDT"})

    async with ExchangeServer(port=0, behaviour=instant(), credentials=None, background=[spoil]) as server:
        first = await received_from(server, 2, recorder)
    recorder.stop()
    assert first[0] == (codec.MALFORMED, '["new-trade",{cut')
    async with build_frames_server(load_frames(files(tmp_path)), port=0, behaviour=instant()) as server:
        assert await received_from(server, 2) == first


def test_rows_have_the_form_of_the_scenarios(tmp_path: Path, recorder: Recorder) -> None:
    """Offset from the first frame, then the envelope as it came; a file of our own naming for its owner only."""
    recorder.take(wire.TRADE_EVENT, envelope(1))
    recorder.take(wire.TRADE_EVENT, envelope(2))
    recorder.stop()
    (path,) = files(tmp_path)
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [set(row) for row in rows] == [{"offset_ms", "frame"}] * 2
    assert rows[0] == {"offset_ms": 0, "frame": envelope(1)}
    assert re.fullmatch(r"demo-\d{8}T\d{6}Z-01\.jsonl\.gz", path.name)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_files_follow_each_other_by_size_and_begin_at_zero(tmp_path: Path) -> None:
    """No frame is lost at the turn, and each file can be served alone or all together."""
    recorder = Recorder(tmp_path / "records", "live", file_bytes=1_000)
    recorder.start()
    for number in range(100):
        recorder.take(wire.TRADE_EVENT, envelope(number))
    recorder.stop()
    paths = files(tmp_path)
    assert len(paths) > 5
    assert [argument for _, argument in frames_of(*paths)] == [envelope(number) for number in range(100)]
    assert all(read_rows(path)[0].offset_ms == 0 for path in paths)
    assert all(len(gzip.decompress(path.read_bytes())) <= 1_000 for path in paths)
    assert recorder.status()["files"] == len(paths)


def test_second_start_never_writes_into_a_file_that_exists(tmp_path: Path) -> None:
    """Also within one second."""
    for number in range(3):
        recorder = Recorder(tmp_path / "records", "live")
        recorder.start()
        recorder.take(wire.TRADE_EVENT, envelope(number))
        recorder.stop()
    assert [argument["data"] for _, argument in frames_of(*files(tmp_path))] == [
        envelope(number)["data"] for number in range(3)
    ]


@pytest.mark.timed
def test_full_queue_counts_what_it_cannot_take_and_never_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by size; the handler returns at once, the frame goes on to the feed."""
    monkeypatch.setattr(recorder_module, "MAX_FRAMES", 10)
    recorder = Recorder(tmp_path / "records", "live")  # its thread does not run: nothing is taken away
    seen: list[object] = []
    handler = recorder.tap(lambda _event, argument: seen.append(argument))
    started = time.monotonic()
    for number in range(1_000):
        handler(wire.TRADE_EVENT, envelope(number))
    assert time.monotonic() - started < 1
    assert len(seen) == 1_000
    assert (recorder.status()["waiting"], recorder.status()["missed"]) == (10, 990)
    monkeypatch.setattr(recorder_module, "MAX_FRAMES", 100)
    recorder.take("x", {"event": "x", "data": "0" * recorder_module.MAX_BYTES})
    assert recorder.status()["missed"] == 991


def test_killed_process_leaves_a_file_that_can_be_read(tmp_path: Path) -> None:
    """Everything up to the last flush, which comes every second."""
    script = (
        "import sys, threading\nfrom pathlib import Path\nfrom coindcx_feed.feed.recorder import Recorder\n"
        "recorder = Recorder(Path(sys.argv[1]) / 'records', 'live')\nrecorder.start()\n"
        "for number in range(1000):\n    recorder.take('x', {'event': 'x', 'data': str(number)})\n"
        "while recorder.status()['recorded'] < 1000:\n    threading.Event().wait(0.01)\n"
        "recorder.take('x', {'event': 'x', 'data': 'late'})\nprint('flushed', flush=True)\nthreading.Event().wait(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "flushed\n"
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    found = [argument["data"] for _, argument in frames_of(*files(tmp_path))]
    assert found[:1000] == [str(number) for number in range(1000)]


def test_identifiers_are_replaced_throughout_a_recording(tmp_path: Path) -> None:
    """Order, position and wallet keep their relations; amounts and market data stay; the next recording differs."""
    names = []
    for folder in ("a", "b"):
        recorder = Recorder(tmp_path / folder / "records", "live", redact=True)
        recorder.start()
        sent = load_frames([SCENARIO, *CAPTURED])
        for frame in sent:
            recorder.take(frame.event, frame.envelope)
        recorder.take(codec.MALFORMED, '{"id":"15515154-')
        recorder.stop()
        found = read_rows(files(tmp_path / folder)[0])
        assert len(found) == len(sent)
        assert recorder.status()["withheld"] == 1
        names.append(_check_redacted([(frame.event, frame.envelope) for frame in sent], found))
    assert names[0].keys() == names[1].keys()
    assert not set(names[0].values()) & set(names[1].values())


def _check_redacted(sent: Frames, found: list[Any]) -> dict[str, str]:
    """Compare record by record and return which identifier became which."""
    names: dict[str, str] = {}
    for (event, before), row in zip(sent, found, strict=True):
        assert (row.event, list(row.argument)) == (event, list(before))
        if event not in wire.ACCOUNT_EVENTS:
            assert row.argument == before
            continue
        pairs = zip(json.loads(before["data"]), json.loads(row.argument["data"]), strict=True)
        for old, new in pairs:
            for name, value in old.items():
                if name.endswith("id") and value is not None:
                    assert names.setdefault(value, new[name]) == new[name] != value
                else:
                    assert new[name] == value
    return names


def test_folder_that_cannot_be_written_is_one_line_at_the_start(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "records").write_text("")
    with pytest.raises(ConfigError, match="correct COINDCX_RECORD_DIR") as caught:
        Recorder(tmp_path / "records", "live").start()
    assert "\n" not in str(caught.value)


def test_trouble_of_the_disk_is_counted_shown_and_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder vanishes and a file takes its place; later it is back and recording goes on in a new file."""
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.05)
    folder = tmp_path / "records"
    recorder = Recorder(folder, "live")
    recorder.start()
    try:
        folder.rmdir()
        folder.write_text("")
        recorder.take("x", envelope(1))
        eventually_sync(lambda: recorder.status()["error"])
        status = recorder.status()
        assert (status["recorded"], status["missed"]) == (0, 1)
        assert "not recorded" in status["error"]
        assert "\n" not in status["error"]
        os.unlink(folder)

        def recorded_again() -> bool:
            recorder.take("x", envelope(2))
            return bool(recorder.status()["recorded"])

        eventually_sync(recorded_again)
        assert recorder.status()["error"] is None
    finally:
        recorder.stop()
    assert len(files(tmp_path)) == 1


async def test_handler_costs_microseconds(recorder: Recorder) -> None:
    """The socket's handler runs it for every frame: 10,000 of 2 kB, all of them recorded."""
    frame = {"event": wire.TRADE_EVENT, "data": "0" * 2_000}
    started = time.perf_counter()
    for _ in range(10_000):
        recorder.take(wire.TRADE_EVENT, frame)
    each_us = (time.perf_counter() - started) / 10_000 * 1e6
    await asyncio.to_thread(recorder.stop)
    assert recorder.status()["recorded"] == 10_000
    assert each_us < 100
