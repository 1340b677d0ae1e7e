"""The figures of the History page: each part asks the log's per-minute sums for the same range."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import balance_chart, cards, charts, history_charts, history_figures, history_tables, nodes, page
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.history_range import Range, words

TABLE_HEIGHT: Final = 330

Rows = list[dict[str, Any]]


def draw(chosen: Range) -> None:
    """Draw all figures of a range."""
    try:
        with st.spinner("Adding up the log…"):
            activity = _figures("activity", chosen)
            currencies = _currencies(chosen)
    except FeedError as error:
        st.warning("This range is not understood, or the log cannot be read; nothing is shown until it is.")
        st.code(fmt.visible(str(error), 400), language=None, wrap_lines=True)
        return
    if activity is None or not activity["events"]:
        empty = cards.empty("Nothing was stored in this range", "Choose another one, or All.")
        nodes.show([empty], key="past-no-figures")
        return
    figures()
    activity_part()
    _currency_choice(currencies)
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        balance()
    with grid.cell(column_span=2):
        results()
    st.segmented_control(
        "Per", tuple(history_tables.GROUPS), default="Day", required=True, key="per", label_visibility="collapsed",
        bind="query-params",
    )  # fmt: skip
    grid = st.grid(2, min_column_width=520, gap="small")
    with grid.cell():
        orders()
    with grid.cell():
        money()
    note()


def _figures(name: str, chosen: Range, by: str = "day") -> Any:
    return page.service().past.figures(name, *chosen, zone=str(page.zone()), by=by)


def _chosen() -> Range:
    chosen: Range = st.session_state["past-range"]
    return chosen


def _ends(activity: dict[str, Any]) -> tuple[float, float]:
    # Whole buckets: the first and the last one are drawn in full.
    t_ms = activity["t_ms"]
    return float(t_ms[0]), float(t_ms[-1]) + activity["bucket_s"] * 1000


def _gaps() -> Rows:
    gaps: Rows = page.service().past.gaps(*_chosen())
    return gaps


def _revision(*more: object) -> tuple[object, ...]:
    return (page.palette().name, str(page.zone()), _chosen(), st.session_state["past-run"], *more)


@page.part(None)
def figures() -> None:
    """Draw the strip of the whole range."""
    chosen = _chosen()
    activity = _figures("activity", chosen)
    begin, end = _ends(activity)
    orders, money = (_figures(name, chosen, "pair") for name in ("orders", "money"))
    nodes.show([history_figures.strip(activity, orders, money, (end - begin) / 60_000)], key="past-figures")


@page.part(None)
def activity_part() -> None:
    """Draw how busy the range was, and the busiest pairs."""
    activity = _figures("activity", _chosen())
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        bucket = fmt.duration(activity["bucket_s"])
        nodes.show([cards.head("Events per minute", f"by type, mean of {bucket} each")], key="past-activity-head")
        drawn = history_charts.activity_chart(
            activity, _gaps(), palette=page.palette(), t_range=_ends(activity), revision=_revision("activity")
        )
        if drawn is not None:
            drawn["layout"]["uirevision"] = str(_chosen())
            charts.show(drawn, key="past-activity", alt="Events per minute by type over the range")
    with grid.cell(column_span=2):
        nodes.show([cards.head("Busiest pairs", "events of the range that have a pair")], key="past-busiest-head")
        nodes.show(history_figures.busiest(activity), key="past-busiest")


def _currencies(chosen: Range) -> list[str]:
    held = _figures("balances", chosen)
    money = _figures("money", chosen) or []
    names = [*(held["last"] if held else ()), *(row["currency"] for row in money if row["pnl"] is not None)]
    return list(dict.fromkeys(sorted(filter(None, names), key=lambda name: (name != "USDT", name))))


def _currency_choice(currencies: list[str]) -> None:
    if len(currencies) > 1:
        st.segmented_control(
            "Currency", currencies, default=currencies[0], required=True, key="currency-of",
            format_func=fmt.visible, label_visibility="collapsed",
        )  # fmt: skip
    else:
        st.session_state["currency-of"] = currencies[0] if currencies else ""


@page.part(None)
def balance() -> None:
    """Draw the chosen currency's balance."""
    currency = str(st.session_state.get("currency-of") or "")
    shown, held, activity = fmt.visible(currency, 20), *(_figures(name, _chosen()) for name in ("balances", "activity"))
    series = held["series"].get(currency)
    unit = f"{shown}, last value of every {fmt.duration(held['bucket_s'])}; hatched time was not observed"
    nodes.show([cards.head("Balance", unit if series is not None else "")], key="past-balance-head")
    if series is None:
        nothing = cards.empty("No balance in this range", "A wallet's event starts the line.")
        nodes.show([nothing], key="past-no-balance")
        return
    begin, end = _ends(activity)
    drawn = balance_chart.balance_chart(
        {"currency": currency, **held["last"][currency]},
        series,
        _gaps(),
        palette=page.palette(),
        since_ms=begin,
        now_ms=end,
        revision=_revision("balance", currency),
    )
    if drawn is not None:
        drawn["layout"]["uirevision"] = f"{currency} {_chosen()}"
        alt = f"Total, available and locked {shown} over the range"
        charts.show(history_charts.with_dates(drawn, (begin, end)), key="past-balance", alt=alt)


