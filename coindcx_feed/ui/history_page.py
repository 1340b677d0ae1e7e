"""The History page: what the durable log holds of a range. What a range amounts to is on Statistics."""

from typing import Any

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import cards, filters, nodes, page, view
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.history_export import export_menu
from coindcx_feed.ui.history_range import Range, bar, words
from coindcx_feed.ui.history_table import drawer, stored_events
from coindcx_feed.ui.nodes import Node, div, span


def render() -> None:
    """Draw the page."""
    stored = begin("History")
    if stored is not None:
        _events(_choices(), stored)


def begin(name: str) -> dict[str, Any] | None:
    """Begin a page over the log and return what of it is stored; ``None`` when nothing can be shown, which is said."""
    page.begin(name)
    try:
        stored: dict[str, Any] = page.service().past.span()
    except FeedError as error:
        unreadable(error)
        return None
    if stored["first_ms"] is None:
        nodes.show([nothing(stored["is_kept"])], key="past-none")
        return None
    return stored


def _choices() -> Range:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="past-bar"):
        chosen = bar()
        st.button("Refresh", icon=":material/refresh:", key="past-refresh", help="Ask the log again, up to now.")
    state = st.session_state
    state["past-range"], state["past-run"] = chosen, state.get("past-run", 0) + 1
    return chosen


def _events(chosen: Range, stored: dict[str, Any]) -> None:
    filters.filter_bar(also=_pairs())
    counted = _count(chosen)
    if counted is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="past-line"):
        nodes.show(count_nodes(counted, chosen, stored), key="past-counts")
        export_menu(chosen, counted["matching"])
    if not counted["matching"]:
        _no_match(counted)
        return
    stored_events()
    if view.is_wide() and view.chosen() is not None:
        drawer()


def _pairs() -> list[str]:
    try:
        pairs: list[str] = page.service().past.seen()["pairs"]
    except FeedError:
        return []  # what is wrong is said where the events would be
    return pairs


def _count(chosen: Range) -> dict[str, int] | None:
    """Count before anything is loaded, and say what is not understood."""
    past, wanted = page.service().past, filters.criteria()
    try:
        with st.spinner("Counting in the log…"):
            inside = past.count({}, *chosen)
            counted: dict[str, int] = past.count(wanted, *chosen)
    except FeedError as error:
        st.warning("This range or filter is not understood, or the log cannot be read; nothing is shown until it is.")
        st.code(fmt.visible(str(error), 400), language=None, wrap_lines=True)
        return None
    st.session_state["past-matching"] = counted["matching"]
    return {**counted, "inside": inside["matching"]}


def count_nodes(counted: dict[str, int], chosen: Range, stored: dict[str, Any]) -> list[Node | None]:
    """Build the line: matching, of how many in the range, what the range is, order and zone."""
    now_ms, zone = page.service().status()["now_ms"], page.zone()
    covers = words(chosen, stored["first_ms"], now_ms, zone)
    return [
        div(
            "small",
            span("strong", fmt.count(counted["matching"])),
            span("muted", " matching of "),
            span("strong", fmt.count(counted["inside"])),
            span("muted", f" stored from {covers} · newest first · times in {fmt.zone_name(zone, now_ms)}"),
        )
    ]


def _no_match(counted: dict[str, int]) -> None:
    if not counted["inside"]:
        nodes.show([cards.empty("Nothing was stored in this range", "Choose another one, or All.")], key="past-empty")
        return
    text = f"{fmt.count(counted['inside'])} are stored in this range. The filter above leaves none of them."
    nodes.show([cards.empty("No event matches", text)], key="past-empty")
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button("Clear filters", on_click=filters.clear, key="past-clear")


def nothing(is_kept: bool) -> Node:
    """Build what stands here while there is no past."""
    if not is_kept:
        text = "Events live in memory only: COINDCX_STORE_URL is none. Leave it out, and the log is a file here."
        if page.service().status().get("following"):
            text = "This dashboard follows another process and keeps nothing; that one's dashboard shows its log."
        return cards.empty("There is no durable log", text)
    return cards.empty("The log is empty", "The first event is stored when it arrives; it appears here then.")


def unreadable(error: FeedError) -> None:
    """Say that the log cannot be read, as text."""
    st.warning("The durable log cannot be read now. The feed goes on; what happens meanwhile is on Events.")
    st.code(fmt.visible(str(error), 400), language=None, wrap_lines=True)
