"""The account over REST: against answers made for the test, and against the simulated exchange."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes.clock import START_MS, FakeClock
from fakes.frames import FIXTURES, balance, order, position
from fakes.rest_api import KEY, SECRET, Call, FakeApi, Say, fake_api
from pydantic import SecretStr

from coindcx_feed.errors import BadReply, CredentialsRefused, RequestRefused, RestError, ServerTrouble
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.records import OrderRecord
from coindcx_feed.exchange.rest import NO_RETRY, RestReader
from coindcx_feed.exchange.rest_account import AccountReads
from coindcx_feed.exchange.rest_budget import BURST
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.demo import demo_exchange
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.exchange import build_exchange_server
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET

DAY_MS = 86_400_000
BUSY = Say({"message": ""}, 503)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with fake_api() as running:
        yield running


@pytest.fixture
async def account(api: FakeApi) -> AsyncIterator[AccountReads]:
    clock = FakeClock(is_automatic=True)
    async with RestReader(api.url, SecretStr(KEY), SecretStr(SECRET), retry=NO_RETRY, clock=clock) as reader:
        yield AccountReads(reader)


def _of_side(rows: list[dict[str, Any]]) -> Any:
    return lambda call: [row for row in rows if row["side"] == call.body["side"]]


def _fixture(name: str) -> str:
    return (FIXTURES / "rest" / name).read_text(encoding="utf-8")


async def test_orders_are_asked_for_by_side_with_every_status_and_currency(api: FakeApi, account: AccountReads) -> None:
    """Arrays and comma-separated texts as the exchange wants them; ``open`` does not include ``partially_filled``."""
    api.answer("orders", Say([]))
    reading = await account.orders()
    assert reading.is_complete
    assert [call.body["side"] for call in api.calls] == ["buy", "sell"]
    body = api.calls[0].body
    assert (body["page"], body["size"]) == ("1", "100")
    assert body["margin_currency_short_name"] == ["INR", "USDT"]
    assert set(body["status"].split(",")) == {
        "open", "partially_filled", "filled", "cancelled", "partially_cancelled", "rejected", "untriggered",
    }  # fmt: skip
    assert all(call.is_signed for call in api.calls)


async def test_orders_of_both_sides_and_all_pages_are_joined(api: FakeApi, account: AccountReads) -> None:
    """150 buys, 20 sells: four requests, because 20 of 100 might be a cap."""
    rows = [order(f"b-{number}", side="buy") for number in range(150)]
    rows += [order(f"s-{number}", side="sell") for number in range(20)]
    api.serve_pages("orders", _of_side(rows))
    reading = await account.orders()
    assert [row.key for row in reading.rows] == [row["id"] for row in rows]
    assert (reading.is_complete, reading.requests) == (True, 4)


async def test_recorded_order_rows_are_read_exactly(api: FakeApi, account: AccountReads) -> None:
    """Captured rows, each number with its digits and each row with its own text."""
    text = _fixture("orders_list.captured.json")
    api.serve("orders", lambda call: Say(text if call.body["side"] == "buy" else []))
    reading = await account.orders()
    assert [parse_exact(row.raw) for row in reading.rows] == parse_exact(text)
    assert [str(record.fee_amount) for record in reading.records] == ["0.522986207", "0", "0.025267725"]


async def test_orders_are_read_back_to_the_last_known_update(api: FakeApi, account: AccountReads) -> None:
    """Each side ends behind the time, but only after the orders that were live on that side."""
    rows = [
        order(f"{side}-{number}", side=side, status="filled", created_at=number, updated_at=number)
        for side in ("buy", "sell")
        for number in range(500, 0, -1)
    ]
    api.serve_pages("orders", _of_side(rows))
    reading = await account.orders(450)
    assert (reading.requests, reading.since_ms) == (2, 450)
    live = [OrderRecord.model_validate(row) for row in rows if row["id"] == "sell-120"]
    reading = await account.orders(450, live)
    assert [call.body["page"] for call in api.calls[2:]] == ["1", "1", "2", "3", "4"]
    assert "sell-120" in {row.key for row in reading.rows}


async def test_orders_made_after_the_time_are_not_looked_for_behind_it(api: FakeApi, account: AccountReads) -> None:
    """One that is still ``initial`` is not listed: the whole history was read for it after every join."""
    rows = [
        order(f"buy-{number}", side="buy", status="filled", created_at=number, updated_at=number)
        for number in range(1_000, 0, -1)
    ]
    api.serve_pages("orders", _of_side(rows))
    young = OrderRecord.model_validate(order("buy-new", side="buy", status="initial", created_at=960, updated_at=960))
    reading = await account.orders(950, [young])
    assert [(call.body["side"], call.body["page"]) for call in api.calls] == [("buy", "1"), ("sell", "1")]
    assert reading.is_complete


async def test_F28_one_side_that_fails_makes_the_orders_partial(api: FakeApi, account: AccountReads) -> None:
    """No sells were read: that is not "there are no sells"."""
    api.serve("orders", lambda call: Say([order()]) if call.body["side"] == "buy" else BUSY)
    reading = await account.orders()
    assert len(reading.rows) == 1
    assert reading.because == "the sell side could not be read: orders: expected HTTP 200, was 503"


async def test_F28_empty_side_and_failed_side_is_partial_too(api: FakeApi, account: AccountReads) -> None:
    """Zero rows, and still not an empty account."""
    api.serve("orders", lambda call: Say([]) if call.body["side"] == "buy" else BUSY)
    reading = await account.orders()
    assert reading.rows == ()
    assert not reading.is_complete


@pytest.mark.parametrize("name", ["orders", "positions", "wallets", "ledger", "wallet_log", "cross_margin"])
@pytest.mark.parametrize(
    ("say", "error"),
    [(BUSY, ServerTrouble), (Say({}, 401), CredentialsRefused), (Say({}, 422), RequestRefused), (Say("7"), BadReply)],
)
async def test_F28_failed_query_is_never_flat(
    api: FakeApi, account: AccountReads, name: str, say: Say, error: type[RestError]
) -> None:
    """Every read raises when nothing was read; a reply of another shape counts as such."""
    api.answer(name, say)
    with pytest.raises(error):
        await getattr(account, name)()


async def test_positions_of_both_currencies_are_read_flat_ones_too(api: FakeApi, account: AccountReads) -> None:
    """The captured flat row is mostly nulls."""
    api.answer("positions", Say(_fixture("positions_list.captured.json")))
    reading = await account.positions()
    assert [record.active_pos == 0 for record in reading.records] == [False, True]
    assert api.calls[0].body["margin_currency_short_name"] == ["INR", "USDT"]
    assert "pairs" not in api.calls[0].body


async def test_positions_of_some_pairs_only(api: FakeApi, account: AccountReads) -> None:
    """One comma-separated text."""
    api.answer("positions", Say([position()]))
    await account.positions(["B-ETH_USDT", "B-BTC_USDT"])
    assert api.calls[0].body["pairs"] == "B-ETH_USDT,B-BTC_USDT"


async def test_wallets_are_read_by_a_signed_get(api: FakeApi, account: AccountReads) -> None:
    """One page, amounts are text, both stay exact."""
    api.answer("wallets", Say([balance("w-1", "1650841.59606695345873"), balance("w-2", "0.1", currency="INR")]))
    reading = await account.wallets()
    assert [str(record.balance) for record in reading.records] == ["1650841.59606695345873", "0.1"]
    assert reading.is_complete
    assert api.calls[0].body.keys() == {"timestamp"}


async def test_C1_odd_wallet_is_returned_apart(api: FakeApi, account: AccountReads) -> None:
    """The good one is usable, the reading is partial and the odd one's text is kept."""
    api.answer(
        "wallets", Say('[{"id":"w-1"}, {"id":"w-2","currency_short_name":"INR","balance":1,"locked_balance":2}]')
    )
    reading = await account.wallets()
    assert [row.key for row in reading.rows] == ["w-2"]
    assert [row.raw for row in reading.rejected] == [b'{"id":"w-1"}']
    assert not reading.is_complete


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "dates"),
    [
        # 2026-09-23 05:06 UTC is 10:36 in India.
        (START_MS, None, ("2026-09-23", "2026-09-24")),
        # 19:06 UTC is the next day there.
        (START_MS - DAY_MS, START_MS + 14 * 3_600_000, ("2026-09-22", "2026-09-25")),
    ],
)
async def test_fills_are_asked_for_by_days_of_either_zone(
    api: FakeApi, account: AccountReads, from_ms: int, to_ms: int | None, dates: tuple[str, str]
) -> None:
    """The zone of the dates is not documented, nor whether the last day is included: both are covered."""
    api.answer("fills", Say(_fixture("trades.captured.json")))
    reading = await account.fills("B-SOL_USDT", from_ms, to_ms)
    body = api.calls[0].body
    assert (body["from_date"], body["to_date"], body["pair"]) == (*dates, "B-SOL_USDT")
    assert body["margin_currency_short_name"] == ["INR", "USDT"]
    assert [row.key for row in reading.rows] == ["8f624df1-2cd8-4e18-ac8b-9f6d1f0815a9"]


