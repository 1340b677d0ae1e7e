"""Table and details of the History page: one page of rows at a time, newest first."""

from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import details, event_pane, event_table, filters, nodes, page, selection, tables, view
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, span
from coindcx_feed.views.folding import fold

LIMIT: Final = 500
"""Rows sent to the browser at once."""

View = dict[str, Any]


@page.part(None)
def stored_events() -> None:
    """Draw one page of the matches and, docked, the details of the chosen one."""
    if st.session_state.pop("page-again", False):
        st.rerun()  # only the page itself can open or close a drawer
    try:
        with st.spinner("Reading the log…"):
            found = current()
    except FeedError as error:
        st.warning("The durable log cannot be read now. The feed goes on.")
        st.code(fmt.visible(str(error), 400), language=None, wrap_lines=True)
        return
    _paging(found)
    if view.is_wide():
        _table(found)
        return
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        _table(found)
    with grid.cell(column_span=2), st.container(border=True, height=event_pane.PANE_HEIGHT, key="past-pane"):
        draw_pane("pane", ("open as drawer", "drawer"))


def current() -> View:
    """Return the rows to show; asked once per run of the page, not again for a click on a row."""
    state = st.session_state
    chosen, wanted = state["past-range"], filters.criteria()
    question = repr((chosen, wanted))
    if state.get("past-question") != question:
        state["past-question"], state["past-before"] = question, []
    before: list[int] = state["past-before"]
    look = view.is_wide(), view.with_repeats(), fmt.is_indian("INR")
    asked = (question, tuple(before), look, state["past-run"] if not before else 0)
    known: View | None = state.get("past-view")
    if known is not None and known["asked"] == asked:
        return known
    found = page.service().past.select(wanted, *chosen, limit=LIMIT, before=before[-1] if before else None)
    every = found["rows"]
    rows = every if view.with_repeats() else fold(every)
    shown: View = {"asked": asked, "first": 1 + LIMIT * len(before), **found, "every": every, "rows": rows}
    shown["table"] = event_table.events_table(rows, wide=view.is_wide())
    state["past-view"] = shown
    return shown


def _paging(found: View) -> None:
    state, rows = st.session_state, found["every"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="past-paging"):
        nodes.show(page_nodes(found, state.get("past-matching", 0)), key="past-page")
        if state["past-before"]:
            st.button("Newest", icon=":material/first_page:", on_click=_newest, key="past-newest")
            st.button("Newer", icon=":material/chevron_left:", on_click=_newer, key="past-newer")
        if found["has_more"]:
            older = ":material/chevron_right:"
            st.button("Older", icon=older, on_click=_older, args=(rows[-1]["seq"],), key="past-older")
        view.repeats_choice()


def page_nodes(found: View, matching: int) -> list[Node | None]:
    """Build the words beside the buttons: which rows of how many."""
    rows = found["every"]
    last, folded = found["first"] + len(rows) - 1, len(rows) - len(found["rows"])
    shown = f"{fmt.count(found['first'])} to {fmt.count(last)}" if rows else "none"
    of = f" of {fmt.count(matching)}" + (f" · {fmt.count(folded)} folded" if folded else "")
    return [div("small", span("muted", "rows "), span("strong", shown), span("muted", of))]


def _older(seq: int) -> None:
    st.session_state["past-before"].append(seq)


def _newer() -> None:
    if st.session_state["past-before"]:
        st.session_state["past-before"].pop()


def _newest() -> None:
    st.session_state["past-before"].clear()


def _table(found: View) -> None:
    rows, zone = found["rows"], page.zone()
    if not rows:
        return
    now_ms = page.service().status()["now_ms"]
    dated = tables.is_dated((rows[0]["received_ms"], rows[-1]["received_ms"]), now_ms, zone)
    selection.place("past-table", view.row_of_chosen(found))
    st.dataframe(
        found["table"],
        key="past-table",
        height=min(event_pane.PANE_HEIGHT, tables.ROW_HEIGHT * len(rows) + tables.HEADER_HEIGHT),
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=event_table.event_columns(
            page.palette(), zone, rows, dated=dated, seen=dict.fromkeys(row["status"] for row in rows)
        ),
        on_select=_row_chosen,
        selection_mode="single-row",
        alt="Stored events, newest first",
    )


def _row_chosen() -> None:
    if selection.is_echo("past-table"):
        return
    row = selection.clicked("past-table")
    rows = st.session_state["past-view"]["rows"]
    view.choose(rows[row]["seq"] if row is not None and row < len(rows) else None)
    if view.is_wide() and view.chosen() is not None:
        st.session_state["page-again"] = True


def draw_pane(key: str, move: tuple[str, str]) -> None:
    """Draw the details of the chosen event, or how to read the table."""
    seq = view.chosen()
    if seq is None:
        nodes.show(details.guide_nodes()[:-1], key="past-guide")  # its last section is the key that pauses the feed
        return
    event_pane.draw_chosen(seq, f"past-{key}", move, page.service().past.event)


def drawer() -> None:
    """Open the details over the right side of the page."""

    @st.dialog(f"Event {fmt.count(view.chosen() or 0)}", position="right", width=560, on_dismiss=_dismissed)
    def draw() -> None:
        if st.session_state.pop("page-again", False):
            st.rerun()
        if view.chosen() is not None:
            draw_pane("drawer", ("dock beside the table", "dock"))

    draw()


def _dismissed() -> None:
    view.choose(None)
