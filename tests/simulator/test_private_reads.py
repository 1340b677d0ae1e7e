"""Lists of the account: filters with their quirks, pages, and rows like the captured ones."""

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from simulator.helpers import FIXTURES, START_MS, Clock, call

from coindcx_feed.simulator.demo import demo_exchange
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.server import ExchangeServer

F = "/exchange/v1/derivatives/futures"
BOTH = {"margin_currency_short_name": ["USDT", "INR"]}

pytestmark = pytest.mark.usefixtures("live_server")


@pytest.fixture(scope="module")
def demo() -> Exchange:
    """Half an hour of demo trading; the clock stands still, so that it can be shared."""
    return demo_exchange(1, START_MS)[0]


@pytest.fixture
def exchange(demo: Exchange) -> Exchange:
    """The demo's engine in place of the empty one."""
    return demo


async def read(server: ExchangeServer, path: str, body: dict[str, Any], method: str = "POST") -> list[dict[str, Any]]:
    status, rows, _ = await call(server, method, F + path, body)
    assert status == 200
    assert isinstance(rows, list)
    return rows


def captured(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = msgspec.json.decode((FIXTURES / "rest" / f"{name}.captured.json").read_bytes())
    return rows


def documented(name: str) -> Any:
    return msgspec.json.decode((FIXTURES / "rest" / f"{name}.docs.json").read_bytes())


async def test_orders_are_filtered_by_status_side_and_currency(live_server: ExchangeServer, exchange: Exchange) -> None:
    """One comma-separated status text; newest first; without the currency only USDT."""
    rows = await read(live_server, "/orders", {"status": "filled, cancelled", "side": "sell", "size": "1000", **BOTH})
    wanted = [
        order.id
        for order in reversed(exchange.orders.values())
        if order.status in ("filled", "cancelled") and order.request.side == "sell"
    ]
    assert [row["id"] for row in rows] == wanted[:1000]
    default = await read(live_server, "/orders", {"size": "1000"})
    assert {row["margin_currency_short_name"] for row in default} == {"USDT"}
    inr = await read(live_server, "/orders", {"margin_currency_short_name": ["INR"]})
    assert {row["margin_currency_short_name"] for row in inr} == {"INR"}


async def test_order_rows_have_the_captured_fields(live_server: ExchangeServer) -> None:
    """Every field of the complete captured row; quantities add up."""
    rows = await read(live_server, "/orders", {"size": "1000"})
    assert set(captured("orders_list")[0]) <= set(rows[0])
    assert "trades" not in rows[0]


async def test_pages_follow_each_other(live_server: ExchangeServer) -> None:
    """Text or number, from 1; a short page is the last."""
    whole = await read(live_server, "/orders", {"size": "1000"})
    parts = [await read(live_server, "/orders", {"page": page, "size": "7"}) for page in ("1", 2)]
    assert parts[0] + parts[1] == whole[:14]
    assert await read(live_server, "/orders", {"page": "9999"}) == []
    assert len(await read(live_server, "/orders", {})) == 100


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"margin_currency_short_name": "INR"}, 500),
        ({"status": ["filled"]}, 422),
        ({"page": "0"}, 400),
        ({"size": "abc"}, 400),
        ({"size": -1}, 400),
    ],
)
async def test_wrong_filters(live_server: ExchangeServer, body: dict[str, Any], status: int) -> None:
    """A text instead of the currency array is a 500 with an empty message, an array of statuses a 422."""
    got, reply, _ = await call(live_server, "POST", f"{F}/orders", body)
    assert got == reply["code"] == status
    assert (reply["message"] == "") is (status == 500)


async def test_positions_include_flat_ones_and_filter_by_pair_and_id(live_server: ExchangeServer) -> None:
    """All fields of the captured rows."""
    rows = await read(live_server, "/positions", BOTH)
    assert set(captured("positions_list")[1]) <= set(rows[0])
    assert {row["margin_currency_short_name"] for row in rows} == {"USDT", "INR"}
    solana = await read(live_server, "/positions", {"pairs": "B-SOL_USDT, B-XRP_USDT", **BOTH})
    assert {row["pair"] for row in solana} == {"B-SOL_USDT", "B-XRP_USDT"}
    assert await read(live_server, "/positions", {"position_ids": rows[1]["id"], **BOTH}) == [rows[1]]


async def test_wallets_are_text(live_server: ExchangeServer, exchange: Exchange) -> None:
    """Fields of the captured row; the exact amount in Ruby's style."""
    rows = await read(live_server, "/wallets", {}, "GET")
    assert set(captured("wallets")[0]) <= set(rows[0])
    assert [row["currency_short_name"] for row in rows] == ["USDT", "INR"]
    assert all(isinstance(row["balance"], str) for row in rows)
    assert D(rows[1]["locked_balance"]) == exchange.account.wallet("INR").locked


