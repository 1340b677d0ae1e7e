"""The Events page's other look: the live tape, with the details of the chosen event beside it."""

from typing import Any

import streamlit as st

from coindcx_feed.ui import event_pane, filters, page, tape, view


def draw() -> None:
    """Draw the tape and, docked, the pane beside it."""
    if view.is_wide():
        live_tape()
        return
    grid = st.grid(5, min_column_width=255, gap="small")
    with grid.cell(column_span=3):
        live_tape()
    with grid.cell(column_span=2), st.container(border=True, height=event_pane.PANE_HEIGHT, key="pane"):
        tape_pane()


@page.part(None)
def live_tape() -> None:
    """Draw the tape; it runs again when something is chosen or a ticket is asked for, never for an event."""
    event_pane.page_again()
    found = view.current()
    if found["error"] is not None:
        filters.problem(found["error"])
        return
    state = st.session_state
    tape.show(
        found["wanted"],
        key="tape",
        zone=page.zone(),
        empty=event_pane.empty_node(found),
        after=state.get("cleared_at", 0),
        paused_at=state.get("paused_at"),
        chosen=view.chosen(),
        on_pressed=_pressed,
    )


@page.part(page.FAST_S)
def tape_pane() -> None:
    """Draw the details; what happens to an order goes on while they are read."""
    event_pane.page_again()
    event_pane.pane()


def _pressed() -> None:
    pressed: Any = st.session_state["tape"]["pressed"]
    if not isinstance(pressed, int | float):
        return
    view.choose(int(pressed))
    if view.is_wide():
        st.session_state["page-again"] = True
    else:
        event_pane.tape_again()
