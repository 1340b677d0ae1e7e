"""The Statistics page: what a period amounted to, from the log's per-minute sums, and what each figure means."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.analysis import dictionary
from coindcx_feed.errors import FeedError
from coindcx_feed.ui import balance_chart, cards, charts, nodes, page
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import statistics_charts as drawn_as
from coindcx_feed.ui import statistics_figures as shown_as
from coindcx_feed.ui import statistics_period as period
from coindcx_feed.ui import statistics_tables as listed_as
from coindcx_feed.ui.history_page import begin
from coindcx_feed.ui.history_range import Range, words

TABLE_HEIGHT: Final = 330

Rows = list[dict[str, Any]]


def render() -> None:
    """Draw the page."""
    if begin("Statistics") is None:
        return
    state = st.session_state
    state["stats-range"], state["stats-pairs"] = period.bar()
    state["stats-run"] = state.get("stats-run", 0) + 1
    _whole_period()
    definitions()


@page.section
def _whole_period() -> None:
    try:
        with st.spinner("Adding up the log…"):
            activity, currencies = _figures("activity"), _currencies()
    except FeedError as error:
        st.warning("This period is not understood, or the log cannot be read; nothing is shown until it is.")
        st.code(fmt.visible(str(error), 400), language=None, wrap_lines=True)
        return
    if activity is None or not activity["events"]:
        empty = cards.empty("Nothing was stored in this period", "Choose another one, other pairs, or All.")
        nodes.show([empty], key="stats-empty")
    else:
        _parts(currencies)


def _parts(currencies: list[str]) -> None:
    figures()
    activity_part()
    _currency_choice(currencies)
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=2):
        results()
    with grid.cell(column_span=3):
        balance()
    st.segmented_control(
        "Per", tuple(listed_as.GROUPS), default="Pair", required=True, key="per", label_visibility="collapsed",
        bind="query-params",
    )  # fmt: skip
    money()
    orders()
    note()


def _figures(name: str, by: str = "day") -> Any:
    pairs = st.session_state["stats-pairs"]
    return page.service().past.figures(name, *_chosen(), zone=str(page.zone()), by=by, pairs=pairs)


def _chosen() -> Range:
    chosen: Range = st.session_state["stats-range"]
    return chosen


def _ends(activity: dict[str, Any]) -> tuple[float, float]:
    # Whole buckets: the first and the last one are drawn in full.
    t_ms = activity["t_ms"]
    return float(t_ms[0]), float(t_ms[-1]) + activity["bucket_s"] * 1000


def _gaps() -> Rows:
    gaps: Rows = page.service().past.gaps(*_chosen())
    return gaps


def _revision(*more: object) -> tuple[object, ...]:
    state = st.session_state
    return (page.palette().name, str(page.zone()), _chosen(), state["stats-pairs"], state["stats-run"], *more)


@page.part(None)
def figures() -> None:
    """Draw the strip of the whole period, and what is missing in it."""
    span = page.service().past.span()
    begin = _chosen().from_ms or span["first_ms"]
    until = span["lacking_until_ms"]
    old = None if until is None or until < begin else shown_as.lacking(_clock(until))
    nodes.show([shown_as.strip(_figures("orders", "all"), _figures("money", "all")), old], key="stats-figures")


def _clock(ms: float) -> str:
    return fmt.clock(ms, page.zone(), today=float(page.service().status()["now_ms"]), digits=-1)


@page.part(None)
def activity_part() -> None:
    """Draw how busy the period was, and the busiest pairs."""
    activity = _figures("activity")
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        bucket = fmt.duration(activity["bucket_s"])
        nodes.show([cards.head("Events per minute", f"by type, mean of {bucket} each")], key="stats-activity-head")
        drawn = drawn_as.activity_chart(
            activity, _gaps(), palette=page.palette(), t_range=_ends(activity), revision=_revision("activity")
        )
        if drawn is not None:
            drawn["layout"]["uirevision"] = str(_chosen())
            charts.show(drawn, key="stats-activity", alt="Events per minute by type over the period")
    with grid.cell(column_span=2):
        nodes.show([cards.head("Busiest pairs", "events of the period that have a pair")], key="stats-busiest-head")
        nodes.show(shown_as.busiest(activity), key="stats-busiest")


def _currencies() -> list[str]:
    held = _figures("balances")
    money = _figures("money") or []
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
    shown, held, activity = fmt.visible(currency, 20), *(_figures(name) for name in ("balances", "activity"))
    series = held["series"].get(currency)
    unit = f"{shown}, last value of every {fmt.duration(held['bucket_s'])}; hatched time was not observed"
    nodes.show([cards.head("Balance", unit if series is not None else "")], key="stats-balance-head")
    if series is None:
        none = cards.empty("No balance in this period", "A wallet's event starts the line.")
        nodes.show([none], key="stats-no-balance")
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
        alt = f"Total, available and locked {shown} over the period"
        charts.show(drawn_as.with_dates(drawn, (begin, end)), key="stats-balance", alt=alt)


@page.part(None)
def results() -> None:
    """Draw the realised result per day."""
    currency = str(st.session_state.get("currency-of") or "")
    head = cards.head("Realised PnL per day", f"{fmt.visible(currency, 20)}; the line is their sum")
    nodes.show([head], key="stats-results-head")
    rows = _figures("money")
    drawn = drawn_as.result_chart(
        rows, currency, _gaps(), palette=page.palette(), zone=page.zone(), revision=_revision("pnl", currency)
    )
    if drawn is None:
        text = "A ledger row, read by REST when a position was closed, starts the bars."
        nodes.show([cards.empty("No result in this period", text)], key="stats-no-results")
        return
    charts.show(drawn, key="stats-results", alt="Realised result of every day and their sum")


@page.part(None)
def orders() -> None:
    """Tabulate how orders ended."""
    rows = _figures("orders", _by())
    nodes.show([cards.head("Orders", "by the time they ended; days in the page's zone")], key="stats-orders-head")
    if not rows:
        nodes.show([nodes.node("p", "muted", "No order ended in this period.")], key="stats-no-orders")
        return
    _show(listed_as.orders_table(rows), listed_as.orders_columns(), "stats-orders", "How orders ended")


@page.part(None)
def money() -> None:
    """Tabulate volume, fees and results."""
    rows = _figures("money", _by())
    nodes.show([cards.head("Money", "per currency: amounts of two are never added")], key="stats-money-head")
    if not rows:
        text = "No fill or ledger row in this period: they are read by REST."
        nodes.show([nodes.node("p", "muted", text)], key="stats-no-money")
        return
    _show(listed_as.money_table(rows), listed_as.money_columns(), "stats-money", "Volume, fees and results")


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


def _by() -> str:
    return listed_as.GROUPS[st.session_state.get("per") or "Pair"]


@page.part(None)
def note() -> None:
    """Say what the figures are made of."""
    activity, past = _figures("activity"), page.service().past
    now_ms = float(page.service().status()["now_ms"])
    text = words(_chosen(), past.span()["first_ms"], now_ms, page.zone())
    nodes.show(shown_as.covers(text, activity["bucket_s"], activity["events"]), key="stats-note")


@page.part(None)
def definitions() -> None:
    """Draw the data dictionary."""
    head = cards.head("Data dictionary", "every figure of every page; tooltips say the same")
    table = shown_as.defined(dictionary.ENTRIES)
    nodes.show([nodes.div("section", head), *table], key="stats-dictionary")
