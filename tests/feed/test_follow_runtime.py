"""Two and three whole runtimes: what one receives, the other shows, and never more than that."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position
from fakes.proxy import FaultProxy, fault_proxy
from fakes.runtimes import free_port, running, settings_for
from fakes.waiting import eventually
from feed.following import address, bodies, caught_up, following
from pydantic import SecretStr

from coindcx_feed.exchange import wire
from coindcx_feed.exchange.states import Account, State
from coindcx_feed.feed import follow_link
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import ExchangeServer

TOKEN = "canary-9f3c1b7a5e2d4860"


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(port=0, behaviour=instant()) as server:
        yield server


async def _cut(proxy: FaultProxy) -> None:
    """End every connection and take no new one."""
    await proxy.refuse()
    await proxy.reset()


def _account(runtime: FeedRuntime) -> list[object]:
    state = runtime.state
    known = [*state.orders(), *state.positions(), *state.balances()]
    return [(entity.record, entity.seq, entity.received_ns // 1_000_000) for entity in known]


async def _orders(exchange: ExchangeServer, first: int, count: int) -> None:
    for number in range(first, first + count):
        await exchange.emit(ORDER, [order(f"o-{number}")])


async def test_follower_has_the_same_events_account_and_state(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Byte for byte under the same numbers, from before and after it came; the exchange sees one session."""
    async with running(settings_for(exchange.url, tmp_path / "leader")) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        await exchange.emit(POSITION, [position()])
        await exchange.emit(BALANCE, [balance(free="1650841.59606695345873")])
        await _orders(exchange, 0, 50)
        await eventually(lambda: len(leader.state.orders()) == 50)
        async with following(address(leader), tmp_path / "follower") as follower:
            await caught_up(follower, leader)
            await _orders(exchange, 50, 50)
            await eventually(lambda: len(follower.state.orders()) == 100)
            await caught_up(follower, leader)
            assert bodies(follower) == bodies(leader)
            assert (follower.ring.epoch, follower.mode) == (leader.ring.epoch, "custom")
            assert _account(follower) == _account(leader)
            assert follower.change.state is State.LIVE
            assert follower.link.account is Account.PROVEN
            assert sum(join.channel == wire.PRIVATE_CHANNEL for join in exchange.joins) == 1
            assert not list((tmp_path / "follower").glob("owner-*"))
            assert not list((tmp_path / "follower").glob("*.sqlite*"))


async def test_idle_part_of_the_account_is_known_too(exchange: ExchangeServer, tmp_path: Path) -> None:
    """An order and a position of long ago, behind more events than the follower keeps."""
    async with running(settings_for(exchange.url, tmp_path / "leader")) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        await exchange.emit(POSITION, [position()])
        await exchange.emit(ORDER, [order("idle")])
        for number in range(1_200):
            await exchange.emit(BALANCE, [balance(free=str(number))])
        await eventually(lambda: leader.ring.version >= 1_202)
        async with following(address(leader), tmp_path / "follower", ring_capacity=1_000) as follower:
            await caught_up(follower, leader)
            assert _account(follower) == _account(leader)
            assert bodies(follower) == bodies(leader, follower.ring.oldest - 1)
            await exchange.emit(ORDER, [order("idle", status="cancelled", updated_at=1_790_000_000_001)])
            await eventually(lambda: follower.state.order("idle").record.is_terminal)  # type: ignore[union-attr]
            assert follower.watch.gaps() == []


