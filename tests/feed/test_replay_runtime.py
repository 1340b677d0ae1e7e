"""A replay with everything around it: sidecar, pages' service, the log it reads, an exchange for bots, a live feed."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.frames import ORDER, order
from fakes.pipelines import row
from fakes.rest import wallets_route
from fakes.runtimes import events, free_port, running, settings_for
from fakes.stored import KeepingStore, stored_account
from fakes.waiting import eventually

from coindcx_feed.analysis.moments import MAX, STEP, Window
from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.replay import Phase
from coindcx_feed.feed.replay_runtime import ReplayRuntime, open_replay
from coindcx_feed.feed.runtime import account_name
from coindcx_feed.feed.service import FeedService
from coindcx_feed.feed.stage import state_digest
from coindcx_feed.settings import Settings
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.playback import PlaybackExchange
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer
from coindcx_feed.store.log import EventStore

STORE, PIPELINE = stored_account()
WHOLE = Window()


def replay_settings(folder: Path, **more: Any) -> Settings:
    return settings_for("http://127.0.0.1:1", folder, **more)


@contextlib.asynccontextmanager
async def replaying(runtime: ReplayRuntime) -> AsyncIterator[ReplayRuntime]:
    """Start a replay and stop it at the end."""
    await asyncio.to_thread(runtime.start)
    try:
        yield runtime
    finally:
        await asyncio.to_thread(runtime.stop)


def in_memory(folder: Path, speed: float = MAX, **more: Any) -> ReplayRuntime:
    source = KeepingStore(STORE.events)
    settings = replay_settings(folder).model_copy(update={"mode": "replay"})
    return ReplayRuntime(settings, "serve", source, WHOLE, speed, **more)


def stored_on_disk(settings: Settings) -> EventStore:
    """Write the scenarios to the log that these settings name, and leave it open."""
    account = account_name(settings)
    path = settings.data_dir / "events.sqlite"
    log = EventStore.open(f"sqlite:///{path}", mode=settings.effective_mode, account=account)
    log.begin_epoch("epoch-1", 1)
    log.append(STORE.events, "epoch-1")
    return log


async def test_clients_get_the_stored_events_under_mode_replay(tmp_path: Path) -> None:
    """Greeting, ids, receive times and records; the numbers are the replay's own."""
    async with replaying(in_memory(tmp_path)) as runtime:
        await eventually(lambda: runtime.player.phase is Phase.ENDED)
        url = f"ws://127.0.0.1:{runtime.sidecar.port}/api/v1/ws/coindcx?since=earliest"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as client:
            greeting = await client.receive_json()
            found = [await client.receive_json() for _ in STORE.events]
    assert greeting["data"]["mode"] == "replay"
    assert greeting["data"]["coindcx_connected"] is False
    stored = [json.loads(event.body) for event in STORE.events]
    assert [(event["id"], event["timestamp"], event["data"]) for event in found] == [
        (event["id"], event["timestamp"], event["data"]) for event in stored
    ]
    assert [event["seq"] for event in found] == list(range(1, len(stored) + 1))
    assert runtime.ring.published == Counter(event.type for event in STORE.events)


async def test_pages_see_the_account_of_the_replay(tmp_path: Path) -> None:
    """The service that pages ask works without a connection."""
    async with replaying(in_memory(tmp_path)) as runtime:
        await eventually(lambda: runtime.player.phase is Phase.ENDED)
        service = FeedService(runtime)
        status = service.status()
        assert (status["mode"], status["connected"], status["version"]) == ("replay", False, len(STORE.events))
        assert "replay" in status["reason"]
        assert len(service.orders()) == len(PIPELINE.state.orders())
        assert len(service.positions()) == len(PIPELINE.state.positions())
        assert service.select({"types": ["order"]})["matching"] > 10
        assert service.feed()["gaps"] == []


async def test_log_is_let_go_at_the_end(tmp_path: Path) -> None:
    """Also when the replay stands still."""
    runtime = in_memory(tmp_path, STEP)
    async with replaying(runtime):
        runtime.player.step()
        await eventually(lambda: len(runtime.ring) == 1)
    assert isinstance(runtime._source, KeepingStore)
    assert runtime._source.is_closed


