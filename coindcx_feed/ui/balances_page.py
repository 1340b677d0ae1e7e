"""The Balances page: one card per currency with the exact text, its history, and how it moved."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.ui import (
    addressed,
    balance_chart,
    balance_figures,
    cards,
    charts,
    explained_figures,
    page,
    reader,
    record_drawer,
    time_cursor,
)
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import node, span

RANGES: Final = {"15 m": 900_000, "1 h": 3_600_000, "3 h": 10_800_000, "1 d": 86_400_000}

Balance = dict[str, Any]


def render() -> None:
    """Draw the page."""
    if not time_cursor.begin("Balances"):
        return
    wallets()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="balance-bar"):
        history_head()
        st.segmented_control(
            "Range",
            tuple(RANGES),
            default="1 h",
            required=True,
            key="range",
            label_visibility="collapsed",
            bind="query-params",
        )
        time_cursor.look_back()
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        history()
        movements()
    with grid.cell(column_span=2):
        explained()
    record_drawer.draw()


def chosen(found: list[Balance]) -> Balance | None:
    """Return the wallet named in the address, else the one shown before, else the first."""
    wanted = addressed.chosen("currency") or st.session_state.get("currency-shown")
    balance = next((balance for balance in found if balance["currency"] == wanted), found[0] if found else None)
    if balance is not None:
        # A wallet that is first seen later may stand above it: the chart stays with the one that is looked at.
        st.session_state["currency-shown"] = balance["currency"]
    return balance


@time_cursor.part(page.FAST_S)
def wallets() -> None:
    """Draw the cards."""
    source, zone = time_cursor.source(), page.zone()
    found, now_ms = source.balances(), time_cursor.now_ms()
    if not found:
        text = "A wallet appears with its first change: an order locks or releases money, or a fill settles."
        title = "No balances were known then" if time_cursor.is_past() else "No balances seen yet"
        time_cursor.show([cards.empty(title, text)], key="balances-empty")
        return
    selected = chosen(found)
    boxes = [cards.balance_card(balance, pressed=balance is selected, zone=zone, now_ms=now_ms) for balance in found]
    together = balance_figures.together(found, source.conversion(), zone, now_ms)
    unknown = record_drawer.unknown("wallet", addressed.chosen("currency"), [each["currency"] for each in found])
    time_cursor.show([unknown, cards.cards([*boxes, together])], key="balance-cards", on_select=_card_chosen)


def _card_chosen() -> None:
    currency = st.session_state["balance-cards"]["selected"]
    if isinstance(currency, str):
        addressed.choose("currency", currency)
    st.rerun(["part-wallets", "part-history_head", "part-history", "part-movements", "part-explained"])


@time_cursor.part(page.SLOW_S)
def history_head() -> None:
    """Name the chosen wallet above its chart."""
    record_drawer.page_again()
    balance = chosen(time_cursor.source().balances())
    if balance is None:
        return
    zone = fmt.zone_name(page.zone(), time_cursor.now_ms())
    note = span("muted small", f"steps are balance events; hatched time was not observed · times in {zone}")
    name = node("h3", "text", f"{fmt.visible(balance['currency'], 20)} history")
    told = span("chips", name, record_drawer.opener(balance["seq"]), note)
    time_cursor.show([told], key="balance-head", on_select=record_drawer.chosen_in("balance-head"))


def _series(balance: Balance) -> tuple[dict[str, Any], float, float]:
    now_ms = float(time_cursor.now_ms())
    since_ms = now_ms - RANGES[st.session_state.get("range") or "1 h"]
    return time_cursor.source().balance_series(balance["currency"], since_ms), since_ms, now_ms


@time_cursor.part(page.SLOW_S)
def history() -> None:
    """Draw the chosen wallet's history."""
    zone, palette = page.zone(), page.palette()
    balance = chosen(time_cursor.source().balances())
    if balance is None:
        return
    series, since_ms, now_ms = _series(balance)
    look = (palette.name, str(zone), reader.chosen("grouping"))
    view = (balance["currency"], st.session_state.get("range"), *look, time_cursor.shown_seq())
    drawn = balance_chart.balance_chart(
        balance,
        series,
        time_cursor.gaps(since_ms),
        palette=palette,
        since_ms=since_ms,
        now_ms=now_ms,
        revision=(*view, balance["seq"], int(now_ms / 2_000)),
    )
    if drawn is None:
        nothing = cards.empty("No history yet", "The first balance event starts the line.")
        time_cursor.show([nothing], key="balance-nochart")
        return
    drawn["layout"]["uirevision"] = f"{balance['currency']} {st.session_state.get('range')}"
    currency, then = fmt.visible(balance["currency"], 20), "then" if time_cursor.is_past() else "now"
    charts.show(
        drawn,
        key="balance-chart",
        alt=f"Total, available and locked {currency}; total {then} {fmt.number(balance['total'])}",
    )


@time_cursor.part(page.SLOW_S)
def movements() -> None:
    """List how the chosen wallet moved in the range."""
    balance = chosen(time_cursor.source().balances())
    if balance is None:
        return
    series, _, now_ms = _series(balance)
    then = "then" if time_cursor.is_past() else "now"
    moved = balance_figures.movements(balance, series, page.zone(), now_ms, then)
    time_cursor.show(moved, key="balance-movements")


@time_cursor.part(page.SLOW_S)
def explained() -> None:
    """Say where the money of the chosen wallet went in the range, change by change."""
    record_drawer.page_again()
    balance = chosen(time_cursor.source().balances())
    if balance is None:
        return
    now_ms, zone = float(time_cursor.now_ms()), page.zone()
    since_ms = now_ms - RANGES[st.session_state.get("range") or "1 h"]
    found = page.service().depth.explained(balance["currency"], since_ms, time_cursor.shown_seq())
    shown = [
        *explained_figures.sums(found, balance["currency"], zone, now_ms),
        *explained_figures.changes(found, balance["currency"], zone, now_ms),
    ]
    time_cursor.show(shown, key="balance-explained", on_select=record_drawer.chosen_in("balance-explained"))
