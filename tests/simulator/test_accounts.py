"""The account's money: reservations, fills and exits against the books, by example and by property."""

import random
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.helpers import START_MS, held, new_order

from coindcx_feed.simulator.accounts import Account
from coindcx_feed.simulator.jstext import amount_text
from coindcx_feed.simulator.ledger import Wallet
from coindcx_feed.simulator.orders import Refusal


def new_account(usdt: str = "500", inr: str = "250000") -> Account:
    account = Account(random.Random(1))
    account.deposit(START_MS, "USDT", D(usdt))
    account.deposit(START_MS, "INR", D(inr))
    return account


def test_limit_order_of_the_scenario() -> None:
    """Placement, two maker fills: margins of order and position as in the constructed frames."""
    account, order = new_account(), new_order()
    account.reserve(order, order.total)
    assert order.ideal_margin == order.locked_margin == D("27.84690675")
    assert account.wallet("USDT") == Wallet("USDT", D("472.15309325"), D("27.84690675"))
    assert account.apply_fill(order, D("2776.5"), D("0.02"), True, START_MS, START_MS)
    position = account.positions["B-ETH_USDT", "USDT"]
    assert (order.locked_margin, order.fee_amount) == (D("16.70814405"), D("0.01310508"))
    assert (position.locked_margin, position.user_margin) == (D("11.12565762"), D("11.1387627"))
    assert account.apply_fill(order, D("2776.5"), D("0.03"), True, START_MS, START_MS)
    assert (order.status, order.locked_margin, order.fee_amount) == ("filled", D(0), D("0.0327627"))
    assert (position.locked_margin, position.user_margin) == (D("27.81414405"), D("27.84690675"))
    assert account.wallet("USDT") == Wallet("USDT", D("472.15309325"), D("27.81414405"))


def test_inr_order_locks_inr_at_the_peg() -> None:
    """Margins are reported in USDT, the wallet moves in INR."""
    account, order = new_account(), new_order(quantity="0.01", price="2500", leverage=3, currency="INR")
    account.reserve(order, order.total)
    assert order.locked_margin == D("8.348083333333")
    assert account.wallet("INR").locked == D("8.348083333333") * 102
    order.apply_end(START_MS)
    account.release(order, START_MS)
    assert account.wallet("INR") == Wallet("INR", D(250_000), D(0))


def test_round_trip_ends_in_profit_minus_fees() -> None:
    """The scenario of a market entry and exit: 100,000 + 16.8 − fees of both ways."""
    account = new_account("100000")
    entry = new_order(quantity="1.5", price=None, pair="B-BTC_USDT", leverage=10)
    entry.price = D("86857.7")
    account.reserve(entry, entry.total)
    assert entry.ideal_margin == D("13105.5240645")
    account.apply_fill(entry, D("86858.1"), D("1.5"), False, START_MS, START_MS)
    for quantity, price in (("1", "86869.5"), ("0.5", "86868.9")):
        leaving = new_order("sell", quantity, None, pair="B-BTC_USDT", leverage=10)
        account.apply_fill(leaving, D(price), D(quantity), False, START_MS, START_MS)
    assert account.wallet("USDT") == Wallet("USDT", D("99863.051251"), D(0))
    assert account.positions["B-BTC_USDT", "USDT"].active == 0
    assert [row.profit for row in account.rows] == [0, D("11.4"), D("5.4")]
    assert account.ledger.balance("USDT", "fees") == D("153.748749")


def test_insufficient_funds_are_refused_and_change_nothing() -> None:
    """The reservation is all or nothing."""
    account, order = new_account("27.84690674"), new_order()
    with pytest.raises(Refusal, match="Insufficient funds") as caught:
        account.reserve(order, order.total)
    assert caught.value.status == 400
    assert account.wallet("USDT").locked == order.locked_margin == 0


