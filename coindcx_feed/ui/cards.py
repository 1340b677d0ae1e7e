"""Figures, cards, heads and empty states as nodes. Pure: plain data in, nodes out."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Any, Final

from coindcx_feed.analysis import dictionary
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import theme
from coindcx_feed.ui.nodes import Node, age, div, node, span

Status = dict[str, Any]

NEAR_LIQUIDATION: Final = 0.05
"""Share of the mark between it and the liquidation price from which a position is marked."""
DANGER_PERCENT: Final = 14.0


def figure(
    name: str, value: str | Node, note: str | Node | None = None, *, color: str = "", title: str | None = None
) -> Node:
    """Build one cell of the strip: a name, one figure, one line of context.

    Args:
        title: Tooltip; the data dictionary's for this name when left out.
    """
    title = dictionary.tip(name) if title is None else title
    shown = span("", value) if isinstance(value, str) else value
    below = note if isinstance(note, dict) else span("text", note or "")
    return div(
        "figure", div("name", name), div(f"value {color}".strip(), shown), div("note", below), title=title, key=name
    )


def figures(cells: Iterable[Node | None]) -> Node:
    kept = [cell for cell in cells if cell is not None]
    rows = {6: " six", 10: " ten"}.get(len(kept), "")
    return div(f"figures{rows}", *kept)


def with_unit(value: str, unit: str) -> Node:
    """Write a figure with its unit behind it, small and grey."""
    return span("", span("", value), span("unit", f" {unit}"))


def head(title: str, *right: str | Node | None, left: Node | None = None) -> Node:
    """Build the line above a table or chart; what the data dictionary knows by this title is its tooltip."""
    notes = [span("muted small", part) if isinstance(part, str) else part for part in right]
    lead = left if left is not None else node("h3", "text", title, title=dictionary.tip(title))
    return div("head", lead, span("", *notes) if notes else None)


def chip(text: str, color: str = "") -> Node:
    return span(f"chip {color}".strip(), text)


def status_chip(status: str) -> Node:
    return chip(fmt.visible(theme.status_label(status), 60), theme.STATUS_COLORS.get(status, ""))


def side_chip(side: str) -> Node:
    return chip(theme.side_label(side), theme.SIDE_COLORS.get(side, ""))


def signed_color(text: str | None) -> str:
    """Return the colour of a gain or loss; zero and unknown have none."""
    value = fmt.decimal(text)
    return "" if not value else "green" if value > 0 else "red"


def empty(
    title: str, text: str, checks: list[tuple[str, str, Node | None]] | None = None, note: str | None = None
) -> Node:
    """Build the box that stands where a table would be: what is known, since when, what follows."""
    rows = [_check(*check) for check in checks or ()]
    table = node("table", "checks", node("tbody", "", *rows)) if rows else None
    return div("empty", node("h3", "", title), node("p", "", text), table, node("p", "small", note) if note else None)


def _check(word: str, what: str, when: Node | None) -> Node:
    done = word != "waiting"
    mark = span("green" if done else "muted", f"{'✓' if done else '·'} {word}")
    return node("tr", "", node("td", "", mark), node("td", "", what), node("td", "muted", when))


def no_events(status: Status, zone: tzinfo) -> Node:
    """Say why an account shows nothing yet, with what is proven."""
    exchange = "simulated exchange" if status["mode"] == "demo" else "exchange"
    now_ms, transport = status["now_ms"], status["transport"]
    if not status["connected"]:
        return empty("No account events yet", "The feed is not connected yet; the line above says why.")
    proof_ms = None if transport["age_s"] is None else now_ms - transport["age_s"] * 1000
    checks = [
        ("connected", exchange, span("", fmt.clock(status["state_since_ms"], zone, today=now_ms, digits=0))),
        ("joined" if status["account"]["fact"] in ("joined", "proven") else "waiting", "private channel", None),
        ("alive", transport["proof"] or "frame", age(proof_ms, ago=True)),
        ("waiting", "first order, position or balance", age(status["state_since_ms"])),
    ]
    text = "The connection is up. An idle account sends nothing until an order is placed, filled or cancelled."
    note = "In demo mode the first event usually arrives within 10 s." if status["mode"] == "demo" else None
    return empty("No account events yet", text, checks, note)


def position_card(
    position: dict[str, Any],
    *,
    pressed: bool,
    live: bool,
    now_ms: float,
    more: Iterable[Node] = (),
    foot: Node | None = None,
) -> Node:
    """Build one open position: result, ruler, figures. Money that is not live is grey.

    Args:
        more: Further rows of figures.
        foot: How it is protected, where more is known than its prices.
    """
    quote, pnl = position["quote"], position["unrealized_pnl"]
    color = signed_color(pnl) if live and position["mark_is_fresh"] else "muted"
    leverage = (position["leverage"] or "").removesuffix(".0")
    terms = f"{leverage}× {position['margin_type']} · {position['margin_currency'] or '?'}"
    computed = dictionary.tip("Unrealised PnL, computed")
    share = span("", span(color, fmt.percent(position["pnl_share"], signed=True)), span("muted small", " of margin"))
    return node(
        "button",
        "card",
        div(
            "between",
            div("chips", span("name text", position["pair"]), side_chip(position["side"])),
            span("muted small", terms),
        ),
        div(
            "between",
            span(f"big {color}", fmt.rounded(pnl, signed=True), span("unit", f" {quote}"), title=computed),
            share,
        ),
        ruler(position, color),
        div("pairs", *_card_pairs(position, now_ms), *more),
        foot or _protection(position),
        select=position["id"],
        pressed=pressed,
        key=position["id"],
        label=f"Position {position['pair']} {position['side']}, margin in {position['margin_currency']}",
    )


def _card_pairs(position: dict[str, Any], now_ms: float) -> list[Node]:
    base = position["pair"].partition("-")[2].partition("_")[0]
    mark_ms = None if position["mark_age_s"] is None else now_ms - position["mark_age_s"] * 1000
    near = (position["liquidation_distance"] or 1.0) <= NEAR_LIQUIDATION
    distance = fmt.percent(position["liquidation_distance"])
    return [
        _pair("Size", span("", _figure(position["size"]), span("unit", f" {base}"))),
        _pair("Margin", _figure(position["margin"])),
        _pair("Average", _figure(position["avg_price"])),
        _pair("Maintenance", _figure(position["maintenance_margin"])),
        _pair(
            "Mark",
            span("", _figure(position["mark_price"]), span("", " "), age(mark_ms, "unit", warn_s=10.0)),
        ),
        _pair("Liquidation", _figure(position["liquidation_price"])),
        _pair("To liquidation", span("strong orange" if near else "strong", f"⚠ {distance}" if near else distance)),
    ]


def _figure(text: str | None) -> Node:
    return span("", fmt.figure(text), title=None if text is None else fmt.number(text))


def cards(boxes: Iterable[Node | None]) -> Node:
    """Lay cards out in rows without a hole: three or four a row, fewer on narrow screens, the last row stretched."""
    kept = [box for box in boxes if box is not None]
    return div(f"cards by-{3 if len(kept) in (1, 2, 3, 5, 6, 9) else 4}", *kept)


def _pair(name: str, value: Node) -> Node:
    return div("pair", span("muted", name, title=dictionary.tip(name)), span("value", value), key=name)


def _protection(position: dict[str, Any]) -> Node:
    stop, target = position["stop"], position["target"]
    lead = span("", f"Stop {fmt.number(stop)}") if stop else span("yellow", "⚠ No stop")
    return div("foot muted", lead, span("", f" · Target {fmt.number(target)}"))


def ruler(position: dict[str, Any], color: str) -> Node | None:
    """Draw liquidation, average and mark to scale, with the stretch between average and mark in the result's colour."""
    average, mark = (fmt.binary(position[name]) for name in ("avg_price", "mark_price"))
    liquidation = fmt.binary(position["liquidation_price"])
    if average is None or mark is None:
        return None
    points = [average, mark] if liquidation is None else [average, mark, liquidation]
    low, high = min(points), max(points)
    if high <= low:
        return None
    # The liquidation price sits at the very end; the other end keeps a little room.
    room = (high - low) * 0.06
    low, high = (low if low == liquidation else low - room), (high if high == liquidation else high + room)

    def at(price: float) -> float:
        return (price - low) / (high - low) * 100

    parts = [div("track")]
    if liquidation is not None:
        parts += _danger(at(liquidation), f"liq {fmt.figure(position['liquidation_price'])}")
    begin, end = sorted((at(average), at(mark)))
    stretch = {"green": "stretch gain", "red": "stretch loss"}.get(color, "stretch")
    parts += [
        div(stretch, left=begin, width=end - begin),
        div("tick avg", left=at(average)),
        div("tick", left=at(mark)),
    ]
    names = (("violet", "avg"), ("strong", "mark")) if average <= mark else (("strong", "mark"), ("violet", "avg"))
    (first, one), (second, other) = names
    middle = min(max((begin + end) / 2, 12.0), 88.0)
    parts.append(div("word", span(first, one), span("muted", " · "), span(second, other), left=middle))
    return div("ruler", *parts)


