"""The demo account: lively, varied, reproducible, and its books balance after half an hour."""

import collections
import itertools
import time
from decimal import Decimal as D

import msgspec
import pytest
from simulator.helpers import START_MS, held, records

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.demo import FUNDING_MS, HISTORY_MS, DemoTrader, demo_exchange
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.topics import Frame


@pytest.fixture(scope="module")
def built() -> tuple[Exchange, list[Frame]]:
    """One demo of seed 1."""
    return demo_exchange(1, START_MS)


def trading(seed: int) -> tuple[Exchange, DemoTrader]:
    """Return an engine with its trader at work, and nothing behind it."""
    exchange = Exchange(seed, START_MS)
    trader = DemoTrader(exchange, seed)
    trader.start()
    return exchange, trader


@pytest.mark.parametrize("seed", [2, 3])
def test_history_shows_everything_a_page_needs(seed: int) -> None:
    """Several positions, one of them crossed, open orders, every status, stage and ledger stage but liquidation."""
    exchange, frames = demo_exchange(seed, START_MS)
    positions = [position for position in exchange.account.positions.values() if position.active]
    assert len(positions) >= 4
    assert {position.active > 0 for position in positions} == {True, False}
    assert {position.currency for position in positions} == {"USDT", "INR"}
    assert len(exchange.open_orders()) >= 3
    statuses = {record["status"] for record in records(frames, wire.ORDER_EVENT)}
    assert statuses == {
        "initial", "open", "partially_filled", "filled", "cancelled", "partially_cancelled", "rejected", "untriggered",
    }  # fmt: skip
    assert [position.pair for position in positions if position.is_crossed] == ["B-SOL_USDT"]
    assert {row.stage for row in exchange.account.rows} == {"default", "exit", "tpsl_exit", "funding"}
    assert {record["stage"] for record in records(frames, wire.ORDER_EVENT)} == {"default", "exit", "tpsl_exit"}
    balances = records(frames, wire.BALANCE_EVENT)
    for currency in ("USDT", "INR"):
        assert len({row["balance"] for row in balances if row["currency_short_name"] == currency}) > 50


def test_history_is_ordered_and_prices_come_every_second(built: tuple[Exchange, list[Frame]]) -> None:
    """Half an hour up to now; one frame with every pair per second."""
    exchange, frames = built
    times = [frame.at_ms for frame in frames]
    assert times == sorted(times)
    assert START_MS - HISTORY_MS <= times[0] < times[-1] <= START_MS == exchange.now_ms
    prices = [frame for frame in frames if frame.event == wire.PRICES_UPDATE_EVENT]
    assert len(prices) == HISTORY_MS // 1_000
    rows = msgspec.json.decode(prices[-1].data)["prices"]
    assert list(rows) == exchange.pairs
    assert all({"mp", "ls"} <= set(row) for row in rows.values())


def test_an_order_lives_every_few_seconds(built: tuple[Exchange, list[Frame]]) -> None:
    """No pause of the account is longer than 15 s after the first positions."""
    account = [frame.at_ms for frame in built[1] if frame.event == wire.ORDER_EVENT]
    assert max(b - a for a, b in itertools.pairwise(account)) < 15_000
    assert len(account) > 1_000


def test_exits_come_as_several_records_in_one_frame(built: tuple[Exchange, list[Frame]]) -> None:
    """The natural place of arrays with more than one record."""
    sizes = collections.Counter(
        len(msgspec.json.decode(frame.data)) for frame in built[1] if frame.event == wire.ORDER_EVENT
    )
    assert sizes[2] > 0


def test_funding_comes_every_five_minutes_to_every_open_position(built: tuple[Exchange, list[Frame]]) -> None:
    """A ledger row each, and one frame with all positions that were settled."""
    exchange, frames = built
    times = collections.Counter(row.at_ms for row in exchange.account.rows if row.stage == "funding")
    assert [at_ms % FUNDING_MS for at_ms in times] == [0] * (HISTORY_MS // FUNDING_MS)
    positions = [frame for frame in frames if frame.event == wire.POSITION_EVENT and frame.at_ms in times]
    assert [len(msgspec.json.decode(frame.data)) for frame in positions] == list(times.values())


def test_guarded_positions_keep_their_stop_and_target(built: tuple[Exchange, list[Frame]]) -> None:
    """What fired or was cancelled is set again; the position shows both prices."""
    latest = {record["id"]: record for record in records(built[1], wire.POSITION_EVENT)}
    guarded = [row for row in latest.values() if row["stop_loss_trigger"] and row["take_profit_trigger"]]
    assert {row["pair"] for row in guarded} <= {"B-BTC_USDT", "B-XRP_USDT"}
    assert guarded


def test_books_balance_and_locked_money_is_margin(built: tuple[Exchange, list[Frame]]) -> None:
    """After half an hour of trading, to the last digit."""
    exchange, _ = built
    for currency in ("USDT", "INR"):
        assert exchange.account.ledger.total(currency) == 0
        assert exchange.account.ledger.wallet(currency).locked == held(
            exchange.account, exchange.orders.values(), currency
        )
    for order in exchange.orders.values():
        assert order.total == order.filled + order.remaining + order.cancelled


def test_last_frames_show_the_engines_state(built: tuple[Exchange, list[Frame]]) -> None:
    """What a client folded from the frames is what the account holds."""
    exchange, frames = built
    latest = {record["id"]: record for record in records(frames, wire.ORDER_EVENT)}
    for order in exchange.orders.values():
        shown = latest[order.id]
        assert (shown["status"], shown["remaining_quantity"]) == (order.status, order.remaining)
    positions = {record["id"]: record for record in records(frames, wire.POSITION_EVENT)}
    for position in exchange.account.positions.values():
        assert positions[position.id]["active_pos"] == position.active


def test_same_seed_and_time_give_the_same_frames(built: tuple[Exchange, list[Frame]]) -> None:
    """And it goes on the same way; another seed does not."""
    exchange, frames = demo_exchange(1, START_MS)
    assert frames == built[1]
    assert exchange.advance(START_MS + 60_000)
    assert trading(2)[0].advance(START_MS + 60_000) != trading(1)[0].advance(START_MS + 60_000)


@pytest.mark.timed
def test_building_is_quick() -> None:
    """Below two seconds of CPU; the limit here leaves room for a slow machine."""
    start = time.process_time()
    demo_exchange(9, START_MS)
    assert time.process_time() - start < 6


def test_wallets_are_refilled() -> None:
    """A demo that runs for days does not run dry."""
    exchange, _ = trading(1)
    exchange.advance(START_MS + 60_000)
    available = exchange.account.wallet("USDT").available
    exchange.account.deposit(START_MS, "USDT", -(available - 100))
    exchange.advance(START_MS + 120_000)
    assert exchange.account.wallet("USDT").available > 20_000


def test_refused_order_is_counted_and_trading_goes_on() -> None:
    """A trader without money places nothing and does not stop."""
    exchange, trader = trading(1)
    exchange.at(START_MS + 500, lambda: exchange.account.deposit(START_MS, "USDT", D(-49_999)))
    exchange.advance(START_MS + 20_000)
    assert trader.refused > 0
    exchange.advance(START_MS + 90_000)
    assert any(order.status == "filled" for order in exchange.orders.values())