async def test_program_for_the_exchange_gets_the_stored_records(tmp_path: Path) -> None:
    """The bot is our own feed in a live mode: the account it sees is the one that was stored."""
    exchange = PlaybackExchange(free_port(), behaviour=instant())
    async with replaying(in_memory(tmp_path / "replay", exchange=exchange)) as runtime:
        assert runtime.player.phase is Phase.WAITING
        bot_settings = settings_for(exchange.url, tmp_path / "bot", store_url=None)
        async with running(bot_settings) as bot:
            await eventually(lambda: runtime.player.phase is Phase.ENDED)
            wanted = {entity.record.id: entity.record for entity in PIPELINE.state.orders()}
            await eventually(lambda: {entity.record.id: entity.record for entity in bot.state.orders()} == wanted)
            assert exchange.undelivered == 0


async def test_F30_live_feed_and_replay_of_its_log_never_mix(tmp_path: Path) -> None:
    """Same account, same log, same moment: each has its own ring, state, epoch and lock; the log grows by live only."""
    routes = [wallets_route(DEMO_KEY, DEMO_SECRET)]
    async with ExchangeServer(port=0, behaviour=instant(), routes=routes) as server:
        settings = settings_for(server.url, tmp_path)
        async with running(settings) as earlier:
            await eventually(lambda: earlier.change.state.is_connected)
            await server.emit(ORDER, row(ORDER, order("before", updated_at=1))["data"])
            await eventually(lambda: earlier.state.order("before"))
        async with running(settings) as live:
            await eventually(lambda: live.change.state.is_connected)
            replay = await asyncio.to_thread(open_replay, settings, "serve", WHOLE, STEP)
            async with replaying(replay):
                count = len(events(live))
                await server.emit(ORDER, row(ORDER, order("after", updated_at=2))["data"])
                await eventually(lambda: live.state.order("after"))
                replay.player.step(10_000)
                await eventually(lambda: replay.player.phase is Phase.ENDED)
                assert replay.state.order("before") is not None
                assert replay.state.order("after") is None
                assert replay.ring.epoch != live.ring.epoch
                assert len(events(live)) >= count + 1
                assert live.log is not None
                assert live.log.last_seq == live.ring.version
                assert (replay.mode, live.mode) == ("replay", "custom")


async def test_log_on_disk_is_played_and_not_changed(tmp_path: Path) -> None:
    """Opened to read only; the digest is the live account's."""
    settings = replay_settings(tmp_path)
    log = stored_on_disk(settings)
    log.close()
    path = tmp_path / "events.sqlite"
    before = path.read_bytes()
    runtime = await asyncio.to_thread(open_replay, settings, "serve", WHOLE, MAX, store=f"sqlite:///{path}")
    async with replaying(runtime):
        await eventually(lambda: runtime.player.phase is Phase.ENDED)
        assert runtime.player.status()["state_digest"] == state_digest(PIPELINE.state)
    assert path.read_bytes() == before


def test_window_without_events_and_missing_log_are_one_line_each(tmp_path: Path) -> None:
    """They say what is there."""
    settings = replay_settings(tmp_path)
    stored_on_disk(settings).close()
    url = f"sqlite:///{tmp_path / 'events.sqlite'}"
    first_ns, last_ns = STORE.events[0].received_ns, STORE.events[-1].received_ns
    for window in (Window(None, first_ns), Window(last_ns + 1, None)):
        with pytest.raises(ConfigError, match="expected a window with events, which are from 20") as caught:
            open_replay(settings, "serve", window, MAX, store=url)
        assert "\n" not in str(caught.value)
    for address, what in ((f"sqlite:///{tmp_path / 'none.sqlite'}", "was nothing"), ("nonsense", "expected")):
        with pytest.raises(ConfigError, match=what):
            open_replay(settings, "serve", WHOLE, MAX, store=address)
    with pytest.raises(ConfigError, match="COINDCX_STORE_URL=none"):
        open_replay(settings, "serve", WHOLE, MAX, store="none")


def test_log_of_another_account_is_refused(tmp_path: Path) -> None:
    """A replay shows an account: it must be this one's."""
    stored_on_disk(replay_settings(tmp_path)).close()
    other = replay_settings(tmp_path, api_key=None, api_secret=None, mode="live")
    with pytest.raises(ConfigError, match="another"):
        open_replay(other, "serve", WHOLE, MAX, store=f"sqlite:///{tmp_path / 'events.sqlite'}")
