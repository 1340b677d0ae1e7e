"""The Feed page: whether what the other pages show can be believed, and what was kept apart."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.ui import (
    cards,
    charts,
    doubt_figures,
    feed_charts,
    feed_figures,
    nodes,
    page,
    selection,
    tables,
    view,
)
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.status import gaps_today

GAPS_SHOWN: Final = 50
RAW_SHOWN: Final = 20_000

Entry = dict[str, Any]


def render() -> None:
    """Draw the page."""
    page.begin("Feed")
    connection()
    last_hour()
    kept()


@page.part(page.STEADY_S)
def connection() -> None:
    """Draw the hour's states, what is proven now, and the figures."""
    service, zone = page.service(), page.zone()
    current, feed = service.status(), _feed()
    top = feed_figures.strip(feed["states"], current["now_ms"], current["started_ms"], zone)
    proof = feed_figures.proofs(current, zone)
    nodes.show([*top, *proof, feed_figures.figures(current, feed, zone)], key="feed-figures", now_ms=current["now_ms"])


def _feed() -> dict[str, Any]:
    """Return the feed's health, at most once a second per reader: three parts of the page share it."""
    state, second = st.session_state, int(page.service().status()["now_ms"] / 1000)
    known = state.get("feed")
    if known is None or known[0] != second:
        known = state["feed"] = (second, page.service().feed())
    feed: dict[str, Any] = known[1]
    return feed


@page.part(2.0)
def last_hour() -> None:
    """Draw how the last hour went."""
    rates()
    gaps()


@page.section
def rates() -> None:
    """Draw rates and delays."""
    feed, palette = _feed(), page.palette()
    now_ms = float(page.service().status()["now_ms"])
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        nodes.show([cards.head(f"Events per {feed['rates']['bucket_s']} s", "by type, same scale")], key="rates-head")
        drawn = feed_charts.rates_chart(feed["rates"], feed["gaps"], palette=palette, now_ms=now_ms)
        charts.show(drawn, key="rates-chart", alt="Events per 30 seconds for orders, positions and balances, last hour")
    with grid.cell(column_span=2):
        nodes.show([cards.head("Delay, exchange to received", "ms, clock difference included")], key="delays-head")
        delays = feed_charts.delays_chart(feed["delays"], feed["gaps"], palette=palette, now_ms=now_ms)
        if delays is None:
            nodes.show(
                [cards.empty("No delays yet", "Only orders and positions carry the exchange's time.")],
                key="delays-empty",
            )
            return
        charts.show(delays, key="delays-chart", alt="Percentiles of the delay from the exchange to here, last hour")


@page.section
def gaps() -> None:
    """List the times away from the exchange."""
    found, zone = _feed()["gaps"], page.zone()
    now_ms = page.service().status()["now_ms"]
    count, away_s = gaps_today(found, now_ms, zone)
    nodes.show(
        [
            cards.head(
                "Gaps",
                (f"{count} today, {fmt.duration(away_s)} away in total" if count else "none today")
                + f" · {doubt_figures.completeness(page.service().status()['completeness'])}",
            )
        ],
        key="gaps-head",
    )
    if not found:
        nodes.show(
            [nodes.node("p", "muted", "None since the start: the exchange was watched all the time.")], key="gaps-none"
        )
        return
    dated = tables.is_dated((gap["from_ms"] for gap in found), now_ms, zone)
    st.dataframe(
        tables.gaps_table(found[:GAPS_SHOWN]),
        key="gaps-table",
        height=min(tables.ROW_HEIGHT * len(found) + tables.HEADER_HEIGHT, 260),
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=tables.gap_columns(page.palette(), zone, dated=dated),
        alt="Times away from the exchange, newest first",
    )


@page.part(page.SLOW_S)
def kept() -> None:
    """Draw what is in doubt, what was kept apart, and the log."""
    doubts()
    grid = st.grid(2, min_column_width=520, gap="small")
    with grid.cell():
        quarantine()
    with grid.cell():
        duplicates()
    log()


@page.section
def doubts() -> None:
    """Show what may be wrong: silence that is not plausible, differences from REST, the exchange's slips."""
    if st.session_state.pop("doubts-event", None) is not None:
        st.switch_page("pages/events.py")
    now_ms = float(page.service().status()["now_ms"])
    shown = doubt_figures.doubts(_feed(), page.zone(), now_ms)
    nodes.show(shown, key="doubts", now_ms=now_ms, on_select=_event_chosen)


def _event_chosen() -> None:
    asked = st.session_state["doubts"]["selected"]
    if isinstance(asked, int | float):
        st.session_state["doubts-event"] = int(asked)  # a page cannot be left from inside a callback
        view.choose(int(asked))


@page.section
def quarantine() -> None:
    """List frames and records that could not be understood."""
    count = page.service().status()["counters"]["quarantined"]
    _kept_apart("Quarantine", "quarantine", count, "Nothing was refused: every frame was understood.")


@page.section
def duplicates() -> None:
    """List records that repeated one already seen."""
    count = page.service().status()["counters"]["duplicates"]
    _kept_apart("Duplicates", "duplicates", count, "No record came twice.")


def _kept_apart(title: str, name: str, count: int, none: str) -> None:
    entries: list[Entry] = _feed()[name]
    zone, now_ms = page.zone(), page.service().status()["now_ms"]
    right = f"{fmt.count(count)} since the start, newest {len(entries)} shown" if entries else ""
    nodes.show([cards.head(title, right)], key=f"{name}-head")
    if not entries:
        nodes.show([nodes.node("p", "muted", none)], key=f"{name}-none")
        return
    arrivals = [entry["arrival"] for entry in entries]
    wanted = st.session_state.get(f"{name}-arrival")
    selection.place(f"{name}-table", arrivals.index(wanted) if wanted in arrivals else None)
    st.session_state[f"{name}-arrivals"] = arrivals
    st.dataframe(
        tables.kept_table(entries),
        key=f"{name}-table",
        height=min(tables.ROW_HEIGHT * len(entries) + tables.HEADER_HEIGHT, 200),
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=tables.kept_columns(zone, dated=tables.is_dated((e["at_ms"] for e in entries), now_ms, zone)),
        on_select=_entry_chosen,
        selection_mode="single-row",
        alt=f"{title}, newest first",
    )
    if wanted in arrivals:
        _raw(entries[arrivals.index(wanted)])


def _entry_chosen() -> None:
    for name in ("quarantine", "duplicates"):
        if f"{name}-table" in st.session_state and f"{name}-arrivals" in st.session_state:
            if selection.is_echo(f"{name}-table"):
                continue
            row, arrivals = selection.clicked(f"{name}-table"), st.session_state[f"{name}-arrivals"]
            st.session_state[f"{name}-arrival"] = arrivals[row] if row is not None and row < len(arrivals) else None


def _raw(entry: Entry) -> None:
    nodes.show([nodes.node("p", "text", fmt.visible(entry["reason"], 400))], key=f"raw-{entry['arrival']}")
    st.code(fmt.escaped_json(entry["raw"], RAW_SHOWN), language=None, wrap_lines=True, height=180)


@page.section
def log() -> None:
    """Show the newest lines of the log."""
    lines = _feed()["log"]
    nodes.show(feed_figures.log(lines), key="log")
