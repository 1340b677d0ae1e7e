"""Where a wallet's money went: each change of its total as the sum of its causes and a residue nobody can prove.

The parts and the residue always add up to the change, exactly. What is not proven is *unexplained*; its running total
says whether something is missing, or only came in another order.
"""

import itertools
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from coindcx_feed.analysis.causes import Cause
from coindcx_feed.analysis.noted import Noted
from coindcx_feed.exchange.numbers import WIDE

EXACT: Final = Decimal("1E-6")
"""Residues up to this count as none: amounts that follow from rounded averages miss the last digits."""
SLACK_MS: Final = 10_000
"""The exchange's clock may be so far ahead of ours, when the amounts fit."""
TOGETHER: Final = 60
"""At most so many causes are tried for one change."""
_ZERO: Final = Decimal(0)


class Step(NamedTuple):
    """A wallet after one balance event."""

    seq: int
    received_ms: float
    available: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        return WIDE.add(self.available, self.locked)


class Explained(NamedTuple):
    """One change of a wallet.

    ``change`` is that of the total; ``moved`` is what went from available to locked, which leaves the total alone.
    ``parts`` are signed amounts by kind; with ``residue`` they add up to ``change``. ``unexplained`` is the sum of all
    residues so far.
    """

    step: Step
    change: Decimal
    moved: Decimal
    parts: dict[str, Decimal]
    causes: tuple[Cause, ...]
    residue: Decimal
    unexplained: Decimal

    @property
    def is_whole(self) -> bool:
        """Whether nothing worth naming is unexplained."""
        return abs(self.residue) <= EXACT


def step_of(event: Noted) -> Step | None:
    """Read a balance event, ``None`` without both amounts."""
    available, locked = event.data.balance, event.data.locked_balance
    if available is None or locked is None:
        return None
    return Step(event.seq, event.received_ms, available, locked)


def explain(steps: Sequence[Step], causes: Sequence[Cause]) -> list[Explained]:
    """Explain each step of a wallet but the first, which has nothing to differ from.

    Causes are taken in order of time, each once. Those whose sum is the change belong to it; where no such row fits,
    those that happened until the balance arrived do, and the rest of the change is its residue.

    Args:
        steps: Of one wallet, in order of ``seq``.
        causes: Of its currency, in order of time.
    Units: the wallet's currency, exact.
    """
    if not steps:
        return []
    found, running = [], _ZERO
    first = next((index for index, cause in enumerate(causes) if cause.at_ms > steps[0].received_ms), len(causes))
    with localcontext(WIDE):
        for before, step in itertools.pairwise(steps):
            change = step.total - before.total
            count = _fitting(change, causes, first, step.received_ms)
            taken = tuple(causes[first : first + count])
            first += count
            parts = _added(taken)
            residue = change - sum(parts.values(), _ZERO)
            running += residue
            moved = step.locked - before.locked
            found.append(Explained(step, change, moved, parts, taken, residue, running))
    return found


def _fitting(change: Decimal, causes: Sequence[Cause], first: int, received_ms: float) -> int:
    """Return how many of the next causes belong to a change."""
    total, by_time = _ZERO, 0
    if abs(change) <= EXACT:
        return _without_effect(causes, first, received_ms)
    for count, cause in enumerate(causes[first : first + TOGETHER], start=1):
        if cause.at_ms > received_ms + SLACK_MS:
            break
        total += cause.amount
        if abs(total - change) <= EXACT:
            return count
        if cause.at_ms <= received_ms:
            by_time = count
    return by_time


def _without_effect(causes: Sequence[Cause], first: int, received_ms: float) -> int:
    # Nothing moved: what happened meanwhile is told by a later balance, which may trail by seconds.
    count = 0
    for cause in causes[first : first + TOGETHER]:
        if cause.at_ms > received_ms or cause.amount:
            break
        count += 1
    return count


def _added(causes: Sequence[Cause]) -> dict[str, Decimal]:
    parts: dict[str, Decimal] = {}
    for cause in causes:
        for part in cause.parts:
            parts[part.kind] = parts.get(part.kind, _ZERO) + part.amount
    return parts
