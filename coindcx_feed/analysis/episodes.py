"""An episode: one position from the first order to flat, step by step, each with the event that told of it. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from coindcx_feed.analysis.causes import Cause, Causes, funded
from coindcx_feed.analysis.noted import Data, Noted
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import WIDE

Floats = npt.NDArray[np.float64]

FILL_MS: Final = 5_000
"""Fills and ledger rows are stamped so much before and after the position that they move."""
_ZERO: Final = Decimal(0)


class Span(NamedTuple):
    """Where an episode lies among the events of its position; times are the exchange's, Unix ms.

    ``is_whole`` is false when its opening was not seen. ``closed_ms`` is ``None`` while it lasts.
    """

    first_seq: int
    last_seq: int
    opened_ms: float
    closed_ms: float | None
    side: str
    most: Decimal
    is_whole: bool


class Step(NamedTuple):
    """One thing that happened, with what was known of the position afterwards.

    ``fees``, ``funding`` and ``realised`` are sums of the episode, in the margin currency. ``what`` is *order*,
    *fill*, *size*, *margin*, *protection*, *funding* or *booked*; ``word`` says it more exactly. ``is_computed`` where
    the sums moved by what the steps of an order or of the margin tell, because no ledger row was read.
    """

    seq: int
    at_ms: float
    what: str
    word: str
    side: str | None
    price: Decimal | None
    quantity: Decimal | None
    size: Decimal
    average: Decimal | None
    margin: Decimal | None
    liquidation: Decimal | None
    fees: Decimal
    funding: Decimal
    realised: Decimal
    is_computed: bool = False


def spans(held: Sequence[Noted]) -> list[Span]:
    """Split the events of one position, in order, into its episodes, oldest first. One that turns over begins anew."""
    found: list[Span] = []
    size_before, is_known = _ZERO, False
    for event in held:
        size = event.data.active_pos or _ZERO
        current = found[-1] if found and found[-1].closed_ms is None else None
        if current is not None and size * size_before <= 0:
            found[-1] = current._replace(last_seq=event.seq, closed_ms=event.at_ms)
            current = None
        if size and current is None:
            side = "long" if size > 0 else "short"
            found.append(Span(event.seq, event.seq, event.at_ms, None, side, abs(size), is_known))
        elif current is not None:
            found[-1] = current._replace(last_seq=event.seq, most=max(current.most, abs(size)))
        size_before, is_known = size, True
    return found


def first_order(span: Span, orders: Iterable[Noted]) -> Noted | None:
    """Return the first record of the order that opened an episode: the one whose fill was told of at its opening.

    Args:
        orders: Of the pair and margin currency, in order of ``seq``.
    """
    side = "buy" if span.side == "long" else "sell"
    first: dict[str, Noted] = {}
    for event in orders:
        known = first.setdefault(event.data.id or "", event)
        if event.data.filled_quantity and event.data.side == side and abs(event.at_ms - span.opened_ms) <= FILL_MS:
            return known
    return None


def steps(span: Span, events: Iterable[Noted], start_ms: float) -> list[Step]:
    """Tell an episode step by step.

    Args:
        span: Which one.
        events: Orders, fills and ledger rows of the pair and margin currency, and the events of the position; those
            from before the episode say how far an order was.
        start_ms: When its first order came, exchange time.
    Returns:
        What changed something, in order of the exchange's time. Repeats of a status are left out.
    """
    end_ms = float("inf") if span.closed_ms is None else span.closed_ms + FILL_MS
    known = sorted(events, key=lambda event: event.seq)
    wanted = sorted((e for e in known if start_ms <= e.at_ms <= end_ms), key=lambda e: (e.at_ms, e.seq))
    told = _Told(_causes(known))
    with localcontext(WIDE):
        return [step for step in map(told.step, wanted) if step is not None]


def _causes(events: Sequence[Noted]) -> dict[int, Cause]:
    causes = Causes()
    for event in events:
        causes.take(event)
    currency = next((event.currency for event in events if event.currency), "")
    return {cause.seq: cause for cause in causes.of(currency or "")}


class _Told:
    # What is known while an episode is told, and the sums so far.
    def __init__(self, causes: dict[int, Cause]) -> None:
        self._causes = causes
        self._status: dict[str, str | None] = {}
        self._held: Data | None = None
        self._sums = {"fee": _ZERO, "funding": _ZERO, "realised": _ZERO}

    def step(self, event: Noted) -> Step | None:
        data, cause = event.data, self._causes.get(event.seq)
        for part in cause.parts if cause else ():
            if part.kind in self._sums:
                self._sums[part.kind] += part.amount
        match event.kind:
            case EventType.ORDER:
                before = self._status.get(data.id or "", "")
                self._status[data.id or ""] = data.status
                quantity = data.filled_quantity or data.total_quantity
                price = data.avg_price or data.price
                return None if data.status == before else self._made(event, "order", data.status, price, quantity)
            case EventType.FILL:
                return self._made(event, "fill", "fill", data.price, data.quantity)
            case EventType.LEDGER:
                return self._ledger(event)
            case EventType.POSITION:
                return self._position(event)
        return None

    def _ledger(self, event: Noted) -> Step:
        data, stage = event.data, event.data.stage or ""
        if "fund" in stage.lower():
            return self._made(event, "funding", "funding", None, data.amount)
        return self._made(event, "booked", f"booked {stage}", None, data.amount)

    def _position(self, event: Noted) -> Step | None:
        before, after = self._held, event.data
        self._held = after
        size, size_before = after.active_pos or _ZERO, (before.active_pos or _ZERO) if before else _ZERO
        if size != size_before:
            word = "flat" if not size else "opened" if not size_before else "larger"
            word = "smaller" if size and abs(size) < abs(size_before) else word
            return self._made(event, "size", word, None, size - size_before)
        if before is None or not size:
            return None
        legs = (before.stop_loss_trigger or None, before.take_profit_trigger or None)
        if legs != (after.stop_loss_trigger or None, after.take_profit_trigger or None):
            return self._made(event, "protection", _legs(after), after.stop_loss_trigger or None, None)
        if before.locked_margin != after.locked_margin:
            moved = (after.locked_margin or _ZERO) - (before.locked_margin or _ZERO)
            word = "margin, as a funding moves it" if funded(before, after) else "margin"
            return self._made(event, "margin", word, None, moved)
        return None

    def _made(self, event: Noted, what: str, word: str | None, price: Decimal | None, quantity: Decimal | None) -> Step:
        held, sums, cause = self._held or Data(), self._sums, self._causes.get(event.seq)
        return Step(
            event.seq,
            event.at_ms,
            what,
            word or what,
            event.data.side,
            price,
            quantity,
            held.active_pos or _ZERO,
            held.avg_price or None,
            held.locked_margin,
            held.liquidation_price or None,
            -sums["fee"],
            sums["funding"],
            sums["realised"],
            cause is not None and cause.source != "ledger",
        )


def _legs(data: Data) -> str:
    legs = (("stop", data.stop_loss_trigger), ("target", data.take_profit_trigger))
    return " and ".join(f"{name} set" if price else f"no {name}" for name, price in legs)


class Way(NamedTuple):
    """Largest gain and loss on the way, from marks of a second each: unrealised PnL and its time, Unix ms."""

    best: float | None
    best_ms: float | None
    worst: float | None
    worst_ms: float | None


def way(t_ms: Floats, pnl: Floats) -> Way:
    """Return the highest and the lowest computed PnL of an episode; nothing where no mark was known."""
    known = np.isfinite(pnl)
    if not known.any():
        return Way(None, None, None, None)
    times, values = t_ms[known], pnl[known]
    high, low = int(values.argmax()), int(values.argmin())
    return Way(float(values[high]), float(times[high]), float(values[low]), float(times[low]))
