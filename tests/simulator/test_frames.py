"""Recorded frames played over the real wire: pace, receivers, refusals."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from simulator.helpers import Recorder, eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.frames import FramesPlayer, build_frames_server, load_frames, serve_frames
from coindcx_feed.simulator.hub import Credentials
from coindcx_feed.simulator.server import ExchangeServer

FIXTURES = Path(__file__).parents[1] / "fixtures"
CAPTURED = sorted((FIXTURES / "ws").glob("*.captured*.jsonl"))
SCENARIO = FIXTURES / "scenarios" / "limit-cancelled-inr.constructed.jsonl"
CHANNELS = [
    wire.CURRENT_PRICES_CHANNEL,
    *[wire.trades_channel(pair) for pair in ("B-BTC_USDT", "B-ETH_USDT")],
    wire.price_channel("B-BTC_USDT"),
    wire.book_channel("B-ETH_USDT", 10),
    wire.book_channel("B-CHR_USDT", 50),
    wire.candle_channel("B-BTC_USDT", "1m"),
    wire.candle_channel("B-ETH_USDT", "1m"),
]


def write(path: Path, *rows: object) -> Path:
    path.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    return path


def envelope(number: int) -> dict[str, str]:
    return {"event": wire.PRICES_UPDATE_EVENT, "data": f'{{"vs":{number}}}'}


def test_plain_rows_follow_each_other_at_the_interval(tmp_path: Path) -> None:
    """Ten per second by default; the second file begins one interval after the first one's end."""
    file = write(tmp_path / "a.jsonl", envelope(1), envelope(2), envelope(3))
    assert [frame.due_s for frame in load_frames([file])] == pytest.approx([0, 0.1, 0.2])
    assert [frame.due_s for frame in load_frames([file, file], interval_s=1)] == pytest.approx([0, 1, 2, 3, 4, 5])


def test_offsets_keep_their_pace_divided_by_speed() -> None:
    """A scenario's last frame is due at its offset, or at half of it."""
    assert load_frames([SCENARIO])[-1].due_s == pytest.approx(10.52)
    assert load_frames([SCENARIO], speed=2)[-1].due_s == pytest.approx(5.26)


def test_frames_never_change_places(tmp_path: Path) -> None:
    """An offset that steps back plays right after the row above it."""
    rows = [{"offset_ms": offset, "frame": envelope(offset)} for offset in (50, 20, 70)]
    assert [f.due_s for f in load_frames([write(tmp_path / "a.jsonl", *rows)])] == pytest.approx([0.05, 0.05, 0.07])


def test_blank_lines_are_skipped_and_line_separators_inside_text_are_not_line_ends(tmp_path: Path) -> None:
    """A U+2028 inside a string stays inside its row."""
    file = tmp_path / "a.jsonl"
    file.write_text('\n{"event":"x","data":"a\u2028b"}\n\n', encoding="utf-8")
    assert [frame.envelope["data"] for frame in load_frames([file])] == ["a\u2028b"]