async def test_C6_leader_without_the_exchange_is_not_shown_as_live(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Its state and its gap, with cause and outcome, are the follower's."""
    async with running(settings_for(exchange.url, tmp_path / "leader")) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        async with following(address(leader), tmp_path / "follower") as follower:
            await caught_up(follower, leader)
            await exchange.kick()
            await eventually(lambda: follower.watch.gaps() and follower.watch.gaps()[0].end_ns)
            await caught_up(follower, leader)
            (ours,), (theirs,) = follower.watch.gaps(), leader.watch.gaps()
            assert ours.cause == f"follow: {address(leader)} says: {theirs.cause}"
            await eventually(
                lambda: (
                    (follower.watch.gaps()[0].recovered, follower.watch.gaps()[0].unknown)
                    == (leader.watch.gaps()[0].recovered, leader.watch.gaps()[0].unknown)
                )
            )
            states = [change.state for change in follower.watch.changes()]
            assert State.RECONNECTING in states


async def test_cut_link_is_reconnecting_and_what_was_missed_is_read_on(
    exchange: ExchangeServer, tmp_path: Path
) -> None:
    """The page says which link is down; the gap in the ledger tells what was read on."""
    async with running(settings_for(exchange.url, tmp_path / "leader")) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        async with (
            fault_proxy(f"http://127.0.0.1:{leader.sidecar.port}") as proxy,
            following(proxy.url.replace("http", "ws"), tmp_path / "follower") as follower,
        ):
            await caught_up(follower, leader)
            await _cut(proxy)
            await eventually(lambda: follower.change.state is State.RECONNECTING)
            status = FeedService(follower).status()
            assert (status["connected"], status["label"]) == (False, "Reconnecting")
            assert status["reason"].startswith(f"follow: the link to ws://127.0.0.1:{proxy.port} is down: ")
            assert status["following"]["is_up"] is False
            await _orders(exchange, 0, 20)
            await eventually(lambda: len(leader.state.orders()) == 20)
            assert len(follower.state.orders()) == 0
            await proxy.listen()
            await caught_up(follower, leader)
            assert bodies(follower) == bodies(leader)
            (gap,) = follower.watch.gaps()
            assert gap.cause.startswith("follow: the link to")
            assert (gap.recovered, gap.unknown, gap.is_read_on) == (20, None, True)
            assert gap.start_ns < (gap.end_ns or 0)


async def test_F03_silent_link_is_noticed_within_the_limit(exchange: ExchangeServer, tmp_path: Path) -> None:
    """A black hole: nobody is told that the connection is gone."""
    async with running(settings_for(exchange.url, tmp_path / "leader")) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        async with (
            fault_proxy(f"http://127.0.0.1:{leader.sidecar.port}") as proxy,
            following(proxy.url.replace("http", "ws"), tmp_path / "follower") as follower,
        ):
            await caught_up(follower, leader)
            proxy.hold()
            begun = asyncio.get_running_loop().time()
            await eventually(lambda: follower.change.state is State.RECONNECTING)
            assert asyncio.get_running_loop().time() - begun < 3.5
            assert "nothing was heard for 3 s" in (follower.change.reason or "")
            proxy.heal()
            await caught_up(follower, leader)


async def test_F16_what_the_leader_no_longer_has_is_a_gap_that_is_seen(
    exchange: ExchangeServer, tmp_path: Path
) -> None:
    """Numbers stay the leader's; the ledger names what is missing, and the follower's own clients are told."""
    async with running(
        settings_for(exchange.url, tmp_path / "leader", ring_capacity=1_000, store_url="none")
    ) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        async with (
            fault_proxy(f"http://127.0.0.1:{leader.sidecar.port}") as proxy,
            following(proxy.url.replace("http", "ws"), tmp_path / "follower") as follower,
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{address(follower)}/api/v1/ws/coindcx") as client,
        ):
            await caught_up(follower, leader)
            last = follower.ring.version
            await _cut(proxy)
            await eventually(lambda: follower.change.state is State.RECONNECTING)
            await _orders(exchange, 0, 1_500)
            await eventually(lambda: leader.ring.version >= last + 1_500)
            await proxy.listen()
            await caught_up(follower, leader)
            assert bodies(follower) == bodies(leader)
            (gap,) = follower.watch.gaps()
            assert gap.unknown is not None
            assert gap.unknown.startswith(f"events {last + 1} to {leader.ring.oldest - 1} are missing: overwritten")
            told = await _until(client, lambda message: message["data"].get("message") == "resume_gap")
            assert (told["data"]["missed_from"], told["data"]["missed_to"]) == (last + 1, leader.ring.oldest - 1)


async def _until(client: aiohttp.ClientWebSocketResponse, condition: object) -> dict[str, object]:
    assert callable(condition)
    while True:
        message = await client.receive_json(timeout=10)
        if condition(message):
            return dict(message)


async def test_clients_of_a_follower_are_told_that_its_link_is_down(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Without a number: those are the leader's. Greeting and status say the same."""
    async with running(settings_for(exchange.url, tmp_path / "leader")) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        async with (
            fault_proxy(f"http://127.0.0.1:{leader.sidecar.port}") as proxy,
            following(proxy.url.replace("http", "ws"), tmp_path / "follower") as follower,
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{address(follower)}/api/v1/ws/coindcx") as client,
        ):
            await caught_up(follower, leader)
            await _cut(proxy)
            told = await _until(client, lambda message: message["data"].get("state") == "reconnecting")
            assert "seq" not in told
            assert told["data"]["coindcx_connected"] is False  # type: ignore[index]
            async with http.get(f"http://127.0.0.1:{follower.sidecar.port}/api/v1/ws/status") as answer:
                status = await answer.json()
            assert (status["coindcx_connected"], status["state"]) == (False, "reconnecting")


async def test_F17_restarted_leader_begins_anew_and_nothing_of_before_stays(
    exchange: ExchangeServer, tmp_path: Path
) -> None:
    """Without a log its numbers begin at 1 again: the follower forgets, says so, and sends its clients away."""
    settings = settings_for(exchange.url, tmp_path / "leader", store_url="none", sidecar_port=free_port())
    async with running(settings) as first:
        await eventually(lambda: first.change.state.is_connected)
        await _orders(exchange, 0, 30)
        await eventually(lambda: len(first.state.orders()) == 30)
        follower_context = following(address(first), tmp_path / "follower", sidecar_port=free_port())
        follower = await follower_context.__aenter__()
        await caught_up(follower, first)
    try:
        await eventually(lambda: follower.change.state is State.RECONNECTING)
        async with running(settings) as second:
            await eventually(lambda: second.change.state.is_connected)
            await _orders(exchange, 100, 3)
            await caught_up(follower, second)
            assert bodies(follower) == bodies(second)
            assert follower.ring.epoch == second.ring.epoch
            assert [entity.record.id for entity in follower.state.orders()] == ["o-100", "o-101", "o-102"]
            assert any("begin anew" in (gap.unknown or "") for gap in follower.watch.gaps())
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(f"{address(follower)}/api/v1/ws/coindcx?since=earliest") as client,
            ):
                assert (await client.receive_json(timeout=10))["data"]["epoch"] == second.ring.epoch
                assert (await client.receive_str(timeout=10)).encode() == bodies(second)[0]
    finally:
        await follower_context.__aexit__(None, None, None)


async def test_restarted_leader_with_a_log_goes_on_with_the_next_number(
    exchange: ExchangeServer, tmp_path: Path
) -> None:
    """The log remembers: nothing is missing, the time between is a gap."""
    settings = settings_for(exchange.url, tmp_path / "leader", sidecar_port=free_port())
    async with running(settings) as first:
        await eventually(lambda: first.change.state.is_connected)
        await _orders(exchange, 0, 10)
        await eventually(lambda: len(first.state.orders()) == 10)
        follower_context = following(address(first), tmp_path / "follower")
        follower = await follower_context.__aenter__()
        await caught_up(follower, first)
    try:
        async with running(settings) as second:
            await eventually(lambda: second.change.state.is_connected)
            await caught_up(follower, second)
            assert bodies(follower) == bodies(second)
            assert [gap.end_ns is not None for gap in follower.watch.gaps()] == [True]
            assert sum(second.ring.published.values()) == second.ring.version - first.ring.version
    finally:
        await follower_context.__aexit__(None, None, None)


async def test_follower_of_a_follower_shows_the_first_ones_events(exchange: ExchangeServer, tmp_path: Path) -> None:
    """And learns when the link before its own is down."""
    async with running(settings_for(exchange.url, tmp_path / "leader")) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        async with (
            fault_proxy(f"http://127.0.0.1:{leader.sidecar.port}") as proxy,
            following(proxy.url.replace("http", "ws"), tmp_path / "middle") as middle,
            following(address(middle), tmp_path / "last") as last,
        ):
            await caught_up(last, leader)
            await _cut(proxy)
            await eventually(lambda: last.change.state is State.RECONNECTING)
            assert f"{address(middle)} says: follow: the link to" in (last.change.reason or "")
            await _orders(exchange, 0, 5)
            await proxy.listen()
            await eventually(lambda: len(last.state.orders()) == 5)
            await caught_up(last, leader)
            assert bodies(last) == bodies(leader)


async def test_market_data_are_followed_as_far_as_they_are_sent(exchange: ExchangeServer, tmp_path: Path) -> None:
    """Marks value a position, pairs are met, trades listed; pairs are chosen where the exchange is joined."""
    async with running(settings_for(exchange.url, tmp_path / "leader", pairs=("B-ETH_USDT",))) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        await exchange.emit(POSITION, [position()])
        async with following(address(leader), tmp_path / "follower") as follower:
            await caught_up(follower, leader)
            prices = {"pr": "futures", "prices": {"B-ETH_USDT": {"mp": 2900.5}}}
            await exchange.emit(wire.PRICES_UPDATE_EVENT, prices)
            trade = {"T": 1_790_000_000_000, "p": "2900.5", "q": "0.1", "s": "B-ETH_USDT", "m": 1, "pr": "f"}
            await exchange.emit(wire.TRADE_EVENT, trade)
            await eventually(lambda: follower.desk.pairs == ("B-ETH_USDT",))
            service = FeedService(follower)
            assert [row["price"] for row in service.market.trades("B-ETH_USDT")] == ["2900.5"]
            assert str(follower.marks.newest("B-ETH_USDT").price) == "2900.5"  # type: ignore[union-attr]
            assert service.market.quotes()["available"] is True
            refused = service.watch_pair("B-BTC_USDT")
            assert (refused["ok"], "choose them in its own dashboard" in refused["message"]) == (False, True)


async def test_T02_token_is_needed_and_shown_nowhere(
    exchange: ExchangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused is a state of its own, tried again rarely."""
    monkeypatch.setattr(follow_link, "REFUSED_RETRY_S", 0.05)
    monkeypatch.setattr("coindcx_feed.feed.follow_runtime.FIRST_S", 0.2)
    settings = settings_for(exchange.url, tmp_path / "leader", sidecar_token=SecretStr(TOKEN))
    async with running(settings) as leader:
        await eventually(lambda: leader.change.state.is_connected)
        async with following(address(leader), tmp_path / "wrong", token="another-token-of-16") as refused:
            await eventually(lambda: refused.change.state is State.REJECTED)
            assert "expected the configured token" in (refused.change.reason or "")
            assert refused.mode == "unknown"
        async with following(address(leader), tmp_path / "right", token=TOKEN) as follower:
            await caught_up(follower, leader)
            assert TOKEN not in json.dumps(FeedService(follower).status(), default=str)
    assert TOKEN not in caplog.text
    assert "another-token-of-16" not in caplog.text


async def test_follower_starts_before_the_feed_that_it_follows(
    exchange: ExchangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It offers nothing to scripts until it knows something, and shows no mode that it does not know."""
    monkeypatch.setattr("coindcx_feed.feed.follow_runtime.FIRST_S", 0.2)
    port, own = free_port(), free_port()
    async with following(f"ws://127.0.0.1:{port}", tmp_path / "follower", sidecar_port=own) as follower:
        await eventually(lambda: follower.change.state is State.RECONNECTING)
        assert (follower.mode, follower.ring.version) == ("unknown", 0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", own)
        async with running(settings_for(exchange.url, tmp_path / "leader", sidecar_port=port)) as leader:
            await eventually(lambda: leader.change.state.is_connected)
            await caught_up(follower, leader)
            assert follower.mode == "custom"
