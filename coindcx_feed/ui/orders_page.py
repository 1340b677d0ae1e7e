"""The Orders page: one row per order with its present state, and the life of the chosen one."""

from typing import Any

import streamlit as st

from coindcx_feed.ui import (
    addressed,
    cards,
    charts,
    demo,
    filters,
    order_chart,
    order_figures,
    order_table,
    page,
    record_drawer,
    selection,
    tables,
    theme,
    time_cursor,
)
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import div, span

TABLE_HEIGHT = 352
LIMIT = 300
"""Rows sent to the browser, last touched first; the filters reach all."""
SHOWN = ("Working", "Ended today", "All")

Order = dict[str, Any]


def render() -> None:
    """Draw the page."""
    if not time_cursor.begin("Orders"):
        return
    _named()
    _bar()
    if _can_trade():
        demo.last_answer()
    table()
    chosen()
    record_drawer.draw()


def _named() -> None:
    """Choose the order that the address names, or name there what was chosen before on this page."""
    state, named = st.session_state, addressed.chosen("order")
    if named:
        state["order"] = state["order-picked"] = named
    elif state.get("order-picked"):
        addressed.choose("order", state["order-picked"])


def _bar() -> None:
    service = page.service()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="order-filters"):
        st.segmented_control(
            "Show",
            SHOWN,
            format_func=_shown_word,
            default="All",
            required=True,
            key="show",
            label_visibility="collapsed",
            bind="query-params",
        )
        pairs = filters.offered("pairs", [*service.status()["pairs"], *service.seen()["pairs"]])
        filters.choices("Pairs", [pair for pair in pairs if "_" in pair], "pairs", "All pairs")
        filters.search("Search id or message")
        if _can_trade():
            demo.place_order()
        time_cursor.look_back()


def _can_trade() -> bool:
    # An order of now does not belong on a page of then.
    return not time_cursor.is_past() and bool(page.service().status()["mode"] == "demo")


def _shown_word(choice: str) -> str:
    return choice.replace("today", "that day") if time_cursor.is_past() else choice


def _orders() -> list[Order]:
    """Return every order, asked for again only when an event came."""
    source, state = time_cursor.source(), st.session_state
    version, known = source.version(), state.get("orders")
    if known is None or known[0] != version:
        known = state["orders"] = (version, source.orders())
    orders: list[Order] = known[1]
    return orders


@time_cursor.part(page.FAST_S)
def table() -> None:
    """Draw the strip of figures and the table of orders."""
    now_ms, zone = time_cursor.now_ms(), page.zone()
    state = st.session_state
    wanted = (state.get("show"), tuple(state.get("pairs") or ()), state.get("q") or "")
    every = _orders()
    strip = order_figures.strip(every, now_ms, zone, "that day" if time_cursor.is_past() else "today")
    found = order_figures.chosen_by(every, wanted, now_ms, zone)
    rows = found[:LIMIT]
    counted = [span("strong", fmt.count(len(rows))), span("muted", f" shown of {fmt.count(len(found))} matching · ")]
    known = span(
        "muted", f"{fmt.count(len(every))} known · last touched first · times in {fmt.zone_name(zone, now_ms)}"
    )
    time_cursor.show([strip, div("small section", *counted, known)], key="order-counts")
    if not rows:
        _nothing(bool(every))
        return
    _choose_first(rows)
    _grid(rows, now_ms)


def _nothing(has_orders: bool) -> None:
    if has_orders:
        text = "The choice above leaves nothing. Orders that ended earlier stay under All."
        time_cursor.show([cards.empty("No order matches", text)], key="orders-empty")
        return
    text = "Orders that were open before the start appear here with their next update."
    title = "No orders were known then" if time_cursor.is_past() else "No orders seen yet"
    time_cursor.show([cards.empty(title, text)], key="orders-empty")


def _choose_first(rows: list[Order]) -> None:
    if st.session_state.get("order") is None:
        # One with something to see: partly filled, else filled at all.
        partly = [row for row in rows if row["status"] == "partially_filled"]
        filled = [row for row in rows if row["filled_share"]]
        st.session_state["order"] = (partly or filled or rows)[0]["id"]


def _grid(rows: list[Order], now_ms: float) -> None:
    zone, state = page.zone(), st.session_state
    ids = [row["id"] for row in rows]
    state["order-rows"] = ids
    selection.place("orders-table", ids.index(state["order"]) if state["order"] in ids else None)
    dated = tables.is_dated((row["updated_ms"] for row in rows), now_ms, zone)
    seen = page.service().seen()["statuses"]
    st.dataframe(
        _arrow(rows),
        key="orders-table",
        height=TABLE_HEIGHT,
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=order_table.order_columns(page.palette(), zone, rows, dated=dated, seen=seen),
        on_select=_row_chosen,
        selection_mode="single-row",
        alt="Orders, last touched first",
    )


def _arrow(rows: list[Order]) -> Any:
    state, seqs = st.session_state, [row["seq"] for row in rows]
    known = state.get("orders-arrow")
    if known is None or known[0] != seqs:
        known = state["orders-arrow"] = (seqs, order_table.orders_table(rows))
    return known[1]


def _row_chosen() -> None:
    state = st.session_state
    if selection.is_echo("orders-table"):
        return
    row = selection.clicked("orders-table")
    if row is not None and row < len(state["order-rows"]):
        state["order"] = state["order-picked"] = state["order-rows"][row]
        addressed.choose("order", state["order"])
    # The chart need not wait for its own next refresh.
    st.rerun(["part-table", "part-chosen"])


@time_cursor.part(page.SLOW_S)
def chosen() -> None:
    """Draw the chosen order: what it is, its exact figures, its steps."""
    record_drawer.page_again()
    order_id = st.session_state.get("order")
    if order_id is None:
        return
    found = time_cursor.source().order(order_id)
    if found is None:
        if time_cursor.is_past():
            text = "Its first update came later, or others were touched since. Choose another row."
            time_cursor.show([cards.empty("The chosen order was not known then", text)], key="order-unknown")
        else:
            time_cursor.show([record_drawer.unknown("order", order_id, ())], key="order-unknown")
        return
    order = found["order"]
    with st.container(border=True, key="order-detail"):
        with st.container(horizontal=True, vertical_alignment="center"):
            told = [order_figures.head(order), order_figures.exact(order)]
            time_cursor.show(told, key="order-head", on_select=record_drawer.chosen_in("order-head"))
            if _can_trade() and not order["is_terminal"]:
                demo.cancel_order(order["id"])
        _chart(order, found["steps"])


def _chart(order: Order, steps: list[dict[str, Any]]) -> None:
    now_ms, zone, palette = time_cursor.now_ms(), page.zone(), page.palette()
    working = None if order["is_terminal"] else int(now_ms / 1000)
    gaps = time_cursor.gaps(steps[0]["t_ms"] if steps else now_ms)
    shaded = charts.gaps_revision(gaps, now_ms)
    shown = (order["id"], order["seq"], len(steps), time_cursor.shown_seq())
    revision = (*shown, shaded, working, palette.name, str(zone))
    drawn = order_chart.order_chart(order, steps, gaps, palette=palette, now_ms=now_ms, revision=revision)
    if drawn is None:
        text = "The updates of this order have left the memory."
        time_cursor.show([cards.empty("No steps kept", text)], key="order-nosteps")
        return
    then = "then" if time_cursor.is_past() else "now"
    status = theme.words(order["status"] or "unknown")
    alt = f"Filled quantity over time; {then} {fmt.percent(order['filled_share'])}, {status}"
    charts.show(drawn, key="order-chart", alt=alt)
