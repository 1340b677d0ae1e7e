"""Money of a past range: volume, fees, results of closed trades, funding, open results. Exact text, per currency."""

from collections import defaultdict
from datetime import tzinfo
from decimal import Context, Decimal
from typing import Any, Final

from coindcx_feed.exchange.numbers import WIDE, written
from coindcx_feed.views.past_groups import Log, Pairs, Rows, Span, group_of, key_of, named, of_pairs, ordered, width_of

SUMMED: Final = ("volume", "fees", "pnl", "wins", "losses", "funding")
_COUNTED: Final = {"volume": "fills", "wins": "won", "losses": "lost"}
"""Measures whose number of events is a figure, too."""
_MEAN: Final = Context(prec=16)
"""Digits of a mean: it is computed, no sum of the exchange's own figures."""

Of = tuple[str, str, str]
"""Day, pair and currency."""


def money(log: Log, span: Span, zone: tzinfo, pairs: Pairs = ()) -> dict[str, Any]:
    """Return sums and counts of money and the last unrealised PnL, per day and pair.

    Shape: for ``money_by``.
    """
    sums: dict[Of, dict[str, Decimal]] = defaultdict(dict)
    counts: dict[Of, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED.values(), 0))
    width = width_of(span, zone)
    for measure in SUMMED:
        for figure in of_pairs(log.figures(measure, *span, width), pairs):
            key = (*key_of(figure, zone), figure.label)
            sums[key][measure] = WIDE.add(sums[key].get(measure, Decimal(0)), figure.amount)
            if measure in _COUNTED:
                counts[key][_COUNTED[measure]] += figure.number
    # In order of time, so that the last one of each day, pair and margin currency stays.
    open_now = of_pairs(log.figures("unrealized", *span, width), pairs)
    last = {(*key_of(figure, zone), figure.label): figure.amount for figure in open_now}
    return {"sums": dict(sums), "counts": dict(counts), "last": last}


def money_by(found: dict[str, Any], by: str) -> Rows:
    """Add up ``money`` by day, by pair, by both or altogether, per currency.

    ``closed`` are the trades that won or lost, ``win_rate`` those that won of them, ``mean_pnl`` what one made, 16
    digits. ``unrealized`` is the last value known of each pair, in the day or in the whole range, in the pair's quote
    currency.
    """
    sums: dict[Of, dict[str, Decimal]] = defaultdict(dict)
    counts: dict[Of, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED.values(), 0))
    for (day, pair, currency), amounts in found["sums"].items():
        key = (*group_of({"day": day, "pair": pair}, by), currency)
        for measure, amount in amounts.items():
            sums[key][measure] = WIDE.add(sums[key].get(measure, Decimal(0)), amount)
        for name, number in found["counts"].get((day, pair, currency), {}).items():
            counts[key][name] += number
    for key, amount in _last_known(found["last"], by):
        sums[key]["unrealized"] = WIDE.add(sums[key].get("unrealized", Decimal(0)), amount)
    return [_row(key, row, counts[key]) for key, row in ordered(sums)]


def _row(key: Of, sums: dict[str, Decimal], counts: dict[str, int]) -> dict[str, Any]:
    closed = counts["won"] + counts["lost"]
    made = WIDE.add(sums.get("wins", Decimal(0)), sums.get("losses", Decimal(0)))
    return {
        **named((key[0], key[1])),
        "currency": key[2],
        **counts,
        **{name: _text(sums.get(name)) for name in (*SUMMED, "unrealized")},
        "closed": closed,
        "win_rate": counts["won"] / closed if closed else None,
        "mean_pnl": written(_MEAN.divide(made, Decimal(closed))) if closed else None,
    }


def _last_known(last: dict[Of, Decimal], by: str) -> list[tuple[Of, Decimal]]:
    newest: dict[Of, Decimal] = {}
    for (day, pair, label), amount in last.items():
        newest["" if by in ("pair", "all") else day, pair, label] = amount
    return [
        ((*group_of({"day": day, "pair": pair}, by), pair.rpartition("_")[2]), amount)
        for (day, pair, _), amount in newest.items()
    ]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else written(amount)
