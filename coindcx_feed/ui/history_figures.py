"""Figures of a past range as nodes. Pure. Sums of exact texts; each says its unit and what it covers."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span

Rows = list[dict[str, Any]]

_COUNTED: Final = ("ended", "filled", "cancelled", "rejected", "fill_ms", "fills_timed")


def strip(activity: dict[str, Any], orders: Rows, money: Rows, minutes: float) -> Node:
    """Build the figures of the whole range.

    Args:
        orders, money: The range by pair.
        minutes: How long the range is.
    """
    return cards.figures(
        [
            _events(activity, minutes),
            *_orders(orders),
            _volume(money),
            _signed("Realised PnL", money, "pnl", "funding", "Results of closed positions, from ledger rows."),
            _signed("Unrealised PnL", money, "unrealized", None, "Last value known of each pair, from its mark."),
        ]
    )


def _events(activity: dict[str, Any], minutes: float) -> Node:
    mean = activity["events"] / minutes if minutes else 0.0
    return cards.figure("Events", fmt.count(activity["events"]), f"{mean:,.1f} per minute")


def _orders(rows: Rows) -> list[Node]:
    total = {name: sum(row[name] for row in rows) for name in _COUNTED}
    ended, timed = total["ended"], total["fills_timed"]
    counts = f"{fmt.count(total['filled'])} filled, {fmt.count(total['cancelled'])} cancelled"
    rejected = f", {fmt.count(total['rejected'])} rejected" if total["rejected"] else ""
    mean_s = total["fill_ms"] / timed / 1000 if timed else None
    return [
        cards.figure("Orders ended", fmt.count(ended), counts + rejected),
        cards.figure(
            "Fill rate", fmt.percent(total["filled"] / ended if ended else None), "filled, of the orders that ended"
        ),
        cards.figure(
            "Time to fill", fmt.duration(mean_s), f"mean of {fmt.count(timed)} filled" if timed else "none filled",
            title="From creation to filled, by the exchange's clock.",
        ),
    ]  # fmt: skip


def _volume(rows: Rows) -> Node:
    shown, more = _amounts(_totals(rows, "volume"))
    fees = " · ".join(f"{fmt.rounded(text)} {currency}" for currency, text in _totals(rows, "fees").items())
    fills = sum(row["fills"] for row in rows)
    note = f"{fmt.count(fills)} fills, fees {fees or '0'}"
    return cards.figure("Traded volume", shown, note, title=f"Price × quantity of every fill. {more}".strip())


def _signed(name: str, rows: Rows, measure: str, beside: str | None, title: str) -> Node:
    totals = _totals(rows, measure)
    shown, more = _amounts(totals, signed=True)
    color = cards.signed_color(next(iter(totals.values()))) if len(totals) == 1 else ""
    besides = _totals(rows, beside) if beside else {}
    words = [f"{fmt.rounded(text, signed=True)} {currency}" for currency, text in besides.items()]
    note = f"{beside} {' · '.join(words)}" if words else "" if totals else "none in this range"
    return cards.figure(name, shown, note or None, color=color, title=f"{title} {more}".strip())


def _totals(rows: Rows, measure: str | None) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        value = fmt.decimal(row[measure]) if measure else None
        if value is not None:
            sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + value
    return {currency: f"{total:f}" for currency, total in sorted(sums.items(), key=lambda item: -abs(item[1]))}


def _amounts(totals: dict[str, str], *, signed: bool = False) -> tuple[str | Node, str]:
    """Write amounts of several currencies, which cannot be added, and their exact texts for the tooltip."""
    if not totals:
        return fmt.UNKNOWN, ""
    parts = [
        cards.with_unit(fmt.rounded(text, signed=signed), fmt.visible(currency, 20))
        for currency, text in totals.items()
    ]
    return span("", *_joined(parts)), "; ".join(f"{fmt.number(text)} {currency}" for currency, text in totals.items())


def _joined(parts: list[Node]) -> Iterable[Node]:
    for place, part in enumerate(parts):
        if place:
            yield span("muted", " · ")
        yield part


def busiest(activity: dict[str, Any]) -> list[Node | None]:
    """Build the list of pairs with most events."""
    rows = activity["busiest"]
    if not rows:
        return [node("p", "muted", "No event of this range has a pair.")]
    titles = [node("th", "", "pair"), *(node("th", "right", name) for name in ("events", "share", "orders", "fills"))]
    total = activity["events"] or 1
    body = [
        node(
            "tr",
            "",
            node("td", "text", fmt.visible(row["pair"], 40)),
            node("td", "right strong", fmt.count(row["events"])),
            node("td", "right muted", fmt.percent(row["events"] / total)),
            node("td", "right", fmt.count(row.get("order", 0))),
            node("td", "right", fmt.count(row.get("fill", 0))),
            key=row["pair"],
        )
        for row in rows
    ]
    return [node("table", "grid", node("thead", "", node("tr", "", *titles)), node("tbody", "", *body))]


def covers(text: str, bucket_s: int) -> list[Node | None]:
    """Say what all figures are made of."""
    return [
        div(
            "muted small section",
            span("", f"All pairs, {text}, in whole minutes; a point of a chart is {fmt.duration(bucket_s)}. "),
            span("", "The log keeps these sums while it is written; coindcx-feed rebuild makes them anew. "),
            span("", "Hatched time was not observed. Times to fill are means: a sum per minute knows no median."),
        )
    ]