async def test_misspelt_pair_or_stage_is_refused_before_it_is_sent(api: FakeApi, account: AccountReads) -> None:
    """The exchange would answer with something else, or with nothing."""
    with pytest.raises(RequestRefused, match="like B-BTC_USDT"):
        await account.fills("ETHUSDT", START_MS)
    with pytest.raises(RequestRefused, match="like B-BTC_USDT"):
        await account.positions(["B-ETH_USDT", "B-ETH_USDT,"])
    with pytest.raises(RequestRefused, match=r"expected one of all, default.*was 'payout'"):
        await account.ledger(stage="payout")
    assert api.calls == []


async def test_ledger_is_asked_for_by_stage_and_read_back_to_a_time(api: FakeApi, account: AccountReads) -> None:
    """Amounts of INR rows are rupees; the row says its currency."""
    (row,) = parse_exact(_fixture("positions_transactions.captured.json"))
    rows = [row | {"created_at": number, "position_id": f"p-{number}"} for number in range(400, 0, -1)]
    api.serve_pages("ledger", lambda _call: rows)
    reading = await account.ledger(350, "funding")
    assert reading.requests == 1
    assert api.calls[0].body["stage"] == "funding"
    assert {record.margin_currency_short_name for record in reading.records} == {"INR"}


async def test_wallet_log_has_its_page_in_the_address_and_a_signed_body(api: FakeApi, account: AccountReads) -> None:
    """A GET that is signed by its body and paged by its query."""
    (row,) = parse_exact(_fixture("wallets_transactions.docs.json"))
    api.serve_pages("wallet_log", lambda _call: [row | {"created_at": number} for number in range(120)])
    reading = await account.wallet_log()
    assert len(reading.rows) == 120
    assert [call.query for call in api.calls] == [{"page": "1", "size": "100"}, {"page": "2", "size": "100"}]
    assert all(call.is_signed and call.body.keys() == {"timestamp"} for call in api.calls)


