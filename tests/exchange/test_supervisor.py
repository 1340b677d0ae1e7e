"""The supervisor against a real Socket.IO server on loopback."""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest
from fakes.rest import wallets_route
from fakes.waiting import eventually
from pydantic import SecretStr

from coindcx_feed.exchange import wire
from coindcx_feed.exchange.rest import RestReader
from coindcx_feed.exchange.states import Account, Change, State, Timings
from coindcx_feed.exchange.supervisor import Supervisor
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

FAST = Timings(
    connect_s=2, joined_after_s=0.3, proof_s=0.5, proof_without_prices_s=5, stable_s=60,
    retry_first_s=0.02, retry_most_s=0.1, rejected_retry_s=60, tick_s=0.02,
)  # fmt: skip
KEY, SECRET = SecretStr(DEMO_KEY), SecretStr(DEMO_SECRET)


class Watched:
    """A running supervisor and what it reported."""

    def __init__(
        self,
        url: str,
        timings: Timings = FAST,
        credentials: tuple[SecretStr, SecretStr] | None = (KEY, SECRET),
        on_event: Callable[[str, object], None] | None = None,
    ) -> None:
        self.frames: list[tuple[str, object]] = []
        self.changes: list[Change] = []
        reader = RestReader(url, *credentials) if credentials else None
        self.supervisor = Supervisor(
            url, credentials, reader, (), on_event or self._receive, self.changes.append, timings
        )

    def _receive(self, event: str, argument: object) -> None:
        self.frames.append((event, argument))

    @property
    def state(self) -> State:
        return self.supervisor.change.state

    @property
    def states(self) -> list[State]:
        return [change.state for change in self.changes]


@contextlib.asynccontextmanager
async def running(watched: Watched) -> AsyncIterator[Watched]:
    task = asyncio.create_task(watched.supervisor.run())
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    route = wallets_route(DEMO_KEY, DEMO_SECRET)
    async with ExchangeServer(port=0, behaviour=instant(), routes=[route]) as server:
        yield server


async def test_joined_account_is_quiet_until_a_private_frame_proves_it(exchange: ExchangeServer) -> None:
    """C6: joined is not proven; the first private frame makes it live."""
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.state is State.QUIET)
        assert watched.supervisor.account is Account.JOINED
        await exchange.emit(wire.BALANCE_EVENT, [{"id": "w"}])
        await eventually(lambda: watched.state is State.LIVE)
        assert watched.supervisor.account is Account.PROVEN
        assert [event for event, _ in watched.frames] == [wire.BALANCE_EVENT]
    assert watched.state is State.STOPPED


async def test_without_credentials_only_public_channels_are_joined(exchange: ExchangeServer) -> None:
    """Live mode without a key shows market data and says so."""
    async with running(Watched(exchange.url, credentials=None)) as watched:
        await eventually(lambda: watched.state is State.QUIET)
        assert watched.supervisor.account is Account.NONE
        assert [join.channel for join in exchange.joins] == [wire.CURRENT_PRICES_CHANNEL]


async def test_channels_are_joined_and_left_while_the_session_lives(exchange: ExchangeServer) -> None:
    """Only what changed is sent; the next session joins what was set last, and nothing twice."""
    first, second, third = (wire.trades_channel(f"B-{base}_USDT") for base in ("BTC", "ETH", "SOL"))
    async with running(Watched(exchange.url)) as watched:
        await watched.supervisor.set_channels([first])  # before the session: the first join has it
        await eventually(lambda: exchange.hub.joined(first))
        await watched.supervisor.set_channels([first, second, second, third])
        await eventually(lambda: exchange.hub.joined(third))
        await watched.supervisor.set_channels([third, second])
        await eventually(lambda: not exchange.hub.joined(first))
        joined = [join.channel for join in exchange.joins]
        assert joined == [wire.PRIVATE_CHANNEL, wire.CURRENT_PRICES_CHANNEL, first, second, third]
        await eventually(lambda: watched.state.is_connected)
        await exchange.kick()
        await eventually(lambda: watched.supervisor.connects == 2 and exchange.hub.joined(second))
        assert [join.channel for join in exchange.joins][len(joined) :] == [
            wire.PRIVATE_CHANNEL,
            wire.CURRENT_PRICES_CHANNEL,
            third,
            second,
        ]


async def test_F01_server_side_disconnect_is_followed_by_a_new_join(exchange: ExchangeServer) -> None:
    """The library alone would stay disconnected for good; here five kicks in a row are survived."""
    async with running(Watched(exchange.url)) as watched:
        for kicks in range(1, 6):
            await eventually(lambda: watched.state.is_connected)
            await exchange.kick()
            await eventually(lambda kicks=kicks: watched.supervisor.connects > kicks)
        await eventually(lambda: watched.state.is_connected)
    assert State.REJECTED not in watched.states


async def test_F02_reset_connection_is_followed_by_a_new_join(exchange: ExchangeServer) -> None:
    """A TCP cut is noticed at once."""
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.state.is_connected)
        await exchange.abort()
        await eventually(lambda: watched.supervisor.private_joins == 2 and watched.state.is_connected)
    assert State.RECONNECTING in watched.states


