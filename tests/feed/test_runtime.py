"""The whole feed in its thread, against a real exchange server on loopback."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes.frames import BALANCE, ORDER, balance, order
from fakes.rest import wallets_route
from fakes.runtimes import events, free_port, is_free, running, settings_for
from fakes.waiting import eventually
from pydantic import SecretStr

from coindcx_feed.errors import ConfigError, OwnerLocked
from coindcx_feed.events import iso_ms
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.rest import CONVERSIONS_PATH
from coindcx_feed.exchange.states import State
from coindcx_feed.feed.runtime import FeedRuntime, account_name
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

STOP_LIMIT_S = 5.0


async def _conversions(_request: web.Request) -> web.Response:
    return web.json_response([{"symbol": "USDTINR", "conversion_price": 102.5, "last_updated_at": 7}])


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    routes = [wallets_route(DEMO_KEY, DEMO_SECRET), web.get(CONVERSIONS_PATH, _conversions)]
    async with ExchangeServer(port=0, behaviour=instant(), routes=routes) as server:
        yield server


def _private_joins(exchange: ExchangeServer) -> int:
    return sum(join.channel == wire.PRIVATE_CHANNEL for join in exchange.joins)


def _feed_threads() -> int:
    return sum(thread.name == "coindcx-feed" for thread in threading.enumerate())


async def _watched(runtime: FeedRuntime) -> None:
    await eventually(lambda: runtime.change.state.is_connected)


async def test_frame_of_the_exchange_becomes_an_event_for_a_sidecar_client(
    exchange: ExchangeServer, tmp_path: Path
) -> None:
    """Wire, pipeline, ring, WebSocket: the record arrives value for value and proves the account."""
    async with running(settings_for(exchange.url, tmp_path)) as runtime, aiohttp.ClientSession() as http:
        await _watched(runtime)
        url = f"ws://127.0.0.1:{runtime.sidecar.port}/api/v1/ws/coindcx?types=balance"
        async with http.ws_connect(url) as client:
            greeting = await client.receive_json(timeout=10)
            assert greeting["data"]["coindcx_connected"] is True
            assert (greeting["data"]["mode"], greeting["data"]["epoch"]) == ("custom", runtime.ring.epoch)
            await exchange.emit(BALANCE, [balance(free="1650841.59606695345873", currency="INR")])
            event = await client.receive_json(timeout=10)
        assert event["data"] == balance(free="1650841.59606695345873", currency="INR")
        await eventually(lambda: runtime.change.state is State.LIVE)
        assert (runtime.mode, runtime.is_running) == ("custom", True)


async def test_one_thread_one_join_and_the_channels_of_the_settings(exchange: ExchangeServer, tmp_path: Path) -> None:
    """F26's base: what the exchange sees of one process. Books and bars are joined when somebody looks."""
    async with running(settings_for(exchange.url, tmp_path, pairs=("B-ETH_USDT",))) as runtime:
        await _watched(runtime)
        assert _feed_threads() == 1
        assert [join.channel for join in exchange.joins] == [
            wire.PRIVATE_CHANNEL,
            wire.CURRENT_PRICES_CHANNEL,
            wire.trades_channel("B-ETH_USDT"),
            wire.price_channel("B-ETH_USDT"),
        ]
    assert _feed_threads() == 0


