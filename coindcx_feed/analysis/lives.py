"""The life of each open position: since when it is open, what funding moved, how long no stop protected it. A fold."""

import itertools
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from coindcx_feed.analysis.causes import FUNDED_MS, conversion, funded
from coindcx_feed.analysis.noted import Data, Noted
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import WIDE

MOST: Final = 10_000
"""Positions remembered: far more than there are pairs, against a feed that invents ids."""
FUNDINGS: Final = 2_000
"""Fundings remembered of one position: a year of every four hours."""
TIMES: Final = 6
"""Funding times remembered of each pair."""
RECENT: Final = 50
"""A ledger row is read so few fundings after its own, at most: those of a gap come together."""
_ZERO: Final = Decimal(0)


class Funding(NamedTuple):
    """One funding in the margin currency; received is positive. ``is_told``: by a ledger row, else by the margin."""

    at_ms: float
    amount: Decimal
    is_told: bool


class Life:
    """One position since it was last flat.

    Attributes:
        opened_ms: Exchange time at which it stopped being flat; where that was not seen, of its first known record;
            ``None`` while flat.
        is_whole: Whether its opening was seen.
        fundings: Since then, oldest first.
        bare_since_ms: Since when it is open without a stop; ``None`` while one is set, or flat.
    """

    def __init__(self, before: Data | None, opened_ms: float | None = None, opened_seq: int = 0) -> None:
        self.before = before
        self.opened_ms, self.opened_seq = opened_ms, opened_seq
        self.is_whole = before is not None
        self.fundings: list[Funding] = []
        self.bare_since_ms: float | None = None
        self._bare_ms = 0.0

    @property
    def funding(self) -> Decimal:
        """What all fundings brought, in the margin currency; negative is paid."""
        with localcontext(WIDE):
            return sum((funding.amount for funding in self.fundings), _ZERO)

    def bare_ms(self, now_ms: float) -> float:
        """Return how long this life has been without a stop altogether, ms."""
        lasts = 0.0 if self.bare_since_ms is None else max(0.0, now_ms - self.bare_since_ms)
        return self._bare_ms + lasts

    def take(self, event: Noted) -> None:
        """Read the next record of this life."""
        amount = None if self.before is None else funded(self.before, event.data)
        rate = conversion(event.data.settlement_currency_avg_price, event.currency or "")
        if amount and rate is not None:
            self.add(Funding(event.at_ms, WIDE.multiply(amount, rate), False))
        self.before = event.data
        self._note_stop(bool(event.data.stop_loss_trigger), event.at_ms)

    def add(self, funding: Funding) -> None:
        """Note a funding once: a ledger row replaces what the margin told of it."""
        if self.opened_ms is None or funding.at_ms < self.opened_ms:
            return
        recent = self.fundings[-RECENT:]
        near = [known for known in recent if abs(known.at_ms - funding.at_ms) <= FUNDED_MS]
        if not funding.is_told and any(known.is_told for known in near):
            return
        kept = [known for known in recent if known.is_told or known not in near] if funding.is_told else recent
        # Another list, not a changed one: a page may be adding up the former.
        self.fundings = [*self.fundings[-FUNDINGS:-RECENT], *kept, funding]

    def _note_stop(self, has_stop: bool, at_ms: float) -> None:
        if has_stop and self.bare_since_ms is not None:
            self._bare_ms += max(0.0, at_ms - self.bare_since_ms)
            self.bare_since_ms = None
        elif not has_stop and self.bare_since_ms is None:
            self.bare_since_ms = at_ms


class Lives:
    """All positions' lives and the funding times of each pair, from events in order of ``seq``."""

    def __init__(self) -> None:
        self._lives: dict[str, Life] = {}
        self._funded: dict[str, list[float]] = {}

    def take(self, event: Noted) -> None:
        """Read one event; only positions and ledger rows matter."""
        data = event.data
        if event.kind is EventType.POSITION and data.id:
            life = self._lives[data.id] = _next(self._lives.pop(data.id, None), event)
            if life.fundings and life.fundings[-1].at_ms == event.at_ms:
                self._note_time(data.pair or "", event.at_ms)
            if len(self._lives) > MOST:
                del self._lives[next(iter(self._lives))]
        elif event.kind is EventType.LEDGER and "fund" in (data.stage or "").lower():
            self._fund(event)

    def of(self, position_id: str) -> Life | None:
        return self._lives.get(position_id)

    def next_funding_ms(self, pair: str, now_ms: float) -> float | None:
        """Return when a pair is funded next; ``None`` before two fundings were seen.

        Their smallest distance counts: a funding is missed while nothing is held.
        """
        times = self._funded.get(pair, [])
        if len(times) < 2:
            return None
        every = min(later - before for before, later in itertools.pairwise(times))
        return times[-1] + every * max(1, -(-(now_ms - times[-1]) // every))

    def _fund(self, event: Noted) -> None:
        data = event.data
        life = self._lives.get(data.position_id or "")
        if life is not None:
            amount = WIDE.subtract(data.amount or _ZERO, data.fee_amount or _ZERO)
            life.add(Funding(event.at_ms, amount, True))
        self._note_time(data.pair or "", event.at_ms)

    def _note_time(self, pair: str, at_ms: float) -> None:
        # Rows of one funding may be booked seconds apart: contracts are funded on whole minutes.
        times, minute = self._funded.get(pair, []), at_ms // 60_000 * 60_000
        if not times or minute > times[-1]:
            self._funded[pair] = [*times[1 - TIMES :], minute]


def _next(life: Life | None, event: Noted) -> Life:
    data = event.data
    size = data.active_pos or _ZERO
    before = None if life is None else life.before
    if not size:
        return Life(data)
    size_before = (before.active_pos or _ZERO) if before else _ZERO
    if life is None or size * size_before <= 0:  # opened, or turned over
        life = Life(before, event.at_ms, event.seq)
        life.before = None  # what the margin was before belongs to another life
    life.take(event)
    return life
