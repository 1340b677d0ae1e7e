"""The table of what is exposed: sizes at mark by pair and in total. Pure."""

from datetime import tzinfo
from typing import Any

from coindcx_feed.ui import cards
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, age, div, node


def exposure(rows: list[dict[str, Any]], rate: dict[str, Any] | None, zone: tzinfo, now_ms: float) -> list[Node | None]:
    """Build the table of sizes at mark, by pair and in total, in the quote currency and in rupees."""
    if not rows:
        return [cards.empty("No open position", "All positions are flat: nothing is exposed.")]
    names = ("pair", "long", "short", "net", "total", "share", "total, INR", "PnL, computed", "mark age")
    heads = [node("th", "" if name == "pair" else "right", name) for name in names]
    body = [_exposed(row, now_ms) for row in rows]
    if rate is None:
        said = "The rate of rupees per USDT is not known for this time."
    else:
        at = fmt.clock(rate["at_ms"], zone, today=now_ms, digits=-1)
        said = f"1 USDT = {fmt.number(rate['rate'])} INR, set by the exchange at {at}; converted for reading only."
    note = f"Size at mark, without leverage, computed. {said}"
    table = node("table", "grid", node("thead", "", node("tr", "", *heads)), node("tbody", "", *body))
    return [cards.head("Exposure by pair", "long, short and net, USDT"), table, div("muted small section", note)]


def _exposed(row: dict[str, Any], now_ms: float) -> Node:
    is_total = not row["pair"]
    strong = " strong" if is_total else ""
    unknown = row["positions"] - row["known"]
    name = f"total of {row['positions']}" if is_total else fmt.visible(row["pair"], 40)
    name += f" · without {unknown} that has no mark" if unknown else ""
    is_known = row["known"] > 0
    age_s = row["mark_age_s"]
    mark_ms = None if age_s is None else now_ms - age_s * 1000
    amounts = [row[key] if is_known else None for key in ("long", "short", "net", "total")]
    cells = [
        node("td", f"text{strong}", name),
        *(
            node("td", f"right{strong}", fmt.rounded(text, signed=key == "net"), title=_exact(text))
            for key, text in zip(("long", "short", "net", "total"), amounts, strict=True)
        ),
        node("td", "right muted", fmt.percent(row["share"])),
        node(
            "td",
            f"right{strong}",
            fmt.in_currency(fmt.rounded(row["total_inr"] if is_known else None), "INR"),
            title=_net_inr(row),
        ),
        node(
            "td",
            f"right {cards.signed_color(row['unrealized_pnl'])}{strong}".strip(),
            fmt.rounded(row["unrealized_pnl"], signed=True),
        ),
        node("td", "right", age(mark_ms, "muted", warn_s=10.0) or fmt.UNKNOWN),
    ]
    return node("tr", "", *cells, key=row["pair"] or "total")


def _exact(text: str | None) -> str | None:
    return None if text is None else fmt.number(text)


def _net_inr(row: dict[str, Any]) -> str | None:
    if row["total_inr"] is None:
        return "The rate is not known."
    names = ("long", "short", "net")
    texts = {name: fmt.rounded(row[f"{name}_inr"], signed=name == "net") for name in names}
    return " · ".join(f"{name} {fmt.in_currency(text, 'INR')} INR" for name, text in texts.items())