@pytest.mark.timed
async def test_F27_stop_is_quick_and_leaves_port_lock_and_exchange(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Everything is free for the next start; the last event says stopped."""
    settings = settings_for(exchange.url, tmp_path, sidecar_port=free_port())
    for _ in range(2):
        async with running(settings) as runtime:
            await _watched(runtime)
            assert not is_free(settings.sidecar_port)
            started = time.monotonic()
            await asyncio.to_thread(runtime.stop)
            assert time.monotonic() - started < STOP_LIMIT_S
            assert is_free(settings.sidecar_port)
            assert not runtime.is_running
            assert runtime.change.state is State.STOPPED
            assert events(runtime)[-1]["data"]["state"] == "stopped"
            await eventually(lambda: exchange.connections == 0)
    runtime.stop()  # the third time: harmless


async def test_F27_stop_during_a_burst_keeps_what_was_received(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Clients are closed with 1001; numbers stay dense and in order to the last."""
    async with running(settings_for(exchange.url, tmp_path)) as runtime, aiohttp.ClientSession() as http:
        await _watched(runtime)
        async with http.ws_connect(f"ws://127.0.0.1:{runtime.sidecar.port}/api/v1/ws/coindcx") as client:
            await client.receive_json(timeout=10)
            for number in range(2_000):
                await exchange.emit(ORDER, [order(f"o-{number}")])
            stopping = asyncio.create_task(asyncio.to_thread(runtime.stop))
            message = await client.receive(timeout=10)
            while message.type is aiohttp.WSMsgType.TEXT:
                message = await client.receive(timeout=10)
            await stopping
            assert client.close_code == 1001
    found = events(runtime)
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    ids = [event["data"]["id"] for event in found if event["type"] == "order"]
    assert ids == [f"o-{number}" for number in range(len(ids))]
    assert len(ids) + runtime.pipeline.quarantine.count == runtime.pipeline.counters["frames"]


async def test_F23_second_runtime_does_not_connect(exchange: ExchangeServer, tmp_path: Path) -> None:
    """``serve`` ends with one line that names the owner; a dashboard starts and says it."""
    settings = settings_for(exchange.url, tmp_path)
    async with running(settings) as owner:
        await _watched(owner)
        with pytest.raises(OwnerLocked, match="owned by serve"):
            FeedRuntime(settings, "serve").start()
        async with running(settings, "dashboard") as second:
            assert "owned by serve" in (second.owner or "")
            assert (second.is_running, second.change.state) == (False, State.STOPPED)
            assert second.change.reason == second.owner
        assert owner.is_running
        assert _private_joins(exchange) == 1
    async with running(settings, "dashboard") as later:
        assert later.owner is None
        await _watched(later)


async def test_other_account_in_the_same_folder_is_not_locked(exchange: ExchangeServer, tmp_path: Path) -> None:
    """The lock is per account, and its name tells modes and keys apart."""
    settings = settings_for(exchange.url, tmp_path)
    public = settings_for(exchange.url, tmp_path, api_key=None, api_secret=None)
    async with running(settings), running(public) as second:
        await _watched(second)
        assert second.owner is None
    demo = settings_for(exchange.url, tmp_path, mode="demo")
    assert len({account_name(settings), account_name(public), account_name(demo)}) == 3


async def test_busy_sidecar_port_ends_serve_with_one_line(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Nothing is left behind: no thread, no lock, no join."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_for(exchange.url, tmp_path, sidecar_port=taken.getsockname()[1])
        runtime = FeedRuntime(settings, "serve")
        with pytest.raises(ConfigError, match=r"in use by another process.*COINDCX_SIDECAR_PORT") as caught:
            await asyncio.to_thread(runtime.start)
    assert "\n" not in str(caught.value)
    assert _feed_threads() == 0
    assert exchange.joins == []
    async with running(settings) as again:
        await _watched(again)


async def test_busy_sidecar_port_is_shown_by_a_dashboard_that_runs_on(exchange: ExchangeServer, tmp_path: Path) -> None:
    """The feed goes on without the sidecar."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_for(exchange.url, tmp_path, sidecar_port=taken.getsockname()[1])
        async with running(settings, "dashboard") as runtime:
            await _watched(runtime)
            assert "in use by another process" in (runtime.sidecar_error or "")
            await exchange.emit(BALANCE, [balance()])
            await eventually(lambda: runtime.state.balances())


async def test_C7_gap_after_a_kick_is_an_event_with_start_end_and_cause(
    exchange: ExchangeServer, tmp_path: Path
) -> None:
    """What happened meanwhile is missed; the gap says from when to when and why."""
    async with running(settings_for(exchange.url, tmp_path)) as runtime:
        await _watched(runtime)
        await exchange.emit(BALANCE, [balance(free="1")])
        await eventually(lambda: runtime.state.balances())
        await exchange.kick()
        await eventually(lambda: runtime.watch.gaps() and runtime.watch.gaps()[0].end_ns is not None)
        await eventually(lambda: any(event["data"].get("message") == "upstream_gap" for event in events(runtime)))
        found = [event["data"] for event in events(runtime) if event["type"] == "system"]
        (gap,) = [data for data in found if data["message"] == "upstream_gap"]
        assert "the exchange ended the session" in gap["cause"]
        assert gap["start"] <= gap["end"] <= iso_ms(time.time_ns())
        assert (gap["coindcx_connected"], gap["recovered"]) == (True, None)
        states = [data["state"] for data in found if data["message"] != "upstream_gap"]
        assert states[:2] == ["connecting", "quiet"]
        assert "reconnecting" in states
        assert [data["coindcx_connected"] for data in found] == [data["state"] in ("quiet", "live") for data in found]


async def test_F05_wrong_credentials_are_rejected_with_the_cause(exchange: ExchangeServer, tmp_path: Path) -> None:
    """The sidecar stays up and says so."""
    settings = settings_for(exchange.url, tmp_path, api_key=SecretStr("canary-k"), api_secret=SecretStr("canary-s"))
    async with running(settings) as runtime:
        await eventually(lambda: runtime.change.state is State.REJECTED)
        assert "COINDCX_API_SECRET" in (runtime.change.reason or "")
        brief = runtime.brief()
        assert (brief["state"], brief["connected"]) == ("rejected", False)
        assert "canary" not in json.dumps(events(runtime)) + json.dumps(brief)


async def test_without_credentials_market_data_come_and_no_private_join(
    exchange: ExchangeServer, tmp_path: Path
) -> None:
    """Live mode without a key."""
    settings = settings_for(exchange.url, tmp_path, api_key=None, api_secret=None, pairs=())
    async with running(settings) as runtime:
        await _watched(runtime)
        assert "public market data only" in (runtime.change.reason or "")
        await exchange.emit(wire.PRICES_UPDATE_EVENT, {"pr": "futures", "prices": {"B-ETH_USDT": {"mp": 2900.5}}})
        await eventually(lambda: runtime.marks.newest("B-ETH_USDT"))
        assert _private_joins(exchange) == 0


async def test_exchange_that_cannot_be_reached_is_tried_again(tmp_path: Path) -> None:
    """The start succeeds; the reason is in the state, and pages and sidecar work."""
    async with running(settings_for(f"http://127.0.0.1:{free_port()}", tmp_path)) as runtime:
        await eventually(lambda: runtime.supervisor is not None and runtime.supervisor.connects > 2)
        assert runtime.change.state is State.RECONNECTING
        assert "cannot be reached" in (runtime.change.reason or "")
        messages = [event["data"]["message"] for event in events(runtime)]
        assert len(messages) == len(set(messages)), "only the time of the next try is new: no event for it"


async def test_conversion_rate_is_read_at_the_start(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Rupees per USDT with its time."""
    async with running(settings_for(exchange.url, tmp_path)) as runtime:
        await eventually(lambda: runtime.rate)
        assert runtime.rate is not None
        assert (str(runtime.rate.rate), runtime.rate.at_ms) == ("102.5", 7)


async def test_lag_of_the_loop_is_measured(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Status and benchmarks read it."""
    async with running(settings_for(exchange.url, tmp_path)) as runtime:
        await eventually(lambda: runtime.lag.figures())
        assert "loop_lag" in runtime.brief()


def test_stop_before_start_is_harmless(tmp_path: Path) -> None:
    """A start that failed is cleaned up by the same call."""
    FeedRuntime(settings_for("http://127.0.0.1:9", tmp_path), "serve").stop()
