"""Wallets: identifiers, records, and the insurance behind an empty one."""

import random
from decimal import Decimal as D

import pytest
from simulator.helpers import START_MS

from coindcx_feed.simulator.jstext import amount_text
from coindcx_feed.simulator.ledger import Wallet
from coindcx_feed.simulator.wallets import Wallets


def new_wallets(usdt: str = "100") -> Wallets:
    wallets = Wallets(random.Random(1))
    wallets.deposit(START_MS, "USDT", D(usdt))
    return wallets


@pytest.mark.parametrize(
    ("fee", "is_capped", "available", "insured"),
    [("30", False, "70", "0"), ("130", False, "0", "30"), ("30", True, "100", "30")],
)
def test_insurance_pays_what_the_wallet_cannot(fee: str, is_capped: bool, available: str, insured: str) -> None:
    """All of the free part is used first, unless the payment is capped to what it brings itself."""
    wallets = new_wallets()
    wallets.pay(START_MS, "USDT", "fee", {"fees": D(fee)}, is_capped=is_capped)
    assert wallets.wallet("USDT").available == D(available)
    assert wallets.ledger.balance("USDT", "insurance") == -D(insured)
    assert wallets.ledger.total("USDT") == 0


def test_payment_that_brings_money_raises_the_free_part() -> None:
    """Capped or not."""
    wallets = new_wallets()
    wallets.pay(START_MS, "USDT", "profit", {"market": D(-5)})
    wallets.pay(START_MS, "USDT", "profit", {"market": D(-5)}, is_capped=True)
    assert wallets.wallet("USDT") == Wallet("USDT", D(110), D(0))


def test_record_of_a_former_state() -> None:
    """The same wallet row with other amounts."""
    wallets = new_wallets()
    now = wallets.wallet_record("USDT", amount_text)
    before = wallets.wallet_record("USDT", amount_text, Wallet("USDT", D("1.50"), D(2)))
    assert now["id"] == before["id"] == wallets.wallet_id("USDT") != wallets.wallet_id("INR")
    assert (now["balance"], before["balance"], before["locked_balance"]) == ("100", "1.5", "2")


def test_identifiers_repeat_with_the_seed() -> None:
    """Version 4 unless asked for another."""
    first, again = Wallets(random.Random(3)), Wallets(random.Random(3))
    assert [first.new_id(), first.new_id(1)] == [again.new_id(), again.new_id(1)]
    assert first.new_id()[14] == "4"
    assert first.new_id(1)[14] == "1"
