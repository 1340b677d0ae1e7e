"""Record and replay as settings ask for them: the whole runtime, its status, and what is on the disk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.frames import ORDER, order
from fakes.pipelines import row
from fakes.rest import wallets_route
from fakes.runtimes import running, settings_for
from fakes.waiting import eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.process import new_runtime
from coindcx_feed.feed.service import FeedService
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.recordings import read_rows
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    routes = [wallets_route(DEMO_KEY, DEMO_SECRET)]
    async with ExchangeServer(port=0, behaviour=instant(), routes=routes) as server:
        yield server


async def test_frames_of_a_feed_are_recorded_and_the_status_says_so(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Whatever arrives, with the identifiers replaced when that is asked for; the feed itself has the real ones."""
    settings = settings_for(exchange.url, tmp_path, record_dir=tmp_path / "records", record_redact=True)
    async with running(settings) as runtime:
        await eventually(lambda: runtime.change.state.is_connected)
        await exchange.emit(ORDER, row(ORDER, order("order-12"))["data"])
        await eventually(lambda: runtime.state.order("order-12"))
        await eventually(lambda: runtime.recorder is not None and runtime.recorder.status()["recorded"])
        recording = FeedService(runtime).status()["recording"]
    assert (recording["recorded"], recording["missed"], recording["is_redacted"]) == (1, 0, True)
    (path,) = (tmp_path / "records").iterdir()
    assert path.name.startswith("custom-")
    (found,) = read_rows(path)
    assert found.event == ORDER
    assert "order-12" not in found.argument["data"]


async def test_folder_that_cannot_be_written_stops_the_start(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Before anything is shown."""
    (tmp_path / "records").write_text("")
    with pytest.raises(ConfigError, match="COINDCX_RECORD_DIR"):
        async with running(settings_for(exchange.url, tmp_path, record_dir=tmp_path / "records")):
            pass


async def test_mode_replay_plays_the_window_of_the_settings(exchange: ExchangeServer, tmp_path: Path) -> None:
    """The log of the account that the other settings name; ages are told against the replay's clock."""
    settings = settings_for(exchange.url, tmp_path)
    async with running(settings) as live:
        await eventually(lambda: live.change.state.is_connected)
        await exchange.emit(ORDER, row(ORDER, order("o-1"))["data"])
        await eventually(lambda: live.state.order("o-1"))
    replay = settings_for(exchange.url, tmp_path, mode="replay", replay_from="2026-01-01", replay_speed="max")
    runtime = await asyncio.to_thread(new_runtime, replay, "dashboard")
    await asyncio.to_thread(runtime.start)
    try:
        await eventually(lambda: runtime.state.order("o-1"))
        await eventually(lambda: FeedService(runtime).status()["replay"]["phase"] == "ended")
        status = FeedService(runtime).status()
        assert (status["mode"], status["replay"]["speed"]) == ("replay", "max")
        assert 0 <= status["now_ms"] - status["last_event_ms"] < 5_000
        assert runtime.recorder is None
    finally:
        await asyncio.to_thread(runtime.stop)
