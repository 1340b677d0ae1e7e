"""What moved a wallet's total: ledger rows, and, where they were not read, the steps of orders and positions.

Amounts are in the wallet's currency, signed as they change it. Nothing is guessed: what no record says is left out.
"""

from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from coindcx_feed.analysis.noted import Data, Noted
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import WIDE

KINDS: Final = ("realised", "fee", "funding", "transfer", "conversion", "other")
SAME_MS: Final = 5_000
"""A ledger row stands for the step of its order when their exchange times are so near (seen: 0.4 to 0.6 s)."""
FUNDED_MS: Final = 60_000
"""A ledger row of a funding stands for a move of the margin so near to it."""
TRADES: Final = frozenset({"default", "exit", "tpsl_exit", "liquidation", "liquidate"})

_WORDS: Final = (("fund", "funding"), ("transfer", "transfer"), ("deposit", "transfer"), ("withdraw", "transfer"),
                 ("universal_wallet", "transfer"), ("conver", "conversion"))  # fmt: skip
_ZERO: Final = Decimal(0)


class Part(NamedTuple):
    """One of ``KINDS`` with its signed amount."""

    kind: str
    amount: Decimal


class Cause(NamedTuple):
    """One thing that moved a wallet.

    ``source`` is *ledger*, or *order* or *position* where its amounts follow from their steps. ``reference`` is the id
    of the order, or of the position for a funding. ``fees`` is what the order has cost so far.
    """

    at_ms: float
    seq: int
    parts: tuple[Part, ...]
    pair: str | None
    reference: str | None
    source: str
    fees: Decimal = _ZERO

    @property
    def amount(self) -> Decimal:
        with localcontext(WIDE):
            return sum((part.amount for part in self.parts), _ZERO)


class _Held(NamedTuple):
    # A position as order steps leave it, until its own next record says so.
    size: Decimal
    average: Decimal
    at_ms: float

    def after(self, signed: Decimal, price: Decimal, at_ms: float) -> "_Held":
        size = self.size + signed
        if self.size * signed >= 0:
            worth = self.average * abs(self.size) + price * abs(signed)
            return _Held(size, worth / abs(size) if size else _ZERO, at_ms)
        return _Held(size, self.average if size * self.size > 0 else price, at_ms)


