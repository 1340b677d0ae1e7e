"""The Events page: filters, counts, the table and the details of one event."""

from typing import Final

import streamlit as st

from coindcx_feed.ui import (
    event_pane,
    event_table,
    exports,
    filters,
    nodes,
    page,
    saved_views,
    selection,
    since,
    tables,
    tape_page,
    view,
)
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, span

LOOKS: Final = ("Table", "Tape")


def render() -> None:
    """Draw the page."""
    page.begin("Events")
    filters.filter_bar(_pause_button, _clear_button, exports.export_menu)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="look-line"):
        _look()
        saved_views.menu()
        if not view.is_tape():
            view.repeats_choice()
    if view.is_tape():
        counts()
        tape_page.draw()
    else:
        events()
    since.since()
    if view.is_wide() and view.chosen() is not None:
        _drawer()


def _look() -> None:
    if "look" not in st.session_state:
        st.session_state["look"] = LOOKS[view.is_tape()]
    st.segmented_control(
        "Look",
        LOOKS,
        required=True,
        on_change=lambda: view.set_tape(st.session_state["look"] == LOOKS[True]),
        key="look",
        label_visibility="collapsed",
    )


def _pause_button() -> None:
    # Two buttons, not one that toggles: a press is now and then delivered twice and must not undo itself.
    if st.session_state.get("paused_at") is None:
        st.button(
            "Pause",
            icon=":material/pause:",
            on_click=view.pause,
            shortcut="p",
            key="pause",
            help="Freeze the table to read it. The feed goes on and nothing is lost.",
        )
    else:
        play = ":material/play_arrow:"
        st.button("Resume", icon=play, type="primary", on_click=view.resume, shortcut="p", key="resume")


def _clear_button() -> None:
    if st.session_state.get("cleared_at"):
        st.button("Undo clear", icon=":material/undo:", on_click=view.undo_clear, key="undo-clear")
    else:
        note = "Hide what is shown and start from here. Nothing is deleted."
        st.button("Clear", icon=":material/clear_all:", on_click=view.clear, key="clear", help=note)


@page.part(page.FAST_S)
def counts() -> None:
    """Say how much is shown of how much, above the tape; above the table it is of the table's own part."""
    _counts(view.current())


def _counts(found: view.View) -> None:
    nodes.show(count_nodes(found), key="counts")


def count_nodes(found: view.View) -> list[Node | None]:
    """Build the line: shown, matching, kept, order, zone, and whether the view is held."""
    state = st.session_state
    parts: list[Node | None] = [
        span("strong", fmt.count(len(found["rows"]))),
        span("muted", " shown"),
        span("muted", f" ({fmt.count(found['folded'])} folded)" if found["folded"] else ""),
        span("muted", " of "),
        span("strong", fmt.count(found["matching"])),
        span("muted", f" matching · {fmt.count(found['kept'])} kept · newest first"),
    ]
    now_ms, zone = page.service().status()["now_ms"], page.zone()
    if state.get("paused_at") is not None:
        newer = page.service().version() - state["paused_at"]
        at = fmt.clock(state["paused_ms"], zone, today=now_ms, digits=0)
        parts.append(span("yellow", f" · paused at {at}, {fmt.count(newer)} newer waiting"))
    if state.get("cleared_at"):
        at = fmt.clock(state["cleared_ms"], zone, today=now_ms, digits=0)
        parts.append(span("yellow", f" · view cleared at {at}"))
    parts.append(span("muted", f" · times in {fmt.zone_name(zone, now_ms)}"))
    return [div("small", *parts)]


@page.part(page.FAST_S)
def events() -> None:
    """Draw counts and table and, docked, the pane beside it."""
    event_pane.page_again()
    found = view.current()
    _counts(found)
    if found["error"] is not None:
        filters.problem(found["error"])
        return
    if not found["rows"]:
        event_pane.nothing(found)
        return
    if view.is_wide():
        _table(found)
        return
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        _table(found)
    with grid.cell(column_span=2), st.container(border=True, height=event_pane.PANE_HEIGHT, key="pane"):
        event_pane.pane()


def _table(found: view.View) -> None:
    status, zone = page.service().status(), page.zone()
    dated = tables.is_dated(
        (row["received_ms"] for row in (found["rows"][0], found["rows"][-1])), status["now_ms"], zone
    )
    seen = page.service().seen()["statuses"]
    selection.place("events-table", view.row_of_chosen(found))
    st.dataframe(
        found["table"],
        key="events-table",
        height=min(event_pane.PANE_HEIGHT, tables.ROW_HEIGHT * len(found["rows"]) + tables.HEADER_HEIGHT),
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=event_table.event_columns(page.palette(), zone, found["rows"], dated=dated, seen=seen),
        on_select=_row_chosen,
        selection_mode="single-row",
        alt="Account events, newest first",
    )


def _row_chosen() -> None:
    if selection.is_echo("events-table"):
        return
    view.choose_row(selection.clicked("events-table"))
    if view.is_wide() and view.chosen() is not None:
        st.session_state["page-again"] = True


def _drawer() -> None:
    seq = view.chosen()

    @st.dialog(f"Event {fmt.count(seq or 0)}", position="right", width=560, on_dismiss=_dismissed)
    def draw() -> None:
        event_pane.page_again()
        chosen = view.chosen()
        if chosen is not None:
            event_pane.draw_chosen(chosen, "drawer", ("dock beside the table", "dock"))

    draw()


def _dismissed() -> None:
    view.choose(None)
