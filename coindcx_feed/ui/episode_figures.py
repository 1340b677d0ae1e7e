"""Head, sums and table of one episode: a position from its first order to flat. Pure."""

from datetime import tzinfo
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from coindcx_feed.analysis.dictionary import meaning
from coindcx_feed.ui import cards, tables, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node, span
from coindcx_feed.ui.theme import Palette

Episode = dict[str, Any]
Rows = list[dict[str, Any]]

OLDER: Final = "older"
NEWER: Final = "newer"
WAY: Final = meaning("On the way")
GLYPHS: Final = {
    "order": "◆ order",
    "fill": "● fill",
    "size": "■ size",
    "margin": "≡ margin",
    "protection": "◷ protection",
    "funding": "≡ funding",
    "booked": "≡ booked",
}
COLORS: Final = {
    "◆ order": "blue",
    "● fill": "blue",
    "■ size": "violet",
    "≡ margin": "gray",
    "◷ protection": "yellow",
    "≡ funding": "green",
    "≡ booked": "green",
}


def head(episode: Episode, choices: Rows, zone: tzinfo, now_ms: float) -> Node:
    """Build the line that says which episode this is, with the way to the ones beside it."""
    seqs = [choice["first_seq"] for choice in choices]
    place = seqs.index(episode["first_seq"]) if episode["first_seq"] in seqs else 0
    began = fmt.clock(episode["start_ms"], zone, today=now_ms, digits=0)
    lasts_s = (episode["end_ms"] - episode["start_ms"]) / 1000
    if episode["closed_ms"] is None:
        span_text = f"since {began}"
    else:
        span_text = f"{began} to {fmt.clock(episode['closed_ms'], zone, today=now_ms, digits=0)}"
    base = episode["pair"].partition("-")[2].partition("_")[0]
    lead = div(
        "chips",
        cards.side_chip(episode["side"]),
        node("h3", "text", span_text),
        span("muted small", f"{fmt.duration(lasts_s)}, at most {fmt.number(episode['most'])} {fmt.visible(base, 20)}"),
    )
    buttons = [
        _way("‹ older", OLDER) if place + 1 < len(seqs) else None,
        span("muted small", f"{len(seqs) - place} of {len(seqs)} kept"),
        _way("newer ›", NEWER) if place else None,
    ]
    return div("head", lead, div("chips", *buttons), key="head")


def _way(word: str, value: str) -> Node:
    return node("button", "copy", word, select=value, key=value)


def beside(choices: Rows, first_seq: int, way: str) -> int | None:
    """Return the episode before or after one; ``None`` stands for the newest, whichever that will be."""
    seqs = [choice["first_seq"] for choice in choices]
    if first_seq not in seqs:
        return None
    place = seqs.index(first_seq) + (1 if way == OLDER else -1)
    return None if place <= 0 else seqs[min(place, len(seqs) - 1)]


def figures(episode: Episode, zone: tzinfo, now_ms: float) -> Node:
    """Build what the episode brought and cost, and how far it went on the way."""
    currency, quote = fmt.visible(episode["margin_currency"] or "?", 12), fmt.visible(episode["quote"], 12)
    way = episode["way"]
    return cards.figures(
        [
            _figure("Realised PnL", episode["realised"], currency, "before fees"),
            _figure("Fees", episode["fees"], currency, f"{fmt.count(episode['fills'])} fills read", is_cost=True),
            _figure("Funding", episode["funding"], currency, "paid is −"),
            _extreme("Largest gain on the way", 1, way["best"], way["best_ms"], quote, zone, now_ms),
            _extreme("Largest loss on the way", -1, way["worst"], way["worst_ms"], quote, zone, now_ms),
        ]
    )


def _figure(name: str, text: str, unit: str, note: str, *, is_cost: bool = False) -> Node:
    color = "" if is_cost else cards.signed_color(text)
    value = cards.with_unit(fmt.in_currency(fmt.rounded(text, signed=not is_cost), unit), unit)
    return cards.figure(name, value, note, color=color, title=fmt.in_currency(fmt.number(text), unit))


