"""The running exchange: it follows its clock, holds the account for a private join, and serves until cancelled."""

import asyncio
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from simulator.helpers import START_MS, Clock, Recorder, eventually, funded_exchange

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.demo import DemoTrader
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.exchange import LiveExchange, build_exchange_server, serve
from coindcx_feed.simulator.orders import OrderRequest
from coindcx_feed.simulator.server import ExchangeServer

ORDER = OrderRequest("buy", "B-ETH_USDT", D("0.05"), None, D(5))


async def test_account_and_market_frames_reach_a_client(
    live_server: ExchangeServer, exchange: Exchange, clock: Clock
) -> None:
    """An order's life arrives in order, books and prices beside it."""
    async with Recorder() as client:
        await client.connect(live_server)
        await client.join_private(live_server)
        await client.join(live_server, wire.CURRENT_PRICES_CHANNEL, wire.book_channel("B-ETH_USDT", 10))
        exchange.place(ORDER)
        clock.now_ms += 2_000
        await eventually(lambda: len(client.events(wire.ORDER_EVENT)) == 3)
        assert [rows[0]["status"] for rows in client.events(wire.ORDER_EVENT)] == ["initial", "initial", "filled"]
        assert client.events(wire.POSITION_EVENT)[-1][0]["active_pos"] == 0.05
        await eventually(lambda: bool(client.events(wire.PRICES_UPDATE_EVENT)))
        await eventually(lambda: bool(client.events(wire.DEPTH_SNAPSHOT_EVENT, wire.DEPTH_UPDATE_EVENT)))


async def test_channels_of_other_pairs_are_ignored(live_server: ExchangeServer) -> None:
    """Only traded pairs exist."""
    async with Recorder() as client:
        await client.connect(live_server)
        await client.join(live_server, "B-NOPE_USDT@trades-futures", "B-DOGE_USDT@trades-futures")
        assert [join.ok for join in live_server.joins] == [False, True]


async def test_frames_while_nobody_listens_are_lost(live_server: ExchangeServer, clock: Clock) -> None:
    """No replay and no snapshot on join, as on the real wire."""
    clock.now_ms += 60_000
    async with Recorder() as client:
        await client.connect(live_server)
        await client.join_private(live_server)
        await client.join(live_server, wire.CURRENT_PRICES_CHANNEL)
        clock.now_ms += 1_000
        await eventually(lambda: bool(client.frames))
        assert client.events(*wire.ACCOUNT_EVENTS) == []


async def test_one_behaviour_serves_engine_sockets_and_rest(live_server: ExchangeServer, exchange: Exchange) -> None:
    """A switch thrown on the server is seen by the engine at once."""
    assert live_server.behaviour is exchange.behaviour
    live_server.behaviour.rejects_orders = True
    order = exchange.place(ORDER)
    exchange.advance(START_MS + 1_000)
    assert order.status == "rejected"


FAULTS: dict[str, Any] = {
    "repeat_share": 0.2,
    "terminal_repeats": 1,
    "twin_share": 0.1,
    "jitter_ms": 300,
    "late_share": 0.05,
    "drop_share": 0.1,
    "batch_ms": 50,
}


async def faulty_minutes(fault_seed: int) -> tuple[list[tuple[str, int]], ExchangeServer]:
    """Let the demo trader trade for two minutes with all faults on; return the numbers received, and the server."""
    exchange, clock = Exchange(1, START_MS), Clock(START_MS)
    DemoTrader(exchange, 1).start()
    behaviour = replace(instant(), numbered=True, fault_seed=fault_seed, **FAULTS)
    server = build_exchange_server(exchange, port=0, behaviour=behaviour, clock_ms=clock)
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join_private(server)
        for _ in range(12):
            clock.now_ms += 10_000
            await eventually(lambda: exchange.now_ms == clock.now_ms)
        await eventually(lambda: len(client.frames) == server.hub.delivered)
        got = [(event, row["x_number"]) for event, frame in client.frames for row in msgspec.json.decode(frame["data"])]
    return got, server


async def test_list_of_emissions_is_exactly_what_a_client_received() -> None:
    """With every fault on: in order, record by record; each number was delivered or is listed as dropped."""
    got, server = await faulty_minutes(7)
    delivered = [(row.event, row.number) for row in server.emissions if row.is_delivered]
    assert delivered == got
    dropped = {row.number for row in server.emissions if row.number and row.fate == "dropped"}
    numbers = {number for _, number in got}
    assert dropped
    assert not numbers & dropped
    newest = max(numbers | dropped)
    # Frames on their way when the time stopped are neither.
    assert len(numbers | dropped) > newest - 40
    assert (await faulty_minutes(7))[0] == got


async def test_account_waits_for_the_private_join_and_market_does_not() -> None:
    """With ``hold_s`` a client that was given the past misses nothing."""
    exchange, clock = funded_exchange(), Clock(START_MS)
    exchange.place(ORDER)
    server = build_exchange_server(exchange, port=0, hold_s=60, behaviour=instant(), clock_ms=clock)
    async with server, Recorder() as client:
        await client.connect(server)
        await client.join(server, wire.CURRENT_PRICES_CHANNEL)
        clock.now_ms += 5_000
        await eventually(lambda: bool(client.events(wire.PRICES_UPDATE_EVENT)))
        assert exchange.now_ms == START_MS
        await client.join_private(server)
        await eventually(lambda: len(client.events(wire.ORDER_EVENT)) == 3)
        assert exchange.now_ms == START_MS + 5_000


async def test_hold_ends_by_itself() -> None:
    """Without any join the account goes on after the limit."""
    exchange, clock = funded_exchange(), Clock(START_MS)
    async with build_exchange_server(exchange, port=0, hold_s=0.05, clock_ms=clock):
        clock.now_ms += 1_000
        await eventually(lambda: exchange.now_ms == START_MS + 1_000)


async def test_long_pause_is_caught_up_in_slices() -> None:
    """An hour of account time passes while the loop stays free."""
    exchange, clock = funded_exchange(), Clock(START_MS)
    live = LiveExchange(exchange, clock_ms=clock)
    clock.now_ms += 600_000
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count_turns())
    await live.catch_up()
    counter.cancel()
    assert exchange.now_ms == clock.now_ms
    assert turns >= 100


async def test_clock_that_steps_back_changes_nothing() -> None:
    """The engine's time never runs backwards."""
    exchange, clock = funded_exchange(), Clock(START_MS)
    live = LiveExchange(exchange, clock_ms=clock)
    clock.now_ms -= 10_000
    await live.catch_up()
    assert exchange.now_ms == START_MS


async def test_serve_runs_until_cancelled(server: ExchangeServer) -> None:
    """A busy port is one clear line."""
    with pytest.raises(ConfigError, match="in use"):
        await serve(server.port)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await serve(0, seed=3)
