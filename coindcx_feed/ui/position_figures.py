"""Figures and boxes of the Positions page. Pure."""

from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from coindcx_feed.analysis import dictionary
from coindcx_feed.ui import cards, risk_figures
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span

Position = dict[str, Any]
Status = dict[str, Any]

ZERO = Decimal(0)


def strip(positions: list[Position], rate: dict[str, Any] | None, status: Status, zone: tzinfo) -> Node:
    """Build the five figures over all open positions."""
    opened = [position for position in positions if position["side"] != "flat"]
    live = status["connected"] and all(position["mark_is_fresh"] for position in opened)
    return cards.figures(
        [
            _pnl(opened, rate, status, live, zone),
            _exposure(opened, rate, zone, status),
            _margin(opened),
            _nearest(opened),
            _open(positions, opened),
        ]
    )


def _sum(positions: list[Position], field: str) -> Decimal:
    return sum((fmt.decimal(position[field]) or ZERO for position in positions), ZERO)


def _quote(positions: list[Position]) -> str:
    return ", ".join(dict.fromkeys(position["quote"] for position in positions)) or "USDT"


def _pnl(opened: list[Position], rate: dict[str, Any] | None, status: Status, live: bool, zone: tzinfo) -> Node:
    unknown = [position for position in opened if position["unrealized_pnl"] is None]
    name = "Unrealised PnL, computed"
    if opened and len(unknown) == len(opened):
        missing = "no mark received yet" if status.get("is_now", True) else "no mark stored of that time"
        return cards.figure(name, fmt.UNKNOWN, missing)
    total = _sum(opened, "unrealized_pnl")
    color = cards.signed_color(f"{total:f}") if live else "muted"
    as_of = "" if live else f" as of {fmt.clock(_proof_ms(status), zone, today=status['now_ms'], digits=0)}"
    value = cards.with_unit(fmt.rounded(f"{total:f}", signed=True), f"{_quote(opened)}{as_of}")
    note = f"without {len(unknown)} that has no mark" if unknown else _in_inr(total, rate, zone, status["now_ms"])
    return cards.figure(name, value, note, color=color)


def _proof_ms(status: Status) -> float | None:
    age_s = status["transport"]["age_s"]
    return None if age_s is None else status["now_ms"] - age_s * 1000


def _in_inr(total: Decimal, rate: dict[str, Any] | None, zone: tzinfo, now_ms: float) -> str:
    if rate is None:
        return ""
    value = total * Decimal(rate["rate"])
    at = fmt.clock(rate["at_ms"], zone, today=now_ms, digits=-1)
    text = fmt.in_currency(fmt.rounded(f"{value:f}", places=0, signed=True), "INR")
    return f"{text} INR at {fmt.number(rate['rate'])}, {at}"


def _exposure(opened: list[Position], rate: dict[str, Any] | None, zone: tzinfo, status: Status) -> Node:
    is_now = status.get("is_now", True)
    values, unknown = {"long": ZERO, "short": ZERO}, 0
    for position in opened:
        size, mark = fmt.decimal(position["size"]), fmt.decimal(position["mark_price"])
        # Of now the last mark is what there is; of then an old one would pass for one of that second.
        if size is not None and mark is not None and (is_now or position["mark_is_fresh"]):
            values[position["side"]] += abs(size) * mark
        else:
            unknown += 1
    title = dictionary.tip("Exposure") or ""
    if unknown and unknown == len(opened):
        return cards.figure("Exposure", fmt.UNKNOWN, "no mark")
    total = values["long"] + values["short"]
    note = " · ".join(f"{side} {fmt.rounded(f'{value:f}')}" for side, value in values.items())
    note += f" · without {unknown} that has no mark" if unknown else ""
    if rate is not None:
        at = fmt.clock(rate["at_ms"], zone, today=status["now_ms"], digits=-1)
        in_inr = fmt.in_currency(fmt.rounded(f"{total * Decimal(rate['rate']):f}", places=0), "INR")
        title += f" {in_inr} INR at {fmt.number(rate['rate'])}, {at}; by pair under Exposure."
    return cards.figure("Exposure", cards.with_unit(fmt.rounded(f"{total:f}"), _quote(opened)), note, title=title)


def _margin(opened: list[Position]) -> Node:
    margin, needed = _sum(opened, "margin"), _sum(opened, "maintenance_margin")
    note = f"maintenance {fmt.rounded(f'{needed:f}')}"
    return cards.figure("Margin locked", cards.with_unit(fmt.rounded(f"{margin:f}"), _quote(opened)), note)


def _nearest(opened: list[Position]) -> Node:
    known = [position for position in opened if position["liquidation_distance"] is not None]
    if not known:
        return cards.figure(
            "Nearest liquidation", fmt.UNKNOWN, "no isolated position is open" if not opened else "not known"
        )
    nearest = min(known, key=lambda position: position["liquidation_distance"])
    distance = nearest["liquidation_distance"]
    base = nearest["pair"].partition("-")[2].partition("_")[0]
    color = "orange" if distance <= cards.NEAR_LIQUIDATION else ""
    value = cards.with_unit(fmt.percent(distance), f"{base} {nearest['side']}")
    note = f"at {fmt.figure(nearest['liquidation_price'])}, mark {fmt.figure(nearest['mark_price'])}"
    return cards.figure("Nearest liquidation", value, note, color=color)


def _open(positions: list[Position], opened: list[Position]) -> Node:
    unprotected = sum(1 for position in opened if not position["stop"])
    flat = len(positions) - len(opened)
    note = f"{unprotected} without a stop" + (f" · {flat} flat" if flat else "")
    return cards.figure("Open positions", str(len(opened)), note if opened else f"{flat} flat")


def boxes(
    positions: list[Position],
    selected: str | None,
    status: Status,
    risks: dict[str, dict[str, Any]] | None = None,
    zone: tzinfo = UTC,
) -> list[Node | None]:
    """Build one card per open position and a line for the flat ones.

    Args:
        risks: What is at risk in each, by its id.
    """
    known, now_ms = risks or {}, status["now_ms"]
    opened = [position for position in positions if position["side"] != "flat"]
    flat = [position for position in positions if position["side"] == "flat"]
    built = [
        cards.position_card(
            position,
            pressed=position["id"] == selected,
            live=status["connected"],
            now_ms=now_ms,
            more=risk_figures.pairs(known.get(position["id"]), position, zone, now_ms),
            foot=risk_figures.protection(position, known.get(position["id"]), now_ms),
        )
        for position in opened
    ]
    found: list[Node | None] = (
        [div("section", cards.cards(built))] if built else [cards.empty("No open position", "All positions are flat.")]
    )
    if flat:
        buttons = [_flat(position, selected) for position in flat[:12]]
        found.append(div("chips section", span("muted small", "Flat: "), *buttons))
    return found


def exact(position: Position) -> Node:
    """Build the line of exact texts behind the card's shortened figures."""
    names = (
        ("size", "size"),
        ("average", "avg_price"),
        ("mark", "mark_price"),
        ("liquidation", "liquidation_price"),
        ("margin", "margin"),
        ("maintenance", "maintenance_margin"),
        ("PnL, computed", "unrealized_pnl"),
    )
    parts = [span("", span("muted", f"{name} "), span("", fmt.number(position[field]))) for name, field in names]
    return div("legend small", *parts)


def _flat(position: Position, selected: str | None) -> Node:
    text = f"{fmt.visible(position['pair'], 30)} · {position['margin_currency'] or '?'}"
    return node("button", "copy", text, select=position["id"], pressed=position["id"] == selected, key=position["id"])
