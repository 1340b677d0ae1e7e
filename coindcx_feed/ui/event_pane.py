"""The details of the chosen event beside a table or tape, and what stands where no event is."""

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from coindcx_feed.ui import cards, details, filters, nodes, page, view
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.nodes import Node

PANE_HEIGHT: Final = 664
TAPE_PARTS: Final = ("part-live_tape", "part-tape_pane")
"""On the tape the pane is a part of its own: a choice draws both anew."""


def page_again() -> None:
    """Run the whole page when a part has asked for it."""
    # Only the page itself can open or close a drawer; a part of it has to ask.
    if st.session_state.pop("page-again", False):
        st.rerun()


def tape_again() -> None:
    """Draw tape and pane anew at the end of a callback: a press in one part otherwise runs that part only."""
    st.rerun(list(TAPE_PARTS))


def pane() -> None:
    """Draw the pane, or how to read the page while no event is chosen."""
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
            if view.is_tape() and key == "pane":
                tape_again()

    event = (find or page.service().event)(seq)
    details.draw(event, page.zone(), _now_ms(), key=key, move=move, on_select=clicked)


def _now_ms() -> float:
    now_ms: float = page.service().status()["now_ms"]
    return now_ms


def nothing(found: view.View) -> None:
    """Say why there is no event to show, and offer to drop the filter."""
    nodes.show([empty_node(found)], key="empty", now_ms=_now_ms())
    if _is_heard() and filters.is_filtered(found["wanted"]):
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button("Clear filters", on_click=filters.clear, key="clear-filters")


def empty_node(found: view.View) -> Node:
    """Build the box: no event yet, none since the view was cleared, or none that matches."""
    if not _is_heard():
        return cards.no_events(page.service().status(), page.zone())
    cleared = bool(st.session_state.get("cleared_at"))
    text = "New events appear here as they arrive." if cleared else "The filter above leaves nothing of what is kept."
    title = "View cleared" if cleared else "No event matches"
    return cards.empty(title, f"{fmt.count(found['kept'])} kept. {text}")


def _is_heard() -> bool:
    # The connection's own events are always there: an idle account has none of the others.
    return bool(page.service().select({"types": list(filters.DEFAULT_TYPES)}, limit=1)["matching"])