@page.part(None)
def results() -> None:
    """Draw the realised result per day."""
    currency = str(st.session_state.get("currency-of") or "")
    head = cards.head("Realised PnL per day", f"{fmt.visible(currency, 20)}; the line is their sum")
    nodes.show([head], key="past-results-head")
    rows = _figures("money", _chosen())
    drawn = history_charts.result_chart(rows, currency, palette=page.palette(), revision=_revision("pnl", currency))
    if drawn is None:
        text = "A ledger row, read by REST when a position was closed, starts the bars."
        nodes.show([cards.empty("No result in this range", text)], key="past-no-results")
        return
    charts.show(drawn, key="past-results", alt="Realised result of every day and their sum")


@page.part(None)
def orders() -> None:
    """Tabulate how orders ended."""
    rows = _figures("orders", _chosen(), history_tables.GROUPS[st.session_state.get("per") or "Day"])
    nodes.show([cards.head("Orders", "by the time they ended; days in the browser's zone")], key="past-orders-head")
    if not rows:
        nodes.show([nodes.node("p", "muted", "No order ended in this range.")], key="past-no-orders")
        return
    _show(history_tables.orders_table(rows), history_tables.orders_columns(), "past-orders", "How orders ended")


@page.part(None)
def money() -> None:
    """Tabulate volume, fees and results."""
    rows = _figures("money", _chosen(), history_tables.GROUPS[st.session_state.get("per") or "Day"])
    nodes.show([cards.head("Money", "per currency: amounts of two are never added")], key="past-money-head")
    if not rows:
        text = "No fill or ledger row in this range: they are read by REST."
        nodes.show([nodes.node("p", "muted", text)], key="past-no-money")
        return
    _show(history_tables.money_table(rows), history_tables.money_columns(), "past-money", "Volume, fees and results")


def _show(table: Any, columns: dict[str, Any], key: str, alt: str) -> None:
    from coindcx_feed.ui.tables import HEADER_HEIGHT, ROW_HEIGHT

    st.dataframe(
        table,
        key=key,
        height=min(TABLE_HEIGHT, ROW_HEIGHT * table.num_rows + HEADER_HEIGHT),
        row_height=ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=columns,
        alt=alt,
    )


@page.part(None)
def note() -> None:
    """Say what the figures are made of."""
    activity, past = _figures("activity", _chosen()), page.service().past
    now_ms = float(page.service().status()["now_ms"])
    text = words(_chosen(), past.span()["first_ms"], now_ms, page.zone())
    nodes.show(history_figures.covers(text, activity["bucket_s"]), key="past-note")
