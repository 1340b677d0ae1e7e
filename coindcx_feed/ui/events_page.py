"""The Events page: filters, counts, the table and the details of one event."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from coindcx_feed.ui import cards, details, exports, filters, nodes, page, tables, view
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, span

PANE_HEIGHT = 664


def render() -> None:
    """Draw the page."""
    page.begin("Events")
    filters.filter_bar(_pause_button, _clear_button, exports.export_menu)
    counts()
    events()
    if view.is_wide() and view.chosen() is not None:
        _drawer()


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
    """Say how much is shown of how much."""
    found = view.current()
    nodes.show(count_nodes(found), key="counts", now_ms=page.service().status()["now_ms"])


def count_nodes(found: view.View) -> list[Node | None]:
    """Build the line: shown, matching, kept, order, zone, and whether the view is held."""
    state = st.session_state
    parts: list[Node | None] = [
        span("strong", fmt.count(len(found["rows"]))),
        span("muted", " shown of "),
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
    """Draw the table and, docked, the pane beside it."""
    _page_again()
    found = view.current()
    if found["error"] is not None:
        filters.problem(found["error"])
        return
    if not found["rows"]:
        _nothing(found)
        return
    if view.is_wide():
        _table(found)
        return
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        _table(found)
    with grid.cell(column_span=2), st.container(border=True, height=PANE_HEIGHT, key="pane"):
        _pane()


def _page_again() -> None:
    # Only the page itself can open or close a drawer; a part of it has to ask.
    if st.session_state.pop("page-again", False):
        st.rerun()


def _table(found: view.View) -> None:
    status, zone = page.service().status(), page.zone()
    dated = tables.is_dated(
        (row["received_ms"] for row in (found["rows"][0], found["rows"][-1])), status["now_ms"], zone
    )
    seen = page.service().seen()["statuses"]
    page.place_selection("events-table", view.row_of_chosen(found))
    st.dataframe(
        found["table"],
        key="events-table",
        height=min(PANE_HEIGHT, tables.ROW_HEIGHT * len(found["rows"]) + tables.HEADER_HEIGHT),
        row_height=tables.ROW_HEIGHT,
        placeholder=fmt.UNKNOWN,
        hide_index=True,
        column_config=tables.event_columns(page.palette(), zone, found["rows"], dated=dated, seen=seen),
        on_select=_row_chosen,
        selection_mode="single-row",
        alt="Account events, newest first",
    )


def _row_chosen() -> None:
    view.choose_row(page.clicked_row("events-table"))
    if view.is_wide() and view.chosen() is not None:
        st.session_state["page-again"] = True


def _pane() -> None:
    seq = view.chosen()
    if seq is None:
        nodes.show(details.guide_nodes(), key="pane-guide")
        return
    draw_chosen(seq, "pane", ("open as drawer", "drawer"))


def draw_chosen(seq: int, key: str, move: tuple[str, str], find: Callable[[int], Any] | None = None) -> None:
    """Draw the details of one event, docked or in the drawer.

    Args:
        find: Looks the event up; among those in memory when left out.
    """

    def clicked() -> None:
        asked: Any = st.session_state[f"{key}-head"]["selected"]
        if asked in ("drawer", "dock"):
            view.set_wide(asked == "drawer")
            st.session_state["page-again"] = True
        elif isinstance(asked, int | float):
            view.choose(int(asked))
            st.session_state["page-again"] = key.endswith("drawer")  # its title names the event

    event = (find or page.service().event)(seq)
    details.draw(event, page.zone(), _now_ms(), key=key, move=move, on_select=clicked)


def _now_ms() -> float:
    now_ms: float = page.service().status()["now_ms"]
    return now_ms


def _nothing(found: view.View) -> None:
    status, zone = page.service().status(), page.zone()
    # The connection's own events are always there: an idle account has none of the others.
    heard = page.service().select({"types": list(filters.DEFAULT_TYPES)}, limit=1)["matching"]
    if not heard:
        nodes.show([cards.no_events(status, zone)], key="empty", now_ms=status["now_ms"])
        return
    cleared = bool(st.session_state.get("cleared_at"))
    text = "New events appear here as they arrive." if cleared else "The filter above leaves nothing of what is kept."
    title = "View cleared" if cleared else "No event matches"
    nodes.show([cards.empty(title, f"{fmt.count(found['kept'])} kept. {text}")], key="empty")
    if filters.is_filtered(found["wanted"]):
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button("Clear filters", on_click=filters.clear, key="clear-filters")


def _drawer() -> None:
    seq = view.chosen()

    @st.dialog(f"Event {fmt.count(seq or 0)}", position="right", width=560, on_dismiss=_dismissed)
    def draw() -> None:
        _page_again()
        chosen = view.chosen()
        if chosen is not None:
            draw_chosen(chosen, "drawer", ("dock beside the table", "dock"))

    draw()


def _dismissed() -> None:
    view.choose(None)
