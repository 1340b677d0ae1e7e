"""Episodes of a position as plain data: the choice of them, and one with its steps, lines and sums."""

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

import numpy as np

from coindcx_feed.analysis import episodes
from coindcx_feed.analysis.episodes import Span, Step
from coindcx_feed.analysis.noted import Noted, noted
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import WIDE, plain
from coindcx_feed.feed.columns import Columns, Mask
from coindcx_feed.feed.ring import Ring, Stored
from coindcx_feed.views import series
from coindcx_feed.views.rows import of_id
from coindcx_feed.views.series import MarkSeries

Rows = list[dict[str, Any]]
Beside = Callable[[str, int], Sequence[Stored]]
"""Orders, fills and ledger rows of a pair, oldest first, up to some events after a number."""

SPANS: Final = 30
"""Episodes offered, newest first."""
STEPS: Final = 1_000
"""Steps listed; of a longer episode the newest."""
BESIDE: Final = (EventType.ORDER, EventType.FILL, EventType.LEDGER)
HELD: Final = 2_000
"""Updates of one position that its episodes are found in."""
AROUND: Final = 2_000
"""Orders, fills and ledger rows of its pair, the newest until it ended."""
AFTER: Final = 500
"""Fills and ledger rows are read so many events after what they belong to, at most."""


def beside_in(ring: Ring) -> Beside:
    """Return who finds the events of a pair in the ring."""

    def find(pair: str, upto: int) -> Sequence[Stored]:
        def test(columns: Columns, rows: slice) -> Mask:
            return columns.mask_of_pairs(rows, (pair,)) & columns.mask_of_types(rows, BESIDE)

        return ring.select(test, limit=AROUND, upto=upto + AFTER).events[::-1]

    return find


def held_in(ring: Ring, position_id: str) -> Sequence[Stored]:
    """Return the newest kept events of a position, oldest first."""
    return of_id(ring, EventType.POSITION, position_id, HELD)


def newest_in(ring: Ring, pair: str) -> int:
    """Return the number of the newest event of a pair that an episode could tell of, 0 without one."""

    def test(columns: Columns, rows: slice) -> Mask:
        return columns.mask_of_pairs(rows, (pair,)) & columns.mask_of_types(rows, (*BESIDE, EventType.POSITION))

    found = ring.select(test, limit=1).events
    return found[0].seq if found else 0


class Story(NamedTuple):
    """One episode without its lines, which move with every mark.

    ``held`` are the position's events that lines are drawn from, one from before it included.
    """

    span: Span
    plain: dict[str, Any]
    steps: list[Step]
    held: Sequence[Stored]


def choices(held: Sequence[Stored]) -> Rows:
    """List the episodes among the events of a position, newest first."""
    return _choices(episodes.spans(_noted(held)))


def _choices(spans: Sequence[Span]) -> Rows:
    return [_span(span) for span in reversed(spans[-SPANS:])]


def story(held: Sequence[Stored], first_seq: int | None, beside: Beside) -> Story | None:
    """Tell one episode of a position, or ``None`` when there is none like that.

    Args:
        held: Events of the position, oldest first.
        first_seq: Which one; the newest when left out.
    """
    own = _noted(held)
    found = episodes.spans(own)
    span = next((one for one in reversed(found) if first_seq in (None, one.first_seq)), None)
    if span is None:
        return None
    opening = next(event for event in own if event.seq == span.first_seq)
    pair, currency = opening.data.pair or "", opening.currency
    others = [event for event in _noted(beside(pair, span.last_seq)) if event.currency == currency]
    order = episodes.first_order(span, (event for event in others if event.kind is EventType.ORDER))
    start_ms = span.opened_ms if order is None else min(span.opened_ms, order.at_ms)
    first = max(0, next(number for number, event in enumerate(own) if event.seq == span.first_seq) - 1)
    during = [event for event in own[first:] if event.seq <= span.last_seq]
    told = episodes.steps(span, [*during, *others], start_ms)
    last = told[-1] if told else None
    plain_ = {
        **_span(span),
        "choices": _choices(found),
        "pair": pair,
        "quote": pair.rpartition("_")[2],
        "margin_currency": currency,
        "start_ms": start_ms,
        "has_first_order": order is not None,
        "rows": [_row(step) for step in reversed(told[-STEPS:])],
        "more": max(0, len(told) - STEPS),
        "computed": sum(1 for step in told if step.is_computed),
        "fills": sum(1 for step in told if step.what == "fill"),
        "fees": plain(last.fees) if last else "0",
        "funding": plain(last.funding) if last else "0",
        "realised": plain(last.realised) if last else "0",
    }
    kept = {event.seq for event in during}
    return Story(span, plain_, told, [event for event in held if event.seq in kept])


def drawn(told: Story, marks: MarkSeries, now_ms: float) -> dict[str, Any]:
    """Return an episode with its lines and its way: ``now_ms`` is where one that lasts ends, Unix ms."""
    span, start_ms = told.span, told.plain["start_ms"]
    end_ms = now_ms if span.closed_ms is None else span.closed_ms
    lines = series.position_lines(told.plain["pair"], told.held, marks, start_ms, end_ms)
    lines["fills"] = _fills(told.steps, lines["fills"])
    way = episodes.way(lines["t_ms"], lines["pnl"])
    return {**told.plain, "end_ms": end_ms, "series": lines, "way": way._asdict()}


def _noted(events: Sequence[Stored]) -> list[Noted]:
    read = (noted(event) for event in events)
    return [event for event in read if event is not None]


def _span(span: Span) -> dict[str, Any]:
    return {
        "first_seq": span.first_seq,
        "last_seq": span.last_seq,
        "opened_ms": span.opened_ms,
        "closed_ms": span.closed_ms,
        "side": span.side,
        "most": plain(span.most),
        "is_whole": span.is_whole,
    }


def _row(step: Step) -> dict[str, Any]:
    texts = ("price", "quantity", "average", "margin", "liquidation")
    return {
        "seq": step.seq,
        "t_ms": step.at_ms,
        "what": step.what,
        "word": step.word,
        "side": step.side,
        "size": plain(step.size),
        "fees": plain(step.fees),
        "funding": plain(step.funding),
        "realised": plain(step.realised),
        **{name: _text(getattr(step, name)) for name in texts},
    }


def _text(number: Decimal | None) -> str | None:
    if number is None:
        return None
    with localcontext(WIDE):
        return plain(number)


def _fills(told: Sequence[Step], derived: Rows) -> Rows:
    """Draw the fills that REST told of; steps of the size stand for those it did not."""
    known = [
        {
            "t_ms": step.at_ms,
            "price": float(step.price or 0),
            "side": step.side or "buy",
            "quantity": float(step.quantity or 0),
        }
        for step in told
        if step.what == "fill"
    ]
    near = np.array([fill["t_ms"] for fill in known])
    missing = [fill for fill in derived if not (np.abs(near - fill["t_ms"]) <= episodes.FILL_MS).any()]
    return sorted([*known, *missing], key=lambda fill: float(fill["t_ms"]))