class Causes:
    """Collects causes by currency from events in order of ``seq``."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Cause]] = {}
        self._steps: dict[str, list[Cause]] = {}
        self._orders: dict[str, Data] = {}
        self._positions: dict[tuple[str | None, str], Data] = {}
        self._held: dict[tuple[str | None, str], _Held] = {}

    def take(self, event: Noted) -> None:
        """Read one event; balances say nothing about why."""
        currency = event.currency
        if currency is None:
            return
        with localcontext(WIDE):
            if event.kind is EventType.LEDGER:
                self._rows.setdefault(currency, []).append(_of_ledger(event))
            elif event.kind is EventType.ORDER:
                self._take_order(event, currency)
            elif event.kind is EventType.POSITION:
                self._take_position(event, currency)

    def of(self, currency: str) -> list[Cause]:
        """Return the causes of a currency by time; ledger rows replace the steps they stand for."""
        rows = self._rows.get(currency, [])
        times: dict[str | None, list[float]] = {}
        fees: dict[str | None, Decimal] = {}
        for row in rows:
            times.setdefault(row.reference, []).append(row.at_ms)
            fees[row.reference] = fees.get(row.reference, _ZERO) + row.fees
        kept = [step for step in self._steps.get(currency, []) if not _is_told(step, times, fees)]
        return sorted([*rows, *kept], key=lambda cause: (cause.at_ms, cause.seq))

    def newest(self, currency: str) -> int:
        """Return the ``seq`` of the newest cause of a currency, 0 without one: what it stands for may explain more."""
        return max(rows[-1].seq if (rows := kept.get(currency)) else 0 for kept in (self._rows, self._steps))

    def forget_before(self, currency: str, at_ms: float) -> None:
        """Drop what is older: changes before it are no longer explained."""
        for kept in (self._rows, self._steps):
            if currency in kept:
                kept[currency] = [cause for cause in kept[currency] if cause.at_ms >= at_ms]

    def _take_order(self, event: Noted, currency: str) -> None:
        data, order_id = event.data, event.data.id or ""
        before = self._orders.pop(order_id, None)
        self._orders[order_id] = data
        if len(self._orders) > 20_000:
            del self._orders[next(iter(self._orders))]
        if before is None and not event.is_first:
            return  # how far it was before is unknown
        step = self._order_step(event, before, currency)
        if step is not None:
            self._steps.setdefault(currency, []).append(step)

    def _order_step(self, event: Noted, before: Data | None, currency: str) -> Cause | None:
        data, rate = event.data, conversion(event.data.settlement_currency_conversion_price, currency)
        filled, paid = data.filled_quantity or _ZERO, data.fee_amount or _ZERO
        filled_before = (before.filled_quantity or _ZERO) if before else _ZERO
        paid_before = (before.fee_amount or _ZERO) if before else _ZERO
        quantity = filled - filled_before
        if quantity <= 0 or rate is None:
            return None
        parts = [Part("fee", -(paid - paid_before) * rate)]
        if data.avg_price:
            worth_before = ((before.avg_price or _ZERO) if before else _ZERO) * filled_before
            price = (data.avg_price * filled - worth_before) / quantity
            profit = self._realised(event, quantity, price, currency)
            if profit:
                parts.insert(0, Part("realised", profit * rate))
        return Cause(event.at_ms, event.seq, tuple(parts), data.pair, data.id, "order", paid * rate)

    def _realised(self, event: Noted, quantity: Decimal, price: Decimal, currency: str) -> Decimal:
        key = (event.data.pair, currency)
        held = self._held.get(key)
        if held is None:
            return _ZERO
        signed = quantity if event.data.side == "buy" else -quantity
        # The next order may fill before the position itself is told of.
        self._held[key] = held.after(signed, price, event.at_ms)
        if held.size * signed >= 0:
            return _ZERO
        return (price - held.average) * min(quantity, abs(held.size)) * (1 if held.size > 0 else -1)

    def _take_position(self, event: Noted, currency: str) -> None:
        data = event.data
        key = (data.pair, currency)
        before, self._positions[key] = self._positions.get(key), data
        held = self._held.get(key)
        if held is None or event.at_ms >= held.at_ms:
            self._held[key] = _Held(data.active_pos or _ZERO, data.avg_price or _ZERO, event.at_ms)
        amount = None if before is None else funded(before, data)
        rate = conversion(data.settlement_currency_avg_price, currency)
        if amount and rate is not None:
            parts = (Part("funding", amount * rate),)
            step = Cause(event.at_ms, event.seq, parts, data.pair, data.id, "position")
            self._steps.setdefault(currency, []).append(step)


def funded(before: Data, after: Data) -> Decimal | None:
    """Return what a funding moved the margin of an isolated position by, USDT; ``None`` where another thing moved it.

    The margin is what was put in, after fees and funding: while size, average and the money put in stay, only a funding
    moves it.
    """
    same = (before.active_pos, before.avg_price, before.locked_user_margin)
    if same != (after.active_pos, after.avg_price, after.locked_user_margin) or "crossed" in (
        before.margin_type,
        after.margin_type,
    ):
        return None
    if not after.active_pos or None in (before.locked_margin, after.locked_margin, after.locked_user_margin):
        return None
    return WIDE.subtract(after.locked_margin or _ZERO, before.locked_margin or _ZERO)


def conversion(rate: Decimal | None, currency: str) -> Decimal | None:
    """Return units of a margin currency per USDT as the record says, 1 for USDT, else ``None``."""
    if currency == "USDT":
        return Decimal(1)
    return rate if rate else None


def _of_ledger(event: Noted) -> Cause:
    data, stage = event.data, (event.data.stage or "").lower()
    amount, paid = data.amount or _ZERO, data.fee_amount or _ZERO
    kind = "realised" if stage in TRADES else next((kind for word, kind in _WORDS if word in stage), "other")
    parts = [Part(kind, amount)] if amount or not paid else []
    if paid:
        parts.append(Part("fee", -paid))
    reference = data.position_id if kind == "funding" else data.parent_id
    return Cause(event.at_ms, event.seq, tuple(parts), data.pair, reference, "ledger", paid)


def _is_told(step: Cause, times: dict[str | None, list[float]], fees: dict[str | None, Decimal]) -> bool:
    told = times.get(step.reference, ())
    if step.source == "position":
        return any(abs(at_ms - step.at_ms) <= FUNDED_MS for at_ms in told)
    is_covered = bool(step.fees) and fees.get(step.reference, _ZERO) >= step.fees
    return is_covered or any(abs(at_ms - step.at_ms) <= SAME_MS for at_ms in told)