async def test_cross_margin_is_one_object(api: FakeApi, account: AccountReads) -> None:
    """With the moment it was asked for."""
    api.answer("cross_margin", Say(_fixture("cross_margin_details.docs.json")))
    row = await account.cross_margin()
    assert str(row.record.total_account_equity) == "7.10614736"
    assert row.asked_ms == START_MS


@pytest.fixture(scope="module")
def history() -> Exchange:
    """Half an hour of the demo trader, with its fills, exits and both currencies."""
    return demo_exchange(3, START_MS)[0]


@pytest.fixture
async def demo(history: Exchange) -> AsyncIterator[AccountReads]:
    """The history behind the simulator's REST, its clock standing still."""
    server = build_exchange_server(history, port=0, behaviour=instant(), clock_ms=lambda: START_MS)
    async with (
        server,
        RestReader(
            server.url, SecretStr(DEMO_KEY), SecretStr(DEMO_SECRET), server.url, clock=FakeClock(is_automatic=True)
        ) as reader,
    ):
        yield AccountReads(reader)


async def test_simulated_orders_are_all_found(history: Exchange, demo: AccountReads) -> None:
    """Every order the simulator knows and its list can show, once, in more than one page."""
    reading = await demo.orders()
    listed = {order.id for order in history.orders.values() if order.status != "initial"}
    assert {row.key for row in reading.rows} == listed
    assert reading.is_complete
    assert reading.requests > 2
    assert {record.margin_currency_short_name for record in reading.records} == {"INR", "USDT"}


