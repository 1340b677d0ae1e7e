"""The wallets of an account: their identifiers, their records, and who pays when one is empty."""

import random
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.simulator.ledger import Book, Ledger, Wallet
from coindcx_feed.simulator.orders import CURRENCIES, Currency

_CURRENCY_IDS: Final[dict[Currency, str]] = {
    "USDT": "66bb24fe-5560-4209-a97a-f30d7c47c0e6",
    "INR": "f7b0cc61-882f-4ff4-aedb-ed103b18de70",
}


class Wallets:
    """Money in each currency. Wallets are nothing but two books of :attr:`ledger` each."""

    def __init__(self, rng: random.Random) -> None:
        self.ledger = Ledger()
        self._rng = rng
        self._ids = {currency: self.new_id(1) for currency in CURRENCIES}

    def new_id(self, version: int = 4) -> str:
        """Return the next identifier; they repeat with the seed."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=version))

    def deposit(self, at_ms: int, currency: Currency, amount: Decimal) -> None:
        """Add money from outside; negative takes it out."""
        self.ledger.move(at_ms, currency, "by_universal_wallet", "deposits", "available", amount)

    def pay(
        self, at_ms: int, currency: Currency, reason: str, postings: Mapping[Book, Decimal], *, is_capped: bool = False
    ) -> None:
        """Book postings against the free part of a wallet; what it does not hold is the insurance's.

        Args:
            at_ms: Time of the booking.
            currency: Which wallet.
            reason: What it is for.
            postings: Amounts added to the other books.
            is_capped: Nothing that was free before may be used.
        """
        change = -sum(postings.values(), Decimal(0))
        least = Decimal(0) if is_capped else -self.ledger.wallet(currency).available
        insured = max(least - change, Decimal(0))
        self.ledger.post(at_ms, currency, reason, {**postings, "insurance": -insured, "available": change + insured})

    def wallet(self, currency: Currency) -> Wallet:
        """Return the wallet of a currency."""
        return self.ledger.wallet(currency)

    def wallet_id(self, currency: Currency) -> str:
        """Return the identifier of a wallet."""
        return self._ids[currency]

    def wallet_record(
        self, currency: Currency, text: Callable[[Decimal], str], wallet: Wallet | None = None
    ) -> dict[str, Any]:
        """Return the fields of ``balance-update``.

        Args:
            currency: Which wallet.
            text: Writes an amount, which is text on the wire.
            wallet: A former state of it; ``None`` is the present one.
        """
        wallet = wallet or self.wallet(currency)
        return {
            "id": self.wallet_id(currency),
            "balance": text(wallet.available),
            "locked_balance": text(wallet.locked),
            "currency_id": _CURRENCY_IDS[currency],
            "currency_short_name": currency,
        }
