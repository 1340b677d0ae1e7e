"""The simulated account: reserves margin, applies fills to position and books, keeps fills and ledger rows.

Knows no time of its own and no market: prices and times are given by the caller.
"""

import random
import uuid
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.ledger import Ledger, Wallet
from coindcx_feed.simulator.margin import fee as fee_of
from coindcx_feed.simulator.margin import order_margin, rounded
from coindcx_feed.simulator.orders import CURRENCIES, Currency, Order, Refusal, conversion_rate
from coindcx_feed.simulator.positions import Position

# Rows kept for the REST lists.
HISTORY_LIMIT: Final = 5_000

_ZERO: Final = Decimal(0)
_CURRENCY_IDS: Final[dict[Currency, str]] = {
    "USDT": "66bb24fe-5560-4209-a97a-f30d7c47c0e6",
    "INR": "f7b0cc61-882f-4ff4-aedb-ed103b18de70",
}


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. ``fee`` is USDT."""

    fill_id: str
    order: Order
    price: Decimal
    quantity: Decimal
    is_maker: bool
    fee: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of a position's transactions; ``profit`` and ``fee`` are in the margin currency."""

    fill_id: str
    order: Order
    position_id: str
    profit: Decimal
    fee: Decimal
    at_ms: int


class Account:
    """Wallets, positions and their history.

    The books are exact: what an order reserves, a fill pays and an exit earns are postings of :class:`Ledger`, and
    ``locked`` of a wallet always equals the margins of its positions and orders.
    """

    def __init__(self, rng: random.Random) -> None:
        self.ledger = Ledger()
        self.positions: dict[tuple[str, Currency], Position] = {}
        self.fills: deque[Fill] = deque(maxlen=HISTORY_LIMIT)
        self.rows: deque[LedgerRow] = deque(maxlen=HISTORY_LIMIT)
        self._rng = rng
        self._wallet_ids = {currency: self.new_id(1) for currency in CURRENCIES}

    def new_id(self, version: int = 4) -> str:
        """Return the next identifier; they repeat with the seed."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=version))

    def deposit(self, at_ms: int, currency: Currency, amount: Decimal) -> None:
        """Add money from outside; negative takes it out."""
        self.ledger.move(at_ms, currency, "by_universal_wallet", "deposits", "available", amount)

    def position(self, instrument: Instrument, currency: Currency, leverage: Decimal, at_ms: int) -> Position:
        """Return the position of a pair and currency, made flat if there was none."""
        key = (instrument.pair, currency)
        if key not in self.positions:
            self.positions[key] = Position(self.new_id(1), instrument, currency, leverage, at_ms)
        return self.positions[key]

    def reserve(self, order: Order, opening: Decimal) -> None:
        """Lock the margin of the part of an order that would open or enlarge a position.

        Raises:
            Refusal: If the wallet does not hold it.
        """
        if opening <= 0:
            return
        instrument, request = order.instrument, order.request
        margin = order_margin(order.price, opening, request.leverage, instrument.taker_fee)
        amount = margin * conversion_rate(request.currency)
        if amount > self.ledger.wallet(request.currency).available:
            raise Refusal(400, "Insufficient funds")
        self.ledger.move(order.created_ms, request.currency, "order margin", "available", "locked", amount)
        order.ideal_margin = order.locked_margin = margin
        order.reserved_quantity = opening

    def release(self, order: Order, at_ms: int) -> None:
        """Free what an ended order still has reserved."""
        amount = order.locked_margin * conversion_rate(order.request.currency)
        self.ledger.move(at_ms, order.request.currency, "order margin back", "locked", "available", amount)
        order.locked_margin = order.reserved_quantity = _ZERO

    def apply_fill(
        self, order: Order, price: Decimal, quantity: Decimal, is_maker: bool, traded_ms: int, booked_ms: int
    ) -> bool:
        """Apply one execution to order, position and books.

        A fill against the position closes first and opens with the rest.

        Args:
            order: An order with at least this quantity remaining.
            price: USDT.
            quantity: Base coins.
            is_maker: Whether the order rested in the book.
            traded_ms: Time of the trade, shown by the fill only.
            booked_ms: Time of all bookings, and of order and position.
        Returns:
            False, with nothing changed, if the wallet cannot carry what would be opened.
        """
        request, instrument = order.request, order.instrument
        at_ms = booked_ms
        position = self.position(instrument, request.currency, request.leverage, at_ms)
        against = position.active * order.sign < 0
        closing = min(quantity, abs(position.active)) if against else _ZERO
        percent = instrument.maker_fee if is_maker else instrument.taker_fee
        profit = _ZERO
        if quantity > closing and not self._top_up(order, price, quantity - closing, at_ms):
            return False
        if closing:
            profit = self._close(order, position, price, closing, percent, at_ms)
        if quantity > closing:
            self._open(order, position, price, quantity - closing, percent, at_ms)
        paid = fee_of(price, quantity, percent)
        order.apply_quantity(price, quantity, paid, at_ms)
        position.updated_ms = at_ms
        rate = conversion_rate(request.currency)
        self.fills.append(Fill(self.new_id(), order, price, quantity, is_maker, paid, traded_ms))
        self.rows.append(LedgerRow(self.new_id(1), order, position.id, profit * rate, paid * rate, at_ms))
        if order.is_terminal:
            self.release(order, at_ms)
        return True

    def _top_up(self, order: Order, price: Decimal, opening: Decimal, at_ms: int) -> bool:
        # The position shrank since the order was placed, so that more of it opens than was reserved for.
        missing = opening - order.reserved_quantity
        if missing <= 0:
            return True
        request = order.request
        margin = order_margin(price, missing, request.leverage, order.instrument.taker_fee)
        amount = margin * conversion_rate(request.currency)
        if amount > self.ledger.wallet(request.currency).available:
            return False
        self.ledger.move(at_ms, request.currency, "order margin", "available", "locked", amount)
        order.locked_margin += margin
        order.reserved_quantity += missing
        return True

    def _open(
        self, order: Order, position: Position, price: Decimal, quantity: Decimal, percent: Decimal, at_ms: int
    ) -> None:
        is_last = quantity == order.reserved_quantity
        part = order.locked_margin * quantity / order.reserved_quantity
        share = order.locked_margin if is_last else rounded(part)
        paid = fee_of(price, quantity, percent)
        order.locked_margin -= share
        order.reserved_quantity -= quantity
        position.apply_opening(order.sign, price, quantity, share, paid)
        position.leverage = order.request.leverage
        currency = order.request.currency
        self.ledger.move(at_ms, currency, "by_futures_order", "locked", "fees", paid * conversion_rate(currency))

    def _close(
        self, order: Order, position: Position, price: Decimal, quantity: Decimal, percent: Decimal, at_ms: int
    ) -> Decimal:
        profit, released = position.apply_closing(price, quantity)
        currency = order.request.currency
        rate = conversion_rate(currency)
        paid = fee_of(price, quantity, percent)
        free = self.ledger.wallet(currency).available + (released + profit - paid) * rate
        # A loss beyond margin and wallet is the insurance's: liquidation is not part of this exchange yet.
        insured = max(-free, _ZERO)
        self.ledger.post(
            at_ms,
            currency,
            "by_futures_order",
            {
                "locked": -released * rate,
                "market": -profit * rate,
                "fees": paid * rate,
                "insurance": -insured,
                "available": (released + profit - paid) * rate + insured,
            },
        )
        return profit

    def wallet(self, currency: Currency) -> Wallet:
        """Return the wallet of a currency."""
        return self.ledger.wallet(currency)

    def wallet_record(self, currency: Currency, text: Any) -> dict[str, Any]:
        """Return the fields of ``balance-update``.

        Args:
            currency: Which wallet.
            text: Function that writes an amount, which is text on the wire.
        """
        wallet = self.wallet(currency)
        return {
            "id": self._wallet_ids[currency],
            "balance": text(wallet.available),
            "locked_balance": text(wallet.locked),
            "currency_id": _CURRENCY_IDS[currency],
            "currency_short_name": currency,
        }
