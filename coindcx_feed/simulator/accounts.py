"""The simulated account: reserves margin, applies fills and funding to position and books, keeps their rows.

Knows no time of its own: times are given by the caller, marks by the function it was made with.
"""

import random
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.ledger import Book, Wallet
from coindcx_feed.simulator.margin import fee as fee_of
from coindcx_feed.simulator.margin import order_margin, rounded
from coindcx_feed.simulator.orders import Currency, MarginType, Order, Refusal, conversion_rate
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.statements import Fill, LedgerRow, LedgerStage, ledger_stage
from coindcx_feed.simulator.wallets import Wallets

# Rows kept for the REST lists.
HISTORY_LIMIT: Final = 5_000

_ZERO: Final = Decimal(0)


class Purse(NamedTuple):
    """A wallet and the margins that crossed orders and positions use of its free part."""

    wallet: Wallet
    order_margin: Decimal
    user_margin: Decimal


class Account(Wallets):
    """Wallets, positions and their history.

    The books are exact: what an order reserves, a fill pays and an exit earns are postings of :class:`Ledger`, and
    ``locked`` of a wallet always equals the margins of its isolated positions and orders. Crossed ones lock nothing:
    their margins only lower what further orders may use.

    Attributes:
        crossed_order_margin: USDT that crossed orders have reserved.
    """

    def __init__(self, rng: random.Random, mark: Callable[[str], Decimal] | None = None) -> None:
        """Begin without money.

        Args:
            rng: Source of identifiers.
            mark: Present mark of a pair, USDT; needed as soon as there are crossed positions.
        """
        super().__init__(rng)
        self.positions: dict[tuple[str, Currency], Position] = {}
        self.fills: deque[Fill] = deque(maxlen=HISTORY_LIMIT)
        self.rows: deque[LedgerRow] = deque(maxlen=HISTORY_LIMIT)
        self.crossed_order_margin = _ZERO
        self._mark = mark

    def position(self, instrument: Instrument, currency: Currency, leverage: Decimal, at_ms: int) -> Position:
        """Return the position of a pair and currency, made flat if there was none."""
        key = (instrument.pair, currency)
        if key not in self.positions:
            self.positions[key] = Position(self.new_id(1), instrument, currency, leverage, at_ms)
        return self.positions[key]

    def crossed_positions(self) -> list[Position]:
        """Return the open positions that share the USDT wallet."""
        return [position for position in self.positions.values() if position.is_crossed and position.active]

    def crossed_profit(self) -> Decimal:
        """Return the unrealised profit of all crossed positions at their marks, USDT."""
        rows = self.crossed_positions()
        return sum((row.active * (self.mark(row.pair) - row.avg_price) for row in rows), _ZERO)

    def mark(self, pair: str) -> Decimal:
        """Return the present mark of a pair, USDT.

        Raises:
            LookupError: If the account was made without marks.
        """
        if self._mark is None:
            raise LookupError(f"expected an account made with marks for crossed {pair}, was one without")
        return self._mark(pair)

    def free(self, currency: Currency, margin_type: MarginType = "isolated") -> Decimal:
        """Return what an order may use of a wallet, in its own units.

        Unrealised losses of crossed positions count at once, their profits for crossed orders only.
        """
        available = self.ledger.wallet(currency).available
        if currency != "USDT" or not (self.crossed_order_margin or self.crossed_positions()):
            return available
        profit = self.crossed_profit()
        purse = self.purse(currency)
        counted = profit if margin_type == "crossed" else min(profit, _ZERO)
        return available - purse.user_margin - purse.order_margin + counted

    def reserve(self, order: Order, opening: Decimal) -> None:
        """Take the margin of the part of an order that would open or enlarge a position.

        Raises:
            Refusal: If the wallet does not hold it.
        """
        if opening <= 0:
            return
        margin = order_margin(order.price, opening, order.request.leverage, order.instrument.taker_fee)
        if not self._can_hold(order, margin):
            raise Refusal(400, "Insufficient funds")
        self._hold(order, margin, order.created_ms)
        order.ideal_margin = margin
        order.reserved_quantity = opening

    def release(self, order: Order, at_ms: int) -> None:
        """Free what an ended order still has reserved."""
        self._hold(order, -order.locked_margin, at_ms)
        order.reserved_quantity = _ZERO

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
        position = self.position(order.instrument, order.request.currency, order.request.leverage, booked_ms)
        against = position.active * order.sign < 0
        closing = min(quantity, abs(position.active)) if against else _ZERO
        percent = _percent(order, is_maker)
        profit = _ZERO
        if quantity > closing and not self._top_up(order, price, quantity - closing, booked_ms):
            return False
        if closing:
            profit = self._close(order, position, price, closing, percent, booked_ms)
        if quantity > closing:
            self._open(order, position, price, quantity - closing, percent, booked_ms)
        paid = fee_of(price, quantity, percent)
        order.apply_quantity(price, quantity, paid, booked_ms)
        position.updated_ms = booked_ms
        self.fills.append(Fill(self.new_id(), order, price, quantity, is_maker, paid, traded_ms, booked_ms))
        self._note_order(order, position, profit, paid, booked_ms)
        if order.is_terminal:
            self.release(order, booked_ms)
        return True

    def fund(self, position: Position, mark: Decimal, rate: Decimal, at_ms: int) -> None:
        """Settle one funding: longs pay a positive rate, shorts receive it.

        An isolated position pays from its own margin and no more than that.

        Args:
            position: An open one.
            mark: USDT.
            rate: Fraction of the value.
            at_ms: Time of the booking.
        """
        amount = rounded(-position.active * mark * rate)
        conversion = conversion_rate(position.currency)
        if position.is_crossed:
            self.pay(at_ms, position.currency, "by_futures_funding", {"funding": -amount * conversion})
        else:
            amount = max(amount, -position.locked_margin)
            position.locked_margin += amount
            booked = amount * conversion
            self.ledger.move(at_ms, position.currency, "by_futures_funding", "funding", "locked", booked)
        position.funding += amount
        position.updated_ms = at_ms
        parent = ("Derivatives::Futures::Funding", self.new_id())
        self._note(position, "funding", parent, amount * conversion, _ZERO, at_ms)

    def change_margin(self, position: Position, amount: Decimal, at_ms: int) -> None:
        """Add own money to an isolated position, or take it out if negative.

        Args:
            position: An open one.
            amount: USDT, on INR margin too.
            at_ms: Time of the booking.
        Raises:
            Refusal: If the wallet or the position does not hold it.
        """
        booked = amount * conversion_rate(position.currency)
        if booked > self.free(position.currency):
            raise Refusal(400, "Insufficient funds")
        if -amount >= position.locked_margin:
            raise Refusal(422, "Cannot remove margin more than available in position")
        self.ledger.move(at_ms, position.currency, "position margin", "available", "locked", booked)
        position.locked_margin += amount
        position.user_margin = max(position.user_margin + amount, _ZERO)
        position.updated_ms = at_ms

    def _can_hold(self, order: Order, margin: Decimal) -> bool:
        request = order.request
        return margin * conversion_rate(request.currency) <= self.free(request.currency, request.margin_type)

    def _hold(self, order: Order, margin: Decimal, at_ms: int) -> None:
        # A negative margin is given back.
        request = order.request
        order.locked_margin += margin
        if request.margin_type == "crossed":
            self.crossed_order_margin += margin
        else:
            amount = margin * conversion_rate(request.currency)
            self.ledger.move(at_ms, request.currency, "order margin", "available", "locked", amount)

    def _top_up(self, order: Order, price: Decimal, opening: Decimal, at_ms: int) -> bool:
        # The position shrank since the order was placed, so that more of it opens than was reserved for.
        missing = opening - order.reserved_quantity
        if missing <= 0:
            return True
        margin = order_margin(price, missing, order.request.leverage, order.instrument.taker_fee)
        if not self._can_hold(order, margin):
            return False
        self._hold(order, margin, at_ms)
        order.reserved_quantity += missing
        return True

    def _open(
        self, order: Order, position: Position, price: Decimal, quantity: Decimal, percent: Decimal, at_ms: int
    ) -> None:
        if not position.active:
            position.margin_type = order.request.margin_type
        is_last = quantity == order.reserved_quantity
        share = order.locked_margin if is_last else rounded(order.locked_margin * quantity / order.reserved_quantity)
        order.locked_margin -= share
        order.reserved_quantity -= quantity
        position.leverage = order.request.leverage
        currency = order.request.currency
        paid = fee_of(price, quantity, percent)
        booked = paid * conversion_rate(currency)
        if position.is_crossed:
            self.crossed_order_margin -= share
            position.apply_opening(order.sign, price, quantity, share, _ZERO)
            self.pay(at_ms, currency, "by_futures_order", {"fees": booked})
        else:
            position.apply_opening(order.sign, price, quantity, share, paid)
            self.ledger.move(at_ms, currency, "by_futures_order", "locked", "fees", booked)

    def _close(
        self, order: Order, position: Position, price: Decimal, quantity: Decimal, percent: Decimal, at_ms: int
    ) -> Decimal:
        profit, released = position.apply_closing(price, quantity)
        currency = order.request.currency
        rate = conversion_rate(currency)
        freed = _ZERO if position.is_crossed else released
        paid = fee_of(price, quantity, percent)
        postings: dict[Book, Decimal] = {"locked": -freed * rate, "market": -profit * rate, "fees": paid * rate}
        # What a liquidated isolated position cannot pay itself is never taken from the wallet.
        is_capped = order.request.stage == "liquidate" and not position.is_crossed
        self.pay(at_ms, currency, "by_futures_order", postings, is_capped=is_capped)
        return profit

    def _note_order(self, order: Order, position: Position, profit: Decimal, paid: Decimal, at_ms: int) -> None:
        rate = conversion_rate(position.currency)
        parent = ("Derivatives::Futures::Order", order.id)
        self._note(position, ledger_stage(order), parent, profit * rate, paid * rate, at_ms)

    def _note(
        self, position: Position, stage: LedgerStage, parent: tuple[str, str], profit: Decimal, fee: Decimal, at_ms: int
    ) -> None:
        row = LedgerRow(
            self.new_id(1), stage, position.pair, position.currency, *parent, position.id, profit, fee, at_ms
        )
        self.rows.append(row)

    def purse(self, currency: Currency) -> Purse:
        """Return a wallet with the crossed margins that lean on it."""
        wallet = self.ledger.wallet(currency)
        if currency != "USDT":
            return Purse(wallet, _ZERO, _ZERO)
        used = sum((position.user_margin for position in self.crossed_positions()), _ZERO)
        return Purse(wallet, self.crossed_order_margin, used)


def _percent(order: Order, is_maker: bool) -> Decimal:
    # The documents name a liquidation fee beside the taker's and do not say how the two meet: they are added here.
    instrument = order.instrument
    extra = instrument.liquidation_fee if order.request.stage == "liquidate" else _ZERO
    return extra + (instrument.maker_fee if is_maker else instrument.taker_fee)
