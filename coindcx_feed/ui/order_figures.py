"""Figures, choices and texts of the Orders page. Pure."""

import statistics
from datetime import tzinfo
from typing import Any

from coindcx_feed.ui import cards, record_drawer, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, age, div, node, span

Order = dict[str, Any]
Wanted = tuple[str | None, tuple[str, ...], str]


def chosen_by(orders: list[Order], wanted: Wanted, now_ms: float, zone: tzinfo) -> list[Order]:
    """Return the orders that a reader asked for: which ones, of which pairs, with which words."""
    show, pairs, text = wanted
    words = text.lower().split()
    today = fmt.day(now_ms, zone)
    return [
        order
        for order in orders
        if (show != "Working" or not order["is_terminal"])
        and (show != "Ended today" or (order["is_terminal"] and is_of(order, today)))
        and (not pairs or order["pair"] in pairs)
        and all(word in f"{order['id']} {order['message'] or ''}".lower() for word in words)
    ]


def is_of(order: Order, day: tuple[float, float]) -> bool:
    """Say whether an order was last touched within a day."""
    at_ms: float = order["updated_ms"] or order["received_ms"]
    return day[0] <= at_ms < day[1]


def strip(orders: list[Order], now_ms: float, zone: tzinfo, day_word: str = "today") -> Node:
    """Build the five figures: two of what works now, three of what ended today.

    Args:
        day_word: How the day of ``now_ms`` is called; it need not be today.
    """
    by_status: dict[str, list[Order]] = {}
    for order in orders:
        by_status.setdefault(order["status"] or "", []).append(order)
    day = fmt.day(now_ms, zone)
    today = [order for order in orders if order["is_terminal"] and is_of(order, day)]
    waiting = by_status.get("open", []) + by_status.get("untriggered", []) + by_status.get("initial", [])
    return cards.figures(
        [
            _open(waiting),
            _partial(by_status.get("partially_filled", [])),
            _filled([order for order in today if order["status"] == "filled"], day_word),
            _cancelled([order for order in today if "cancelled" in (order["status"] or "")], len(today), day_word),
            _rejected([order for order in today if order["status"] == "rejected"], zone, now_ms, day_word),
        ]
    )


def _open(orders: list[Order]) -> Node:
    oldest = min((order["created_ms"] for order in orders if order["created_ms"]), default=None)
    note = "none waits" if oldest is None else span("", span("", "oldest "), age(oldest, ""))
    return cards.figure("○ Open", str(len(orders)), note, color="green" if orders else "")


def _partial(orders: list[Order]) -> Node:
    shares = [order["filled_share"] for order in orders if order["filled_share"] is not None]
    note = f"{fmt.percent(statistics.fmean(shares), places=0)} filled on average" if shares else ""
    return cards.figure("◐ Partially filled", str(len(orders)), note, color="green" if orders else "")


def _filled(orders: list[Order], day_word: str) -> Node:
    took = [
        (order["updated_ms"] - order["created_ms"]) / 1000
        for order in orders
        if order["created_ms"] and order["updated_ms"]
    ]
    note = f"median {fmt.duration(statistics.median(took))} to fill" if took else ""
    return cards.figure(f"● Filled {day_word}", str(len(orders)), note, color="blue" if orders else "")


def _cancelled(orders: list[Order], ended: int, day_word: str) -> Node:
    note = f"{fmt.percent(len(orders) / ended, places=0)} of ended orders" if ended else ""
    return cards.figure(f"⊘ Cancelled {day_word}", str(len(orders)), note)


def _rejected(orders: list[Order], zone: tzinfo, now_ms: float, day_word: str) -> Node:
    note = "none"
    if orders:
        last = max(orders, key=lambda order: order["received_ms"])
        at = fmt.clock(last["updated_ms"] or last["received_ms"], zone, today=now_ms, digits=-1)
        note = f"{fmt.visible(last['message'] or 'no reason given', 60)}, {at}"
    return cards.figure(f"✕ Rejected {day_word}", str(len(orders)), note, color="red" if orders else "")


def title(order: Order) -> str:
    """Say in one line what was ordered."""
    base = (order["pair"] or "").partition("-")[2].partition("_")[0]
    kind = theme.words((order["order_type"] or "").removesuffix("_order"))
    price = f" at {fmt.number(order['price'])}" if order["price"] else ""
    side = order["side"] or ""
    text = f"{theme.SIDE_GLYPHS.get(side, '')} {side.capitalize()} {fmt.number(order['quantity'])} {base}{price} {kind}"
    return fmt.visible(text.strip())


def head(order: Order) -> Node:
    """Build the line above the chart."""
    lead = div("chips", cards.status_chip(order["status"] or "?"), node("h3", "text", title(order)))
    copy = node("button", "copy", "copy id", copy=order["id"])
    name = span("mono small muted text", fmt.visible(order["id"], 60))
    return div("head", lead, div("chips", name, copy, record_drawer.opener(order["seq"])))


def exact(order: Order) -> Node:
    """Build the line of exact figures that the sortable table rounds."""
    names = (
        ("filled", "filled_quantity"),
        ("remaining", "remaining_quantity"),
        ("cancelled", "cancelled_quantity"),
        ("average fill", "avg_price"),
        ("fee", "fee"),
        ("leverage", "leverage"),
    )
    parts = [span("", span("muted", f"{name} "), span("", fmt.number(order[field]))) for name, field in names]
    parts.append(span("", span("muted", "margin in "), span("", fmt.visible(order["margin_currency"] or "?", 12))))
    if order["message"]:
        parts.append(span("", span("muted", "message "), span("text", fmt.visible(order["message"], 120))))
    return div("legend small", *parts)
