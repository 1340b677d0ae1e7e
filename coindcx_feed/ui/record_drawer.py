"""The raw record behind a row of any page, over its right side: chosen by its ``seq``, drawn by the page itself."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import StoreError
from coindcx_feed.ui import details, page, time_cursor
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node, div, node

OPENER: Final = "The record of its last update: fields, raw JSON, timeline, related events."


def opener(seq: int) -> Node:
    """Build the button that opens the last record behind an order, position or wallet; see ``chosen_in``."""
    return node("button", "copy", "details", select=seq, title=OPENER)


def chosen_in(key: str) -> Callable[[], None]:
    """Return the callback for nodes that hold an ``opener``.

    Args:
        key: The place of the nodes on the page.
    """

    def clicked() -> None:
        seq = st.session_state[key]["selected"]
        if isinstance(seq, int | float):
            choose(int(seq))

    return clicked


def unknown(what: str, named: str | None, known: Iterable[str]) -> Node | None:
    """Say in one line that the address names something that is not there; nothing when it does not.

    Args:
        what: Order, position or wallet.
        named: What the address names, if anything.
        known: What there is.
    """
    if named is None or named in known:
        return None
    text = f"Expected the id of a known {what} in the address, was {fmt.visible(named, 60)}: choose one below."
    return div("notice plain", node("p", "text", text), key="unknown")


def choose(seq: int | None) -> None:
    """Remember which record to open; a callback. The part that was clicked must call ``page_again``."""
    st.session_state["record-seq"] = seq
    st.session_state["record-again"] = True


def page_again() -> None:
    """Let the page open or close the drawer: a part of it has to ask."""
    if st.session_state.pop("record-again", False):
        st.rerun()


def draw() -> None:
    """Open the drawer if a record is chosen. Called by the page, after its parts."""
    state = st.session_state
    if state.get("record-page") != state.get("page"):
        # A record that was chosen on another page is no longer asked for.
        state["record-page"], state["record-seq"] = state.get("page"), None
    seq = state.get("record-seq")
    if seq is None:
        return

    @st.dialog(f"Event {fmt.count(seq)}", position="right", width=560, on_dismiss=_dismissed)
    def drawer() -> None:
        page_again()
        chosen = state.get("record-seq")
        if chosen is not None:
            details.draw(
                found(chosen),
                page.zone(),
                time_cursor.now_ms(),
                key="record",
                move=("close", "close"),
                on_select=_clicked,
            )

    drawer()


def found(seq: int) -> dict[str, Any] | None:
    """Look an event up in memory, then in the log; as of a moment nothing later is told of it."""
    service, at = page.service(), time_cursor.shown_seq()
    event: dict[str, Any] | None = service.event(seq)
    if event is None:
        try:
            event = service.past.event(seq)
        except StoreError:
            return None
    if event is None or at is None:
        return event
    known = {name: [row for row in event[name] if row["seq"] <= at] for name in ("timeline", "related")}
    return event | known if seq <= at else None


def _clicked() -> None:
    asked: Any = st.session_state["record-head"]["selected"]
    choose(int(asked) if isinstance(asked, int | float) else None)


def _dismissed() -> None:
    st.session_state["record-seq"] = None
