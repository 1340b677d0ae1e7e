"""Figures of the Balances page. Pure."""

from datetime import tzinfo
from decimal import Decimal
from typing import Any

from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span

Balance = dict[str, Any]


def together(balances: list[Balance], rate: dict[str, Any] | None, zone: tzinfo, now_ms: float) -> Node | None:
    """Build the card that adds up USDT and INR, for reading only; nothing without both and a rate."""
    totals = {balance["currency"]: fmt.decimal(balance["total"]) for balance in balances}
    usdt, inr = totals.get("USDT"), totals.get("INR")
    if usdt is None or inr is None or rate is None or not fmt.decimal(rate["rate"]):
        return None
    price = Decimal(rate["rate"])
    at = fmt.clock(rate["at_ms"], zone, today=now_ms, digits=-1)
    in_inr, in_usdt = fmt.in_currency(fmt.rounded(f"{usdt * price + inr:f}"), "INR"), usdt + inr / price
    return div(
        "card",
        div("between", span("name", "Together"), span("muted small", f"1 USDT = {fmt.number(rate['rate'])} INR, {at}")),
        div("big", span("", fmt.rounded(f"{in_usdt:f}")), span("unit", " USDT")),
        div("foot muted", f"{in_inr} INR at {fmt.number(rate['rate'])}, {at}"),
        div("foot muted", "Converted for reading only, not a balance."),
        key="together",
    )


def movements(
    balance: Balance, series: dict[str, Any], zone: tzinfo, now_ms: float, now_word: str = "now"
) -> list[Node | None]:
    """Build the table of what changed over the range.

    Args:
        now_word: How ``now_ms`` is called; it may be a moment of the past.
    """
    t_ms = series["t_ms"]
    if not len(t_ms):
        return []
    currency = fmt.visible(balance["currency"], 20)
    opening = {name: float(series[name][0]) for name in ("total", "available", "locked")}
    rows = []
    for name in ("total", "available", "locked"):
        now = fmt.binary(balance[name]) or 0.0
        rows.append(_movement(name, opening[name], now, balance["currency"]))
    since = fmt.clock(float(t_ms[0]), zone, today=now_ms, digits=0)
    titles = [node("th", "", "part"), *(node("th", "right", text) for text in ("at first", now_word, "change"))]
    table = node("table", "grid", node("thead", "", node("tr", "", *titles)), node("tbody", "", *rows))
    note = "Unrealised PnL is not part of a balance; it is on Positions, computed from marks."
    return [
        cards.head("Over this range", f"{currency}, since {since}"),
        table,
        div("muted small section", note),
    ]


def _movement(name: str, first: float, now: float, currency: str) -> Node:
    change = now - first
    color = "" if name != "total" or abs(change) < 0.005 else "green" if change > 0 else "red"
    cells = (fmt.in_currency(_float(first), currency), fmt.in_currency(_float(now), currency))
    shown = [node("td", "right", text) for text in cells]
    return node(
        "tr",
        "",
        node("td", "muted", name),
        *shown,
        node("td", f"right {color}".strip(), fmt.in_currency(_float(change, signed=True), currency)),
        key=name,
    )


def _float(value: float, *, signed: bool = False) -> str:
    # Differences of drawn values: rounded for reading, the exact texts are on the cards and in the events.
    if abs(value) < 5e-9:
        return "0.00"
    places = 2 if abs(value) >= 0.01 else 6
    return fmt.number(f"{value:.{places}f}", signed=signed)
