"""The Orders page: one row per order with its present state, and the life of the chosen one."""

from typing import Any

import streamlit as st

from coindcx_feed.ui import cards, charts, demo, filters, nodes, order_chart, order_figures, page, tables, theme
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import div, span

TABLE_HEIGHT = 352
LIMIT = 500
SHOWN = ("Working", "Ended today", "All")

Order = dict[str, Any]


def render() -> None:
    """Draw the page."""
    page.begin("Orders")
    figures()
    _bar()
    demo.last_answer()
    table()
    chosen()


def _bar() -> None:
    service = page.service()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="order-filters"):
        st.segmented_control(
            "Show", SHOWN, default="All", required=True, key="show", label_visibility="collapsed", bind="query-params"
        )
        pairs = filters.offered("pairs", [*service.status()["pairs"], *service.seen()["pairs"]])
        filters.choices("Pairs", [pair for pair in pairs if "_" in pair], "pairs", "All pairs")
        filters.search("Search id or message")
        if service.status()["mode"] == "demo":
            demo.place_order()


def _orders() -> list[Order]:
    """Return every order, asked for again only when an event came."""
    state, version = st.session_state, page.service().version()
    known = state.get("orders")
    if known is None or known[0] != version:
        known = state["orders"] = (version, page.service().orders())
    orders: list[Order] = known[1]
    return orders


@page.part(page.FAST_S)
def figures() -> None:
    """Draw the strip of figures."""
    now_ms = page.service().status()["now_ms"]
    nodes.show([order_figures.strip(_orders(), now_ms, page.zone())], key="order-figures", now_ms=now_ms)


@page.part(page.FAST_S)
def table() -> None:
    """Draw the table of orders."""
    now_ms, zone = page.service().status()["now_ms"], page.zone()
    state = st.session_state
    wanted = (state.get("show"), tuple(state.get("pairs") or ()), state.get("q") or "")
    every = _orders()
    found = order_figures.chosen_by(every, wanted, now_ms, zone)
    rows = found[:LIMIT]
    counted = [span("strong", fmt.count(len(rows))), span("muted", f" shown of {fmt.count(len(found))} matching · ")]
    known = span(
        "muted", f"{fmt.count(len(every))} known · last touched first · times in {fmt.zone_name(zone, now_ms)}"
    )
    nodes.show([div("small", *counted, known)], key="order-counts")
    if not rows:
        _nothing(bool(every))
        return
    _choose_first(rows)
    _grid(rows, now_ms)


def _nothing(has_orders: bool) -> None:
    if has_orders:
        text = "The choice above leaves nothing. Orders that ended earlier stay under All."
        nodes.show([cards.empty("No order matches", text)], key="orders-empty")
        return
    text = "Orders that were open before the start appear here with their next update."
    nodes.show([cards.empty("No orders seen yet", text)], key="orders-empty")


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
    page.place_selection("orders-table", ids.index(state["order"]) if state["order"] in ids else None)
    dated = tables.is_dated((row["updated_ms"] for row in rows), now_ms, zone)
    seen = page.service().seen()["statuses"]
    st.dataframe(
        _arrow(rows),
        key="orders-table",
        height=TABLE_HEIGHT,
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=tables.order_columns(page.palette(), zone, rows, dated=dated, seen=seen),
        on_select=_row_chosen,
        selection_mode="single-row",
        alt="Orders, last touched first",
    )


def _arrow(rows: list[Order]) -> Any:
    state, seqs = st.session_state, [row["seq"] for row in rows]
    known = state.get("orders-arrow")
    if known is None or known[0] != seqs:
        known = state["orders-arrow"] = (seqs, tables.orders_table(rows))
    return known[1]


def _row_chosen() -> None:
    state = st.session_state
    row = page.clicked_row("orders-table")
    if row is not None and row < len(state["order-rows"]):
        state["order"] = state["order-rows"][row]
    # The chart need not wait for its own next refresh.
    st.rerun(["part-table", "part-chosen"])


@page.part(page.SLOW_S)
def chosen() -> None:
    """Draw the chosen order: what it is, its exact figures, its steps."""
    order_id = st.session_state.get("order")
    found = None if order_id is None else page.service().order(order_id)
    if found is None:
        return
    order, now_ms, zone = found["order"], page.service().status()["now_ms"], page.zone()
    with st.container(border=True, key="order-detail"):
        with st.container(horizontal=True, vertical_alignment="center"):
            nodes.show([order_figures.head(order), order_figures.exact(order)], key="order-head", now_ms=now_ms)
            if page.service().status()["mode"] == "demo" and not order["is_terminal"]:
                demo.cancel_order(order["id"])
        working = None if order["is_terminal"] else int(now_ms / 1000)
        gaps = page.service().gaps()
        shaded = charts.gaps_revision(gaps, now_ms)
        revision = (order["id"], order["seq"], len(found["steps"]), shaded, working, page.palette().name, str(zone))
        drawn = order_chart.order_chart(
            order, found["steps"], gaps, palette=page.palette(), now_ms=now_ms, revision=revision
        )
        if drawn is None:
            nodes.show(
                [cards.empty("No steps kept", "The updates of this order have left the memory.")], key="order-nosteps"
            )
            return
        status = theme.words(order["status"] or "unknown")
        charts.show(
            drawn,
            key="order-chart",
            alt=f"Filled quantity over time; now {fmt.percent(order['filled_share'])}, {status}",
        )