def _extreme(
    name: str, sign: int, value: float | None, at_ms: float | None, quote: str, zone: tzinfo, now_ms: float
) -> Node:
    if value is None:
        return cards.figure(name, fmt.UNKNOWN, "no mark of that time", title=WAY)
    text = f"{value:.6f}"
    written = f"{fmt.rounded(text, signed=True)} {quote}"
    at = fmt.clock(at_ms, zone, today=now_ms, digits=0)
    if value * sign <= 0:
        never = "above" if sign > 0 else "below"
        return cards.figure(name, "none", f"computed, never {never} {written}", title=WAY)
    shown = cards.with_unit(fmt.rounded(text, signed=True), quote)
    return cards.figure(name, shown, f"computed, at {at}", color=cards.signed_color(text), title=WAY)


def notes(episode: Episode) -> Node | None:
    """Say what of the episode is not known."""
    said = []
    if not episode["is_whole"]:
        said.append("Its opening was not seen: it begins with the first known update.")
    elif not episode["has_first_order"]:
        said.append("The order that opened it is not among what is kept.")
    if episode["computed"]:
        count = fmt.count(episode["computed"])
        said.append(
            f"{count} amounts are computed from steps of orders and of the margin: no ledger row of them was read."
        )
    if episode["more"]:
        said.append(f"{fmt.count(episode['more'])} earlier steps are not listed.")
    return div("muted small section", " ".join(said)) if said else None


def table(rows: Rows) -> pa.Table:
    """Build the table of steps, newest first."""
    return pa.table(
        {
            "time": tables.times(row["t_ms"] for row in rows),
            "what": tables.chips(GLYPHS.get(row["what"], row["what"]) for row in rows),
            "word": tables.texts(_words(row) for row in rows),
            "price": tables.numbers(row["price"] for row in rows),
            "quantity": tables.numbers(row["quantity"] for row in rows),
            "size": tables.numbers(row["size"] for row in rows),
            "average": tables.numbers(row["average"] for row in rows),
            "margin": tables.numbers(row["margin"] for row in rows),
            "liquidation": tables.numbers(row["liquidation"] for row in rows),
            "fees": tables.numbers(row["fees"] for row in rows),
            "funding": tables.numbers(row["funding"] for row in rows),
            "realised": tables.numbers(row["realised"] for row in rows),
        }
    )


def _words(row: dict[str, Any]) -> str:
    side = f"{theme.side_label(row['side'])} " if row["side"] else ""
    return f"{side}{theme.words(row['word'])}"


def columns(palette: Palette, zone: tzinfo, rows: Rows, *, dated: bool) -> dict[str, Any]:
    """Return the settings of the columns; exact texts are in the record behind each row."""
    figure, text = tables.figure_column, st.column_config.TextColumn
    whence = "From ledger rows; where none was read, computed from steps of orders and of the margin."
    after = "As the position's last update before said."
    return {
        "time": tables.time_column("Exchange time", zone, dated=dated, width=92),
        "what": tables.chip_column("Step", COLORS, palette, 108),
        "word": text("What happened", width=170),
        "price": figure("Price", 92, rows, "price"),
        "quantity": figure(
            "Quantity, amount", 112, rows, "quantity", "Signed for steps of size and for amounts booked."
        ),
        "size": figure("Size", 80, rows, "size", after),
        "average": figure("Average", 92, rows, "average", after),
        "margin": figure("Margin", 92, rows, "margin", f"USDT. {after}"),
        "liquidation": figure("Liquidation", 92, rows, "liquidation", after),
        "fees": figure("Fees so far", 84, rows, "fees", f"In the margin currency. {whence}"),
        "funding": figure("Funding so far", 96, rows, "funding", f"In the margin currency, paid is −. {whence}"),
        "realised": figure("Realised so far", 98, rows, "realised", f"In the margin currency, before fees. {whence}"),
    }
