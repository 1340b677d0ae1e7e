"""What happened after an event, from columns: counts, ends of orders, positions opened and closed, wallets, gaps."""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from coindcx_feed.analysis.part import Part
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import WIDE, parse_exact, written
from coindcx_feed.exchange.records import BalanceRecord
from coindcx_feed.feed.state import Entity

Rows = list[dict[str, Any]]

KINDS: Final = tuple(EventType)
ENDS: Final = {
    "filled": ("filled",),
    "cancelled": ("cancelled", "partially_cancelled"),
    "rejected": ("rejected",),
}
LIQUIDATION: Final = ("liquidation", "liquidate")
"""Stages of a ledger row: the documents write both words."""


class Kept(Protocol):
    """An event, in memory or stored."""

    @property
    def previous(self) -> int: ...

    @property
    def body(self) -> bytes: ...


class Told(NamedTuple):
    """What some events tell. ``unknown``: positions of which it is not known whether they were held before."""

    events: dict[str, int]
    ended: dict[str, int]
    opened: int
    closed: int
    unknown: int
    liquidations: int


class _Held:
    """Follows which positions are held; a position is named by the number of its key."""

    def __init__(self, was_held: Callable[[int], bool | None]) -> None:
        self._was_held = was_held
        self._now: dict[int, bool] = {}
        self.unknown: set[int] = set()
        self.opened = self.closed = 0

    def take(self, part: Part) -> None:
        moved = (part.kinds == KINDS.index(EventType.POSITION)) & part.counts
        for key in np.unique(part.keys[moved]).tolist():
            places = np.flatnonzero(moved & (part.keys == key))
            held = part.has_price[places]
            before = self._now[key] if key in self._now else self._was_held(int(part.seqs[places[0]]))
            if before is None:
                self.unknown.add(key)
            steps = np.diff(held.astype(np.int8), prepend=np.int8(held[0] if before is None else before))
            self.opened += int(np.count_nonzero(steps == 1))
            self.closed += int(np.count_nonzero(steps == -1))
            self._now[key] = bool(held[-1])


def tell(parts: Iterable[Part], was_held: Callable[[int], bool | None]) -> Told:
    """Look at some events, oldest first.

    Args:
        was_held: Says of a position's event whether the position was held before it, ``None`` when that is not known.
    """
    counts: Counter[str] = Counter()
    ended: dict[str, set[int]] = {name: set() for name in ENDS}
    positions, liquidations = _Held(was_held), 0
    for part in parts:
        for kind, number in enumerate(np.bincount(part.kinds, minlength=len(KINDS)).tolist()):
            counts[KINDS[kind].value] += number
        orders = (part.kinds == KINDS.index(EventType.ORDER)) & part.counts
        for name, words in ENDS.items():
            ended[name].update(np.unique(part.keys[orders & part.says(words)]).tolist())
        ledger = part.kinds == KINDS.index(EventType.LEDGER)
        liquidations += int(np.count_nonzero(ledger & part.says(LIQUIDATION)))
        positions.take(part)
    numbers = {name: len(keys) for name, keys in ended.items()}
    known = positions.opened, positions.closed, len(positions.unknown)
    return Told({kind: number for kind, number in counts.items() if number}, numbers, *known, liquidations)


def was_held(get: Callable[[int], Kept | None], seq: int) -> bool | None:
    """Say whether a position was held before one of its events; ``None`` when what came before is not kept."""
    event = get(seq)
    if event is None:
        return None
    if not event.previous:
        return False
    before = get(event.previous)
    return None if before is None else bool(Decimal(str(parse_exact(before.body)["data"].get("avg_price") or 0)))


def wallets(now: Iterable[Entity[BalanceRecord]], after: int, before: Callable[[str], Kept | None]) -> Rows:
    """List the wallets that an event after a number touched, with the change of their total.

    Args:
        before: Returns the newest event of a wallet up to that number.
    Returns:
        ``change`` is ``None`` where the wallet was not known before.
    """
    rows: Rows = []
    for entity in sorted(now, key=lambda item: item.record.currency_short_name):
        if entity.seq <= after:
            continue
        record, then = entity.record, before(entity.record.id)
        total = WIDE.add(record.balance, record.locked_balance)
        change = None if then is None else WIDE.subtract(total, _total(then))
        rows.append(
            {
                "currency": record.currency_short_name,
                "total": written(total),
                "change": None if change is None else written(change),
            }
        )
    return rows


def _total(event: Kept) -> Decimal:
    data = parse_exact(event.body)["data"]
    return WIDE.add(*(Decimal(str(data.get(name) or 0)) for name in ("balance", "locked_balance")))


def away(gaps: Rows, from_ms: float, now_ms: float) -> dict[str, Any]:
    """Add up the times away from the exchange after a time; those in which nobody wanted to watch are left out."""
    spans = [
        (max(gap["from_ms"], from_ms), now_ms if gap["to_ms"] is None else gap["to_ms"])
        for gap in gaps
        if not gap.get("is_on_demand")
    ]
    lengths = [end - begin for begin, end in spans if end > begin]
    return {"count": len(lengths), "away_s": sum(lengths) / 1000}