async def test_simulated_positions_and_wallets_are_all_found(history: Exchange, demo: AccountReads) -> None:
    """Signed POST and signed GET."""
    positions, wallets = await demo.positions(), await demo.wallets()
    assert {row.key for row in positions.rows} == {position.id for position in history.account.positions.values()}
    assert {record.currency_short_name for record in wallets.records} == {"INR", "USDT"}
    assert positions.is_complete
    assert wallets.is_complete


async def test_simulated_fills_are_all_found_pair_by_pair(history: Exchange, demo: AccountReads) -> None:
    """C7: what a gap may have hidden, recovered by ``fill_id``."""
    found = {
        row.key: row.record for pair in history.pairs for row in (await demo.fills(pair, START_MS - 3_600_000)).rows
    }
    assert found.keys() == {fill.fill_id for fill in history.account.fills}
    for fill in history.account.fills:
        assert (found[fill.fill_id].price, found[fill.fill_id].quantity) == (fill.price, fill.quantity)


async def test_simulated_ledger_is_found_row_by_row(history: Exchange, demo: AccountReads) -> None:
    """Profit and fee of each fill; the rows' parents are the fills' orders."""
    reading = await demo.ledger()
    assert reading.is_complete
    assert len(reading.rows) == len(history.account.rows) > 0
    parents = {record.parent_id for record in reading.records if record.stage != "funding"}
    assert parents <= set(history.orders)


async def test_simulated_wallet_log_is_complete(demo: AccountReads) -> None:
    """Also where several movements share one moment."""
    reading = await demo.wallet_log()
    assert reading.is_complete
    assert {record.transaction_type for record in reading.records} == {"credit", "debit"}


async def test_reads_of_the_simulated_account_fit_into_one_burst(demo: AccountReads) -> None:
    """F28: a reconcile right after a join waits for nobody."""
    wallets, positions, orders = await demo.wallets(), await demo.positions(), await demo.orders(START_MS - 60_000)
    assert wallets.requests + positions.requests + orders.requests <= BURST


def _names(calls: list[Call]) -> list[str]:
    return [call.name for call in calls]


async def test_each_read_calls_its_own_route(api: FakeApi, account: AccountReads) -> None:
    """C9: eight reads, eight routes, nothing else."""
    for name in ("orders", "positions", "wallets", "fills", "ledger", "wallet_log"):
        api.answer(name, Say([]))
    api.answer("cross_margin", Say({"updated_at": 1}))
    await account.orders()
    await account.positions()
    await account.wallets()
    await account.fills("B-ETH_USDT", START_MS)
    await account.ledger()
    await account.wallet_log()
    await account.cross_margin()
    expected = ["orders", "orders", "positions", "wallets", "fills", "ledger", "wallet_log", "cross_margin"]
    assert _names(api.calls) == expected
