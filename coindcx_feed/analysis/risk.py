"""How far a position is from its liquidation, and what stands between. Pure; unknown stays unknown, with its reason."""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from coindcx_feed.exchange.numbers import WIDE

Floats = npt.NDArray[np.float64]

SPANS: Final = ((60.0, 3_600.0, 15), (5.0, 900.0, 30))
"""Seconds between two marks, seconds looked back, returns needed at least: minutes of an hour, else 5 s of 15 min."""
LOOK_BACK_S: Final = SPANS[0][1]
_ZERO: Final = Decimal(0)


class Figure(NamedTuple):
    """A computed number, or ``None`` with the reason why it is unknown.

    ``basis`` says in words what a known one was computed from.
    """

    value: float | None
    reason: str | None = None
    basis: str | None = None


class Held(NamedTuple):
    """A position as far as its risk needs it: USDT, signed base coins."""

    size: Decimal
    average: Decimal | None
    margin: Decimal | None
    maintenance: Decimal | None
    liquidation: Decimal | None
    mark: Decimal | None
    is_crossed: bool

    @property
    def profit(self) -> Decimal | None:
        if self.mark is None or self.average is None:
            return None
        with localcontext(WIDE):
            return self.size * (self.mark - self.average)


def margin_ratio(held: Held) -> Figure:
    """Return maintenance margin ÷ (locked margin + unrealised PnL) of an isolated position; 1 is its liquidation.

    The maintenance margin is the one of the position's last update.
    """
    if held.is_crossed:
        return Figure(None, "crossed: the whole wallet stands for it")
    profit = held.profit
    if profit is None:
        return Figure(None, "no fresh mark")
    if held.margin is None or held.maintenance is None:
        return Figure(None, "the exchange did not send its margins")
    return _ratio(held.maintenance, held.margin + profit)


def crossed_ratio(crossed: Sequence[Held], available: Decimal | None) -> Figure:
    """Return the shared ratio of all crossed positions: their maintenance ÷ (available balance + their PnL).

    Args:
        crossed: All that lean on the same wallet.
        available: Of that wallet: what no isolated position or order holds.
    Source: exchange docs, "Get Cross Margin Details", whose sample it reproduces.
    """
    if available is None:
        return Figure(None, "its wallet was not seen yet")
    shared = crossed_margin(crossed, available)
    if shared is None:
        return Figure(None, "a crossed position has no fresh mark or no maintenance margin")
    found = _ratio(*shared)
    return found._replace(basis=f"shared by {len(crossed)} crossed") if len(crossed) > 1 else found


def crossed_margin(crossed: Sequence[Held], available: Decimal) -> tuple[Decimal, Decimal] | None:
    """Return what crossed positions need together and what stands for them; ``None`` when one lacks a figure."""
    needed, equity = _ZERO, available
    for held in crossed:
        profit = held.profit
        if profit is None or held.maintenance is None:
            return None
        needed, equity = needed + held.maintenance, equity + profit
    return needed, equity


def _ratio(needed: Decimal, equity: Decimal) -> Figure:
    return Figure(float(needed / equity)) if equity > 0 else Figure(None, "its margin is used up")


def distance(held: Held, price: Decimal | None) -> float | None:
    """Return how far the mark is from a price, as a share of the mark."""
    return float(abs(held.mark - price) / held.mark) if held.mark and price else None


def day_ranges(held: Held, high: float | None, low: float | None) -> Figure:
    """Return |mark − liquidation| ÷ (high − low) of the last day: how many such days lie between."""
    away, missing = _away(held)
    if away is None:
        return Figure(None, missing)
    if high is None or low is None:
        return Figure(None, "the day's range is not known")
    if high <= low:
        return Figure(None, "the price did not move in a day")
    return Figure(abs(away[0] - away[1]) / (high - low), basis=f"range {low:,.8g} to {high:,.8g}")


def volatility(t_ms: Floats, mark: Floats) -> Figure:
    """Return the standard deviation of the log return of one second, from marks of a second each.

    One mark a minute over the last hour; with fewer than 15 such returns one every 5 s over its last quarter:
    σ = √(mean(ln(mₖ/mₖ₋₁)²) ÷ step). Steps without a fresh mark at both ends do not count.
    """
    for step_s, reach_s, least in SPANS:
        returns = _returns(t_ms, mark, step_s, reach_s)
        if len(returns) >= least:
            every = f"{len(returns)} steps of {step_s:g} s"
            return Figure(math.sqrt(float(np.mean(returns**2)) / step_s), basis=every)
    return Figure(None, f"needs {SPANS[1][2] * SPANS[1][0] / 60:g} minutes of marks")


def _returns(t_ms: Floats, mark: Floats, step_s: float, reach_s: float) -> Floats:
    known = np.isfinite(mark) & (mark > 0)
    if not known.any():
        return np.empty(0)
    times, marks = t_ms[known] / 1000.0, mark[known]
    wanted = np.arange(times[-1] - reach_s, times[-1] + 1e-6, step_s)
    at = np.searchsorted(times, wanted, side="right") - 1
    # A mark older than a tenth of a step, and at least 2 s, is not one of that moment.
    is_there = (at >= 0) & (wanted - times[np.maximum(at, 0)] <= max(2.0, step_s / 10))
    logs = np.where(is_there, np.log(marks[np.maximum(at, 0)]), np.nan)
    steps = np.diff(logs)
    return np.asarray(steps[np.isfinite(steps)])


def time_to_liquidation(held: Held, sigma: Figure) -> Figure:
    """Return after how many seconds a move of one standard deviation reaches the liquidation: (|ln(liq ÷ mark)| ÷ σ)².

    A measure of nearness, no forecast: prices that drift or jump arrive sooner.

    Args:
        sigma: Of one second, from :func:`volatility`.
    Units: seconds.
    """
    away, missing = _away(held)
    if away is None or sigma.value is None:
        return Figure(None, missing or sigma.reason)
    if not sigma.value:
        return Figure(None, "the mark did not move")
    mark, liquidation = away
    return Figure((math.log(liquidation / mark) / sigma.value) ** 2, basis=sigma.basis)


def _away(held: Held) -> tuple[tuple[float, float] | None, str | None]:
    # Mark and liquidation price, or why one of them is not known.
    if held.is_crossed:
        return None, "crossed: the whole wallet stands for it"
    if not held.mark:
        return None, "no fresh mark"
    if not held.liquidation:
        return None, "the exchange sent no liquidation price"
    return (float(held.mark), float(held.liquidation)), None


class Exposure(NamedTuple):
    """Sizes at mark, without leverage, in the quote currency; ``unknown`` counts positions without a mark."""

    long: Decimal
    short: Decimal
    unknown: int

    @property
    def total(self) -> Decimal:
        return self.long + self.short

    @property
    def net(self) -> Decimal:
        return self.long - self.short


def exposure(positions: Iterable[Held]) -> Exposure:
    """Add up |size| × mark of long and short positions."""
    long, short, unknown = _ZERO, _ZERO, 0
    with localcontext(WIDE):
        for held in positions:
            if held.mark is None:
                unknown += 1
            elif held.size > 0:
                long += held.size * held.mark
            else:
                short -= held.size * held.mark
    return Exposure(long, short, unknown)
