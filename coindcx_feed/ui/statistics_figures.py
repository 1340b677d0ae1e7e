"""Figures of a period as nodes. Pure. Sums of exact texts; each says its unit, and the dictionary what it means."""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, Final

from coindcx_feed.analysis import dictionary
from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span

Rows = list[dict[str, Any]]

NO_ORDERS: Final = {"ended": 0, "filled": 0, "cancelled": 0, "rejected": 0, "fills_timed": 0, "fill_rate": None,
                    "cancelled_share": None, "rejected_share": None, "mean_fill_ms": None,
                    "median_fill_ms": None}  # fmt: skip


def strip(orders: Rows, money: Rows) -> Node:
    """Build the figures of the whole period.

    Args:
        orders, money: The period altogether: at most one row, and one row per currency.
    """
    return cards.figures([*_orders(orders[0] if orders else NO_ORDERS), *_results(money), *_volume(money)])


def _orders(row: dict[str, Any]) -> list[Node]:
    ended = f"of {fmt.count(row['ended'])} that ended"
    timed = f"of {fmt.count(row['fills_timed'])} filled" if row["fills_timed"] else "none filled"
    return [
        cards.figure("Fill rate", fmt.percent(row["fill_rate"]), f"{fmt.count(row['filled'])} {ended}"),
        cards.figure("Median time to fill", _time(row["median_fill_ms"]), timed),
        cards.figure("Mean time to fill", _time(row["mean_fill_ms"]), timed),
        cards.figure("Rejected share", fmt.percent(row["rejected_share"]), f"{fmt.count(row['rejected'])} {ended}",
                     color="red" if row["rejected"] else ""),
        cards.figure("Cancelled share", fmt.percent(row["cancelled_share"]), f"{fmt.count(row['cancelled'])} {ended}"),
    ]  # fmt: skip


def _time(ms: float | None) -> str:
    return fmt.UNKNOWN if ms is None else fmt.duration(ms / 1000)


def _results(rows: Rows) -> list[Node]:
    closed = [row for row in rows if row["closed"]]
    words = _each(closed, lambda row: f"{fmt.count(row['closed'])} closed") or "no closed trade"
    funding = _each([row for row in rows if row["funding"]], lambda row: fmt.rounded(row["funding"], signed=True))
    won = _each(closed, lambda row: f"{fmt.count(row['won'])} of {fmt.count(row['closed'])} won")
    rates = [span("nowrap", _in(fmt.percent(row["win_rate"]), row, len(closed))) for row in closed]
    return [
        _amounts_of("Total PnL", rows, "pnl", f"funding {funding}" if funding else "no funding", signed=True),
        _amounts_of("PnL per closed trade", rows, "mean_pnl", words, signed=True),
        cards.figure("Win rate", span("", *_joined(rates)) if rates else fmt.UNKNOWN, won or "no closed trade"),
    ]


def _volume(rows: Rows) -> list[Node]:
    fills = sum(row["fills"] for row in rows)
    return [
        _amounts_of("Traded volume", rows, "volume", f"{fmt.count(fills)} fills"),
        _amounts_of("Fees", rows, "fees", _burden(rows)),
    ]


def _burden(rows: Rows) -> str:
    shares = []
    for row in rows:
        fees, volume = fmt.decimal(row["fees"]), fmt.decimal(row["volume"])
        if fees is not None and volume:
            shares.append(f"{float(fees / volume) * 100:.3f} % of volume")
    return " · ".join(shares)


def _each(rows: Rows, write: Callable[[dict[str, Any]], str]) -> str:
    return " · ".join(_in(write(row), row, len(rows)) for row in rows)


def _in(text: str, row: dict[str, Any], count: int) -> str:
    return f"{text} {fmt.visible(row['currency'], 20)}" if count > 1 else text


def _amounts_of(name: str, rows: Rows, measure: str, note: str, *, signed: bool = False) -> Node:
    found = {row["currency"]: row[measure] for row in rows if row[measure] is not None}
    shown, exact = _amounts(found, signed=signed)
    color = cards.signed_color(next(iter(found.values()))) if signed and len(found) == 1 else ""
    return cards.figure(name, shown, note, color=color, title=f"{dictionary.tip(name)} {exact}".strip())


def _amounts(totals: dict[str, str], *, signed: bool = False) -> tuple[str | Node, str]:
    """Write amounts of several currencies, which cannot be added, and their exact texts for the tooltip."""
    if not totals:
        return fmt.UNKNOWN, ""
    parts = [
        cards.with_unit(fmt.in_currency(fmt.rounded(text, signed=signed), currency), fmt.visible(currency, 20))
        for currency, text in totals.items()
    ]
    exact = [f"{fmt.in_currency(fmt.number(text), currency)} {currency}" for currency, text in totals.items()]
    return span("", *_joined(parts)), "; ".join(exact)


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


def covers(text: str, bucket_s: int, events: int) -> list[Node | None]:
    """Say what all figures are made of."""
    return [
        div(
            "muted small section",
            span("", f"{fmt.count(events)} stored events, {text}, in whole minutes; a point of a chart is "),
            span("", f"{fmt.duration(bucket_s)}. The log keeps these sums while it is written; "),
            span("", "coindcx-feed rebuild makes them anew. Hatched time was not observed."),
        )
    ]


def lacking(until: str) -> Node:
    """Say that an earlier version summed up a part of the period without the newest figures."""
    text = "Run coindcx-feed rebuild while the feed is stopped: it makes them anew from the stored events."
    return div(
        "notice plain",
        node("p", "", f"Closed trades, win rate and the median time to fill are missing before {until}."),
        node("p", "", text),
    )


def defined(entries: Iterable[dictionary.Entry]) -> list[Node | None]:
    """Build the table of the data dictionary, grouped by page."""
    rows: list[Node] = []
    for name, group in groupby(entries, key=lambda entry: entry.page):
        rows.append(node("tr", "", node("td", "strong", name, span=4), key=name))
        rows += [_entry(entry) for entry in group]
    titles = [node("th", "", text) for text in ("figure", "unit", "definition", "source")]
    return [node("table", "grid dictionary", node("thead", "", node("tr", "", *titles)), node("tbody", "", *rows))]


def _entry(entry: dictionary.Entry) -> Node:
    cells = (
        node("td", "nowrap", entry.name),
        node("td", "muted", entry.unit),
        node("td", "", entry.definition),
        node("td", "muted", entry.source),
    )
    return node("tr", "", *cells, key=f"{entry.page} {entry.name}")
