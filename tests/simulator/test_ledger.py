"""Double-entry books: they sum to zero, refuse what does not, and the wallet is its postings."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.simulator.ledger import Book, Ledger, Unbalanced, Wallet

BOOKS: tuple[Book, ...] = ("available", "locked", "deposits", "fees", "market", "insurance")
AMOUNTS = st.decimals(min_value=-(10**6), max_value=10**6, places=8)
MOVES = st.lists(
    st.tuples(st.sampled_from(["USDT", "INR"]), st.sampled_from(BOOKS), st.sampled_from(BOOKS), AMOUNTS), max_size=40
)


def test_deposit_and_lock() -> None:
    """Money moves between books; the wallet shows free and locked."""
    ledger = Ledger()
    ledger.move(1, "USDT", "deposit", "deposits", "available", D(100))
    ledger.move(2, "USDT", "margin", "available", "locked", D("27.5"))
    ledger.move(3, "USDT", "nothing", "available", "locked", D(0))
    assert ledger.wallet("USDT") == Wallet("USDT", D("72.5"), D("27.5"))
    assert ledger.wallet("INR") == Wallet("INR", D(0), D(0))
    assert [entry.reason for entry in ledger.journal] == ["deposit", "margin"]


def test_unbalanced_postings_change_nothing() -> None:
    """A transaction that does not sum to zero is refused as a whole."""
    ledger = Ledger()
    with pytest.raises(Unbalanced, match="sum to 0 USDT"):
        ledger.post(1, "USDT", "wrong", {"deposits": D(-1), "available": D("1.00000001")})
    assert ledger.balance("USDT", "available") == 0
    assert not ledger.journal


@pytest.mark.parametrize("book", ["available", "locked"])
def test_wallet_is_never_overdrawn(book: Book) -> None:
    """Neither free nor locked money becomes negative."""
    with pytest.raises(Unbalanced, match=book):
        Ledger().move(1, "INR", "fee", book, "fees", D("0.00000001"))


@given(MOVES)
def test_books_balance_and_wallets_equal_their_postings(moves: list[tuple[str, Book, Book, D]]) -> None:
    """Whatever is booked or refused: zero per currency, and wallets are the sums of the journal."""
    ledger = Ledger()
    for currency in ("USDT", "INR"):
        ledger.move(0, currency, "deposit", "deposits", "available", D(10**6))
    for number, (currency, source, target, amount) in enumerate(moves):
        try:
            ledger.move(number, currency, "move", source, target, amount)
        except Unbalanced:
            continue
    for currency in ("USDT", "INR"):
        entries = [entry for entry in ledger.journal if entry.currency == currency]
        assert ledger.total(currency) == 0
        assert all(sum(entry.postings.values()) == 0 for entry in entries)
        wallet = ledger.wallet(currency)
        assert wallet.available == sum(entry.postings.get("available", D(0)) for entry in entries)
        assert wallet.locked == sum(entry.postings.get("locked", D(0)) for entry in entries)
        assert min(wallet.available, wallet.locked) >= 0