def test_fill_through_the_position_closes_then_opens() -> None:
    """A sell of 3 against a long of 1 ends short 2, with margin for the 2 only."""
    account = new_account()
    entry = new_order(quantity="0.001", price=None)
    account.reserve(entry, entry.total)
    account.apply_fill(entry, D(2776), D("0.001"), False, START_MS, START_MS)
    flip = new_order("sell", "0.003", None)
    account.reserve(flip, D("0.002"))
    account.apply_fill(flip, D(2770), D("0.003"), False, START_MS, START_MS)
    position = account.positions["B-ETH_USDT", "USDT"]
    assert (position.active, position.avg_price, flip.status) == (D("-0.002"), D(2770), "filled")
    assert account.wallet("USDT").locked == position.locked_margin


def test_fill_that_opens_more_than_reserved_takes_margin_or_is_refused() -> None:
    """A closing order whose position is gone opens one, if the wallet carries it."""
    rich, poor = new_account(), new_account("0.1")
    for account, is_done in ((rich, True), (poor, False)):
        order = new_order("sell", "0.05", "2776")
        assert account.apply_fill(order, D(2776), D("0.05"), True, START_MS, START_MS) is is_done
        assert order.filled == (D("0.05") if is_done else 0)
        assert account.ledger.total("USDT") == 0


def test_loss_beyond_wallet_and_margin_is_insured() -> None:
    """Without liquidation the wallet stops at zero and the books still balance."""
    account = new_account("30")
    entry = new_order(price=None)
    account.reserve(entry, entry.total)
    account.apply_fill(entry, D(2776), D("0.05"), False, START_MS, START_MS)
    leaving = new_order("sell", "0.05", None)
    account.apply_fill(leaving, D(1000), D("0.05"), False, START_MS, START_MS)
    assert account.wallet("USDT") == Wallet("USDT", D(0), D(0))
    assert account.ledger.balance("USDT", "insurance") < 0
    assert account.ledger.total("USDT") == 0


def test_wallet_record() -> None:
    """Amounts are text; the row has no time."""
    record = new_account("1.50").wallet_record("USDT", amount_text)
    assert (record["balance"], record["locked_balance"], record["currency_short_name"]) == ("1.5", "0", "USDT")
    assert set(record) == {"id", "balance", "locked_balance", "currency_id", "currency_short_name"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.integers(min_value=1, max_value=60),
        st.integers(min_value=1500, max_value=4500),
        st.integers(min_value=0, max_value=60),
        st.sampled_from(["USDT", "INR"]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(STEPS)
def test_books_follow_any_sequence_of_orders(steps: list[tuple[str, int, int, int, str, bool]]) -> None:
    """Zero per currency; locked money is the margins of positions and orders; fees follow the formula."""
    account, orders = new_account("400", "40000"), []
    for side, lots, price, filled, currency, is_maker in steps:
        order = new_order(side, str(D(lots) / 1000), str(price), currency=currency)
        position = account.positions.get(("B-ETH_USDT", order.request.currency))
        against = position is not None and position.active * order.sign < 0
        try:
            account.reserve(order, D(0) if against else order.total)
        except Refusal:
            continue
        orders.append(order)
        quantity = min(D(filled) / 1000, order.total)
        if quantity:
            account.apply_fill(order, D(price), quantity, is_maker, START_MS, START_MS)
        if lots % 2 and not order.is_terminal:
            order.apply_end(START_MS)
            account.release(order, START_MS)
    for currency in ("USDT", "INR"):
        wallet = account.ledger.wallet(currency)
        assert account.ledger.total(currency) == 0
        assert wallet.available >= 0
        assert wallet.locked == held(account, orders, currency)
    for fill in account.fills:
        percent = D("0.0236") if fill.is_maker else D("0.059")
        assert fill.fee == fill.price * fill.quantity * percent / 100
    for order in orders:
        assert order.fee_amount == sum((fill.fee for fill in account.fills if fill.order is order), D(0))
        assert order.total == order.filled + order.remaining + order.cancelled