@pytest.mark.parametrize("name", ["public", "bad-auth", "missed-pong"])
def test_engineio_scripts_are_refused(name: str) -> None:
    """One line that names file and row."""
    with pytest.raises(ConfigError, match=r"line 1: .*Engine\.IO script") as caught:
        load_frames([FIXTURES / "scenarios" / f"engineio-session-{name}.constructed.jsonl"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{nope",
        "[]",
        "7",
        "{}",
        '{"event":"x"}',
        '{"event":1,"data":"x"}',
        '{"offset_ms":5}',
        '{"offset_ms":-1,"frame":{"event":"x","data":"y"}}',
        '{"offset_ms":"5","frame":{"event":"x","data":"y"}}',
        '{"offset_ms":true,"frame":{"event":"x","data":"y"}}',
        '{"offset_ms":5,"frame":[]}',
    ],
)
def test_bad_row_is_one_line_with_file_and_number(tmp_path: Path, text: str) -> None:
    """The second row is wrong: the message says so."""
    file = tmp_path / "a.jsonl"
    file.write_text('{"event":"x","data":"y"}\n' + text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a\.jsonl line 2: expected") as caught:
        load_frames([file])
    assert "\n" not in str(caught.value)


def test_unusable_files_and_values_are_refused(tmp_path: Path) -> None:
    """Missing, empty and binary files, and impossible paces."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path, message in (("nope", "readable"), ("empty", "empty"), ("binary", "UTF-8")):
        with pytest.raises(ConfigError, match=message):
            load_frames([tmp_path / path])
    with pytest.raises(ConfigError, match="at least one"):
        load_frames([])
    for interval_s in (-1.0, float("nan")):
        with pytest.raises(ConfigError, match="--interval"):
            load_frames([SCENARIO], interval_s=interval_s)
    for speed in (0.0, float("inf")):
        with pytest.raises(ConfigError, match="--speed"):
            load_frames([SCENARIO], speed=speed)


async def test_captured_frames_arrive_word_for_word_and_in_order() -> None:
    """Every recorded envelope reaches a client that joined all their channels, spot rows and repeats included."""
    server = build_frames_server(load_frames(CAPTURED, interval_s=0), port=0, behaviour=instant())
    expected = [(frame.event, frame.envelope) for frame in load_frames(CAPTURED)]
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join_private(server, "any key", "any secret")
        await client.join(server, *CHANNELS)
        await eventually(lambda: len(client.frames) >= len(expected))
    assert client.frames == expected


async def test_account_frames_wait_for_a_private_join(tmp_path: Path) -> None:
    """A public join alone does not start a playback that holds account frames."""
    file = write(tmp_path / "a.jsonl", {"event": wire.BALANCE_EVENT, "data": "[]"}, envelope(1))
    player = FramesPlayer(load_frames([file], interval_s=0), settle_s=0.01)
    server = ExchangeServer(port=0, behaviour=instant(), credentials=None, background=[player.run])
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join(server, wire.CURRENT_PRICES_CHANNEL)
        await server.emit(wire.PRICES_UPDATE_EVENT, {"vs": 0})
        await eventually(lambda: len(client.frames) == 1)
        assert player.played == 0
        await client.join_private(server, "k", "s")
        await eventually(lambda: len(client.frames) == 3)
    assert player.undelivered == 0


async def test_playback_ends_in_silence_with_sockets_open(tmp_path: Path) -> None:
    """After the last frame nothing more is played, and frames nobody joined for are counted."""
    file = write(tmp_path / "a.jsonl", envelope(1), {"event": wire.TRADE_EVENT, "data": '{"s":"B-X_USDT"}'})
    player = FramesPlayer(load_frames([file], interval_s=0), settle_s=0)
    server = ExchangeServer(port=0, behaviour=instant(), background=[player.run])
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join(server, wire.CURRENT_PRICES_CHANNEL)
        await eventually(lambda: player.played == 2)
        assert (player.undelivered, server.connections, client.reasons) == (1, 1, [])


async def test_loop_begins_again(tmp_path: Path) -> None:
    """With ``loop`` the frames come round."""
    file = write(tmp_path / "a.jsonl", envelope(1), envelope(2))
    server = build_frames_server(load_frames([file], interval_s=0), port=0, loop=True, behaviour=instant())
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join(server, wire.CURRENT_PRICES_CHANNEL)
        await eventually(lambda: len(client.frames) >= 5)
    assert [data["vs"] for data in client.events()][:5] == [1, 2, 1, 2, 1]


async def test_given_credentials_are_checked() -> None:
    """With a key and secret a foreign private join is refused as on the exchange."""
    server = build_frames_server(
        load_frames([SCENARIO]), port=0, credentials=Credentials("k", "s"), behaviour=instant()
    )
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join_private(server, "k", "wrong")
        await eventually(lambda: client.reasons == ["server disconnect"])


async def test_serve_frames_runs_until_cancelled(server: ExchangeServer) -> None:
    """A busy port ends it with one line; otherwise only cancellation does."""
    frames = load_frames([SCENARIO])
    with pytest.raises(ConfigError, match="in use"):
        await serve_frames(frames, port=server.port)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await serve_frames(frames, port=0)