async def test_F02_refused_connection_says_so_and_backs_off() -> None:
    """Nothing listens: one clear reason, growing delays."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with running(Watched(f"ws://127.0.0.1:{port}")) as watched:
        await eventually(lambda: watched.supervisor.connects >= 4)
        assert "cannot be reached" in (watched.supervisor.change.reason or "")


async def test_F02_unknown_host_name_says_so() -> None:
    """A name that does not resolve is told apart from a closed port."""
    async with running(Watched("wss://no-such-host.invalid")) as watched:
        await eventually(lambda: watched.changes and watched.changes[-1].reason)
        assert "no-such-host.invalid" in (watched.supervisor.change.reason or "")


async def test_F03_silence_after_prices_is_stale_and_reconnects(exchange: ExchangeServer) -> None:
    """Proof expires at its limit, long before the library's 45 s."""
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.state.is_connected)
        await exchange.emit(wire.PRICES_UPDATE_EVENT, {"prices": {}, "pr": "futures"})
        await eventually(lambda: State.STALE in watched.states)
        stale = next(change for change in watched.changes if change.state is State.STALE)
        assert "nothing arrived for 0.5" in (stale.reason or "")
        await eventually(lambda: watched.supervisor.private_joins == 2)


async def test_F18_process_that_stood_still_joins_anew_though_frames_waited(exchange: ExchangeServer) -> None:
    """What lay in the socket's buffer proves nothing about the time in between: the gap begins before it."""
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.state.is_connected)
        await exchange.emit(wire.PRICES_UPDATE_EVENT, {"prices": {}, "pr": "futures"})
        await eventually(lambda: watched.frames)
        await exchange.emit(wire.PRICES_UPDATE_EVENT, {"prices": {}, "pr": "futures"})
        began_ns = time.time_ns()
        time.sleep(0.8)
        await eventually(lambda: State.STALE in watched.states)
        stale = next(change for change in watched.changes if change.state is State.STALE)
        told = re.search(r"stood still for ([\d.]+) s", stale.reason or "")
        assert told is not None
        assert 0.8 <= float(told[1]) < 5
        assert abs((stale.proven_ns or 0) - began_ns) < 200_000_000
        await eventually(lambda: watched.supervisor.private_joins == 2)


async def test_quiet_account_with_prices_stays_quiet(exchange: ExchangeServer) -> None:
    """Quiet is not dead: an idle account with ticking prices is never called stale."""
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.state.is_connected)
        for _ in range(8):
            await eventually(lambda: (watched.supervisor.transport_age_s or 0) > 0.15)
            await exchange.emit(wire.PRICES_UPDATE_EVENT, {"prices": {}, "pr": "futures"})
            await eventually(lambda: (watched.supervisor.transport_age_s or 1) < 0.15)
        assert watched.states[-1] is State.QUIET
        assert watched.supervisor.connects == 1


async def test_F05_refused_join_ends_in_rejected_after_one_signed_read(exchange: ExchangeServer) -> None:
    """Two refusals, one read answered 401, then no storm: the cause names the settings, never the secret."""
    wrong = (SecretStr("wrong-key"), SecretStr("canary-secret"))
    async with running(Watched(exchange.url, credentials=wrong)) as watched:
        await eventually(lambda: watched.state is State.REJECTED)
        change = watched.supervisor.change
        assert "COINDCX_API_SECRET" in (change.reason or "")
        assert "canary" not in repr(watched.changes)
        assert change.next_try_s == FAST.rejected_retry_s
        assert watched.supervisor.private_joins == 2


async def test_close_right_after_join_with_good_credentials_is_not_rejected(exchange: ExchangeServer) -> None:
    """A signed read that succeeds tells a closing exchange from a wrong key."""
    exchange.reject_joins = True
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.supervisor.private_joins >= 3)
        assert State.REJECTED not in watched.states
        exchange.reject_joins = False
        await eventually(lambda: watched.state.is_connected)


async def test_frames_keep_their_order_in_a_burst(exchange: ExchangeServer) -> None:
    """F12, short: 2,000 frames at once, none lost, none overtaken."""
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.state.is_connected)
        for number in range(2_000):
            await exchange.emit(wire.BALANCE_EVENT, [{"id": "w", "n": number}])
        await eventually(lambda: len(watched.frames) == 2_000)
    numbers = [int(argument["data"].rpartition('"n":')[2].rstrip("}]")) for _, argument in watched.frames]  # type: ignore[index]
    assert numbers == list(range(2_000))


async def test_F11_malformed_event_packet_reaches_the_receiver(exchange: ExchangeServer) -> None:
    """A packet that is not JSON is handed on as text and the stream goes on."""
    async with running(Watched(exchange.url)) as watched:
        await eventually(lambda: watched.state.is_connected)
        await exchange.emit_raw('2["df-order-update",{"data":"[{')
        await exchange.emit(wire.BALANCE_EVENT, [{"id": "w"}])
        await eventually(lambda: len(watched.frames) == 2)
    assert watched.frames[0][1] == '["df-order-update",{"data":"[{'
    assert watched.frames[1][0] == wire.BALANCE_EVENT
