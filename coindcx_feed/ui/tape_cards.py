"""One event as a card of the tape. Pure: a row in, a node out."""

from datetime import tzinfo
from functools import lru_cache
from typing import Any, Final

from coindcx_feed.ui import cards, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span

Row = dict[str, Any]

GAP: Final = "upstream_gap"
"""Message of the event that tells a time away; marked like gaps elsewhere."""
STREAMED: Final = ("order", "position", "balance")
"""Types that the stream tells; one of these that was read by REST had been missed. The others are always read."""


def card(row: Row, zone: tzinfo, now_ms: float) -> Node:
    """Build the card: what and where, what changed since the update before it, figures and time.

    Args:
        row: As the service gives it.
        now_ms: The feed's present; a card of another day shows its date.
    """
    at = fmt.clock(row["received_ms"], zone, today=now_ms)
    pair = fmt.visible(row["pair"] or "", 40)
    chips = _chips(row["type"], row["side"], row["status"], row["late"], row["source"])
    edge = "yellow" if row["message"] == GAP else theme.TYPE_COLORS.get(row["type"], "gray")
    said = [theme.words(row["type"]), row["side"] or "", theme.words(row["status"] or ""), pair, at]
    return node(
        "button",
        f"card tape-card edge-{edge}",
        div("tape-row", div("chips", *chips, span("strong text", pair) if pair else None), span("muted tape-time", at)),
        div("tape-row", span("text tape-changed", changed(row)), _figures(row)),
        title=fmt.utc(row["received_ms"]),
        select=row["seq"],
        key=row["seq"],
        label=fmt.visible(" ".join(part for part in said if part), 160),
    )


@lru_cache(maxsize=2_000)
def _chips(kind: str, side: str | None, status: str | None, is_late: bool, source: str) -> tuple[Node, ...]:
    # Few combinations occur; at 500 cards a second their texts are worth keeping.
    found = [cards.chip(theme.type_label(kind), theme.TYPE_COLORS.get(kind, ""))]
    if side:
        found.append(cards.chip(fmt.visible(theme.side_label(side), 60), theme.SIDE_COLORS.get(side, "")))
    if status:
        found.append(cards.status_chip(status))
    if is_late:
        found.append(cards.chip("late", "yellow"))
    if source == "rest" and kind in STREAMED:
        found.append(cards.chip("read by REST"))
    return tuple(found)


def changed(row: Row) -> str:
    """Say in one line what the event changed, or what it tells."""
    text = fmt.trimmed(row["what_changed"] or row["message"] or theme.words(row["type"]))
    return fmt.visible(fmt.all_in_currency(text, row["pair"]) if row["type"] == "balance" else text)


def _figures(row: Row) -> Node:
    """Build quantity and price of an order or position, and the short id; exact texts are in the tooltip."""
    parts: list[Node] = []
    if row["type"] in ("order", "position") and row["quantity"] is not None:
        parts.append(span("", fmt.figure(row["quantity"]), title=fmt.number(row["quantity"])))
        if fmt.decimal(row["price"]):
            parts += [span("muted", " at "), span("", fmt.figure(row["price"]), title=fmt.number(row["price"]))]
    elif row["type"] == "balance":
        shown, exact = (fmt.in_currency(way(row["quantity"]), row["pair"]) for way in (fmt.figure, fmt.number))
        parts += [span("muted", "available "), span("", shown, title=exact)]
    if row["id"] is not None:
        parts.append(span("muted mono small tape-id", fmt.short_id(row["id"]), title=fmt.visible(row["id"], 80)))
    return span("tape-figures", *parts) if parts else span("tape-figures", "")
