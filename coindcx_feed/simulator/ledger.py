"""Double-entry books of the simulated account: every transaction sums to zero per currency.

Wallets are nothing but the balances of two accounts here, so they cannot drift from the postings.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

Book = Literal["available", "locked", "deposits", "fees", "market", "funding", "insurance"]
"""``available`` and ``locked`` are the wallet; the others are whoever stands on the other side."""

# The demo runs for days: balances are kept for ever, the journal for its last entries only.
JOURNAL_LIMIT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Transaction:
    """Postings that belong together: amounts by book, in one currency, summing to zero."""

    at_ms: int
    currency: str
    reason: str
    postings: Mapping[Book, Decimal]


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet as it stands: free and locked amount of one currency."""

    currency: str
    available: Decimal
    locked: Decimal


class Unbalanced(ValueError):
    """The postings of a transaction do not sum to zero, or would overdraw the wallet."""


class Ledger:
    """The books of one account in any number of currencies."""

    def __init__(self) -> None:
        self.journal: deque[Transaction] = deque(maxlen=JOURNAL_LIMIT)
        self._balances: defaultdict[tuple[str, Book], Decimal] = defaultdict(Decimal)

    def post(self, at_ms: int, currency: str, reason: str, postings: Mapping[Book, Decimal]) -> None:
        """Book one transaction, all of it or nothing.

        Args:
            at_ms: Time of the booking, Unix ms.
            currency: Currency of all amounts.
            reason: What it is for.
            postings: Amount added to each book.
        Raises:
            Unbalanced: If the amounts do not sum to zero, or ``available`` or ``locked`` would become negative.
        """
        if sum(postings.values(), Decimal(0)):
            raise Unbalanced(f"{reason}: expected postings that sum to 0 {currency}, was {dict(postings)}")
        for book in ("available", "locked"):
            after = self.balance(currency, book) + postings.get(book, Decimal(0))
            if after < 0:
                raise Unbalanced(f"{reason}: expected {book} of 0 {currency} or more afterwards, was {after}")
        for book, amount in postings.items():
            self._balances[currency, book] += amount
        self.journal.append(Transaction(at_ms, currency, reason, dict(postings)))

    def move(self, at_ms: int, currency: str, reason: str, source: Book, target: Book, amount: Decimal) -> None:
        """Book an amount from one book to another; nothing is booked for zero."""
        if amount:
            self.post(at_ms, currency, reason, {source: -amount, target: amount})

    def balance(self, currency: str, book: Book) -> Decimal:
        """Return the balance of a book."""
        return self._balances.get((currency, book), Decimal(0))

    def wallet(self, currency: str) -> Wallet:
        """Return the wallet of a currency; empty if nothing was ever booked."""
        return Wallet(currency, self.balance(currency, "available"), self.balance(currency, "locked"))

    def total(self, currency: str) -> Decimal:
        """Return the sum over all books of a currency: always zero."""
        return sum((amount for (name, _), amount in self._balances.items() if name == currency), Decimal(0))