async def test_fills_by_order_and_by_pair_and_dates(live_server: ExchangeServer, exchange: Exchange) -> None:
    """Newest first, with the undocumented ``fill_id``; fees in USDT on INR fills too."""
    fill = exchange.account.fills[-1]
    rows = await read(live_server, "/trades", {"order_id": fill.order.id, **BOTH})
    assert fill.price in {row["price"] for row in rows}
    assert set(captured("trades")[0]) <= set(rows[0])
    dates = {"pair": "B-SOL_USDT", "from_date": "2026-09-23", "to_date": "2026-09-23"}
    day = await read(live_server, "/trades", {**dates, "size": "1000", **BOTH})
    assert {row["pair"] for row in day} == {"B-SOL_USDT"}
    assert [row["timestamp"] for row in day] == sorted((row["timestamp"] for row in day), reverse=True)
    assert len(day) == sum(f.order.request.pair == "B-SOL_USDT" for f in exchange.account.fills)
    none = await read(live_server, "/trades", {**dates, "from_date": "2026-09-24", "to_date": "2026-09-25", **BOTH})
    assert none == []


@pytest.mark.parametrize(
    "body", [{}, {"pair": "B-SOL_USDT"}, {"pair": "B-SOL_USDT", "from_date": "23/09/2026", "to_date": "2026-09-23"}]
)
async def test_fills_need_an_order_or_pair_and_dates(live_server: ExchangeServer, body: dict[str, Any]) -> None:
    """The documented mandatory fields."""
    assert (await call(live_server, "POST", f"{F}/trades", body))[0] == 400


async def test_transactions_join_fills_on_the_order(live_server: ExchangeServer) -> None:
    """Another ``fill_id`` than the fills', the order's id as parent, INR rows in INR."""
    rows = await read(live_server, "/positions/transactions", {"stage": "all", "size": "1000", **BOTH})
    assert set(captured("positions_transactions")[0]) - {"price_in_btc"} <= set(rows[0])
    inr = next(row for row in rows if row["margin_currency_short_name"] == "INR")
    fills = await read(live_server, "/trades", {"order_id": inr["parent_id"], **BOTH})
    assert inr["fee_amount"] in {fill["fee_amount"] * 102 for fill in fills}
    assert inr["fill_id"] not in {fill["fill_id"] for fill in fills}
    assert inr["price_in_inr"] == 1
    exits = await read(live_server, "/positions/transactions", {"stage": "exit", **BOTH})
    assert {row["stage"] for row in exits} == {"exit"}


async def test_wallet_log_shows_what_changed_the_total(live_server: ExchangeServer, clock: Clock) -> None:
    """Deposits and trades, newest first; locking margin is no movement."""
    rows = await read(live_server, "/wallets/transactions?page=1&size=1000", {}, "GET")
    assert {row["reason"] for row in rows} == {"by_universal_wallet", "by_futures_order", "by_futures_funding"}
    assert set(documented("wallets_transactions")[0]) == set(rows[0])
    assert {row["transaction_type"] for row in rows} == {"credit", "debit"}
    assert all(D(row["amount"]) > 0 for row in rows)
    assert [row["created_at"] for row in rows] == sorted((row["created_at"] for row in rows), reverse=True)


async def test_funding_rows_are_a_stage_of_their_own(live_server: ExchangeServer, exchange: Exchange) -> None:
    """No fee, no order as parent, a position all the same; they sum up to what the position shows."""
    rows = await read(live_server, "/positions/transactions", {"stage": "funding", "size": "1000", **BOTH})
    assert {row["stage"] for row in rows} == {"funding"}
    assert {row["fee_amount"] for row in rows} == {0}
    assert not {row["parent_id"] for row in rows} & set(exchange.orders)
    positions = {row["id"]: row for row in await read(live_server, "/positions", BOTH)}
    assert {row["position_id"] for row in rows} <= set(positions)
    assert any(row["cumulative_funding_fee"] for row in positions.values())


async def test_order_stages_are_filtered(live_server: ExchangeServer) -> None:
    """Stops and targets are told from exits."""
    for stage in ("default", "exit", "tpsl_exit"):
        rows = await read(live_server, "/positions/transactions", {"stage": stage, **BOTH})
        assert {row["stage"] for row in rows} == {stage}
    assert await read(live_server, "/positions/transactions", {"stage": "liquidation", **BOTH}) == []


async def test_crossed_margin_details(live_server: ExchangeServer, exchange: Exchange) -> None:
    """GET only, the documented fields in their order; the wallet row names the same margins."""
    path = f"{F}/positions/cross_margin_details"
    status, body, _ = await call(live_server, "GET", path, {})
    assert (status, list(body)) == (200, list(documented("cross_margin_details")))
    wallets = await read(live_server, "/wallets", {}, "GET")
    assert D(wallets[0]["cross_user_margin"]) == body["total_initial_margin_crossed"] > 0
    assert D(wallets[0]["cross_order_margin"]) == body["total_open_order_initial_margin_crossed"]
    assert body["total_wallet_balance"] == D(wallets[0]["balance"]) + D(wallets[0]["locked_balance"])
    assert (wallets[1]["cross_user_margin"], wallets[1]["cross_order_margin"]) == ("0.0", "0.0")
    assert (await call(live_server, "POST", path, {}))[0] == 404


async def test_untriggered_orders_have_a_status_of_their_own(live_server: ExchangeServer) -> None:
    """Stops and targets that wait are no open orders."""
    rows = await read(live_server, "/orders", {"status": "untriggered", **BOTH})
    assert {row["status"] for row in rows} == {"untriggered"}
    assert {row["order_category"] for row in rows} == {"complete_tpsl"}
    opened = await read(live_server, "/orders", {"status": "open,partially_filled", **BOTH})
    assert not {row["id"] for row in rows} & {row["id"] for row in opened}
