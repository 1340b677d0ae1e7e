"""Crossed margin of the USDT wallet: the documented sample's arithmetic, and the state of an account."""

from decimal import Decimal as D

import msgspec
import pytest
from simulator.helpers import FIXTURES, funded_exchange, near, opened

from coindcx_feed.simulator.crossed import CrossedMargin, crossed_margin
from coindcx_feed.simulator.orders import OrderRequest, Refusal

DOCUMENTED = msgspec.json.Decoder(float_hook=D).decode(
    (FIXTURES / "rest" / "cross_margin_details.docs.json").read_bytes()
)
SAMPLE = CrossedMargin(
    1720526407542, D("-0.0635144"), D("0.10170128"), D("7.16966176"), D(0), D("0.68534648"), D(0)
)  # fmt: skip
ETH = "B-ETH_USDT"


def test_record_reproduces_the_documented_sample() -> None:
    """Every field, in its order; the ratio has more digits here."""
    record = SAMPLE.record()
    assert list(record) == list(DOCUMENTED)
    record["margin_ratio_cross"] = record["margin_ratio_cross"].quantize(D("1E-8"))
    assert record == DOCUMENTED


@pytest.mark.parametrize(
    ("maintenance", "exhausted"), [("0", False), ("7.1", False), ("7.10614736", True), ("8", True)]
)
def test_account_is_exhausted_when_maintenance_reaches_equity(maintenance: str, exhausted: bool) -> None:
    """And never without a position."""
    row = CrossedMargin(0, SAMPLE.profit, D(maintenance), SAMPLE.wallet, D(0), SAMPLE.initial, D(0))
    assert row.is_exhausted is exhausted


def test_lost_wallet_has_the_full_ratio() -> None:
    """No division by an equity of nothing."""
    assert CrossedMargin(0, D(-10), D(1), D(7), D(0), D(1), D(0)).record()["margin_ratio_cross"] == 1


def test_crossed_position_locks_nothing_but_uses_the_wallet() -> None:
    """The wallet pays the fee only; order margin and initial margin lower what is left for others."""
    exchange = funded_exchange()
    position = opened(exchange, margin_type="crossed")
    order = exchange.place(
        OrderRequest("buy", ETH, D("0.1"), near(exchange, ETH, "-0.02"), D(5), margin_type="crossed")
    )
    account = exchange.account
    assert account.wallet("USDT").locked == 0
    assert account.wallet("USDT").available == D(50_000) - sum(fill.fee for fill in account.fills)
    row = crossed_margin(account, exchange.now_ms)
    assert (row.orders, row.initial, row.isolated) == (order.locked_margin, position.user_margin, D(0))
    assert row.profit == position.active * (exchange.mark(ETH) - position.avg_price)
    assert row.maintenance == position.maintenance(exchange.mark(ETH))
    free = row.record()["available_balance_isolated"]
    assert free == account.free("USDT") < account.wallet("USDT").available
    exchange.cancel(order.id)
    exchange.advance(exchange.now_ms + 500)
    assert account.crossed_order_margin == 0


def test_crossed_loss_lowers_what_isolated_orders_may_use() -> None:
    """An unrealised loss counts at once, a profit for crossed orders only."""
    exchange = funded_exchange(usdt=600)
    position = opened(exchange, quantity="0.5", margin_type="crossed")
    avg_price = position.avg_price
    for change, isolated, crossed in ((D(100), 0, 50), (D(-100), -50, -50)):
        position.avg_price = exchange.mark(ETH) - change
        used = exchange.account.wallet("USDT").available - position.user_margin
        assert exchange.account.free("USDT") == used + isolated
        assert exchange.account.free("USDT", "crossed") == used + crossed
    position.avg_price = avg_price
    with pytest.raises(Refusal, match="Insufficient funds"):
        exchange.place(OrderRequest("buy", "B-SOL_USDT", D(100), None, D(20)))