def _danger(at: float, text: str) -> list[Node]:
    is_left = at < 50
    zone = div("danger", left=0.0 if is_left else 100.0 - DANGER_PERCENT, width=DANGER_PERCENT)
    word = div(f"word red {'from-left' if is_left else 'from-right'}", text, left=at)
    return [zone, div("tick liq", left=at), word]


def balance_card(balance: dict[str, Any], *, pressed: bool, zone: tzinfo, now_ms: float) -> Node:
    """Build one wallet: the exact total, what is free and what is locked."""
    main, tail = fmt.split_digits(balance["total"])
    main, available, locked_text = (
        fmt.in_currency(text, balance["currency"])
        for text in (main, fmt.number(balance["available"]), fmt.number(balance["locked"]))
    )
    share = balance["locked_share"]
    locked = 100 * share if share is not None else 0.0
    updated = fmt.clock(balance["received_ms"], zone, today=now_ms)
    return node(
        "button",
        "card",
        div(
            "between",
            span("name text", fmt.visible(balance["currency"], 20)),
            span("muted small", f"updated {updated}"),
        ),
        div("big", span("", main), span("tail", tail), span("unit", f" {fmt.visible(balance['currency'], 20)} total")),
        div("bar", div("solid", width=100 - locked), div("hatched", width=locked)),
        div(
            "between small",
            span("", span("key solid"), span("muted", "available "), span("", available)),
            span(
                "",
                span("key hatched"),
                span("muted", "locked "),
                span("", locked_text),
                _share(share),
            ),
        ),
        _in_inr(balance["in_inr"], zone, now_ms),
        select=balance["currency"],
        pressed=pressed,
        key=balance["currency"],
        title=f"Updated {fmt.utc(balance['received_ms'])}",
    )


def _share(share: float | None) -> Node:
    return span("muted", f" {fmt.percent(share)}")


def _in_inr(value: dict[str, Any] | None, zone: tzinfo, now_ms: float) -> Node | None:
    if value is None:
        return None
    at = fmt.clock(value["rate_ms"], zone, today=now_ms, digits=-1)
    text = fmt.in_currency(fmt.rounded(value["text"]), "INR")
    return div("foot muted", f"{text} INR at {fmt.number(value['rate'])}, {at}")
