"""The filter bar of the Events page. Its state lives in the address, so that a view can be shared."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import nodes, page, scripts, theme
from coindcx_feed.ui.nodes import div, node

Criteria = dict[str, Any]

TYPES: Final = ("order", "position", "balance", "fill", "ledger", "system")
DEFAULT_TYPES: Final = TYPES[:-1]
"""System events tell about this program, not about the account."""
SIDES: Final = ("buy", "sell")
LISTS: Final = ("types", "sides", "pairs", "statuses")
TYPED: Final = ("q", "min", "max")
"""Names in the address. What is typed is bound by Streamlit itself."""
MAX_TYPED: Final = 100
ALL: Final = "all"
"""Stands in the address for a list that was emptied although its default is not."""
CHOICE_WIDTH: Final = 134


def filter_bar(*more: Callable[[], None], also: Sequence[str] = ()) -> None:
    """Draw the widgets; ``criteria`` reads what they hold.

    Args:
        more: Draw what else belongs into the row.
        also: Pairs to offer besides those in memory.
    """
    seen = page.service().seen()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="filters"):
        _types()
        _sides()
        pairs = offered("pairs", [*page.service().status()["pairs"], *seen["pairs"], *also])
        choices("Pairs", pairs, "pairs", "All pairs")
        statuses = offered("statuses", [*theme.STATUS_GLYPHS, *seen["statuses"]])
        choices("Statuses", statuses, "statuses", "All statuses", theme.status_label)
        search("Search id or message")
        _price()
        for draw in more:
            draw()
    _address_notes()


def _types() -> None:
    linked("types", TYPES, DEFAULT_TYPES)
    st.segmented_control(
        "Types",
        TYPES,
        selection_mode="multi",
        format_func=theme.type_label,
        key="types",
        label_visibility="collapsed",
    )
    to_address("types", DEFAULT_TYPES)


def _sides() -> None:
    linked("sides", SIDES)
    st.segmented_control(
        "Sides",
        SIDES,
        selection_mode="multi",
        format_func=theme.side_label,
        key="sides",
        label_visibility="collapsed",
    )
    to_address("sides")


def linked(key: str, options: Sequence[str], default: Sequence[str] = ()) -> None:
    """Take a widget's first value from the address: Streamlit's own binding would write glyphs into it."""
    if key in st.session_state:
        return
    given = st.query_params.get_all(key)
    named = [part for name in given for part in ([name] if name in options else name.split(","))]
    st.session_state[key] = [] if named == [ALL] else [name for name in named if name in options] or list(default)
    strange = [name for name in named if name not in options and name != ALL]
    if strange:
        was = fmt.visible(", ".join(strange), MAX_TYPED)
        note = f"{key} in the address: expected some of {', '.join(options)}, was {was}: left out"
        st.session_state.setdefault("address-notes", []).append(note)


def _address_notes() -> None:
    """Say what the address asked for in vain, until the page runs again."""
    notes = st.session_state.pop("address-notes", ())
    if notes:
        nodes.show([div("small yellow", node("p", "", note)) for note in notes], key="address-notes-line")


def to_address(key: str, default: Sequence[str] = ()) -> None:
    """Write what a widget holds into the address, unless it is the default."""
    chosen = st.session_state[key]
    wanted = [] if sorted(chosen) == sorted(default) else chosen or [ALL]
    if st.query_params.get_all(key) == wanted:
        return
    if wanted:
        st.query_params[key] = wanted
    else:
        st.query_params.pop(key, None)


def choices(label: str, options: list[str], key: str, placeholder: str, words: Any = fmt.visible) -> None:
    """Draw a list to pick several from; nothing picked means all."""
    linked(key, options)
    st.multiselect(
        label,
        options,
        format_func=words,
        key=key,
        placeholder=placeholder,
        label_visibility="collapsed",
        width=CHOICE_WIDTH,
    )
    to_address(key)


def search(placeholder: str, width: int = 156) -> None:
    st.text_input(
        "Search",
        type="search",
        key="q",
        placeholder=placeholder,
        max_chars=MAX_TYPED,
        label_visibility="collapsed",
        width=width,
        live="300ms",
        bind="query-params",
    )
    _keys()(key="keys", data={"search": "q"})


@cache
def _keys() -> Callable[..., Any]:
    return scripts.component("keys")


def _price() -> None:
    low, high = st.session_state.get("min"), st.session_state.get("max")
    is_set = bool(low or high)
    with st.popover("Price", icon=":material/filter_alt:", type="primary" if is_set else "secondary"):
        st.text_input("Lowest price", key="min", max_chars=40, placeholder="for example 2900", bind="query-params")
        st.text_input("Highest price", key="max", max_chars=40, placeholder="for example 3000.5", bind="query-params")
        st.caption("Events without a price are left out while a limit is set.")


def offered(key: str, known: Iterable[str | None]) -> list[str]:
    """List the choices: what is known, and what the address or an earlier choice names even if it never occurred."""
    chosen = st.session_state.get(key) or st.query_params.get_all(key)
    named = [value[:MAX_TYPED] for value in chosen if isinstance(value, str)][:50]
    return list(dict.fromkeys(value for value in (*known, *named) if value))


def criteria() -> Criteria:
    """Return what the widgets hold as the service's filter; empty parts are left out."""
    state = st.session_state
    parts = {
        "types": list(state.get("types") or ()),
        "sides": list(state.get("sides") or ()),
        "pairs": list(state.get("pairs") or ()),
        "statuses": list(state.get("statuses") or ()),
        "text": (state.get("q") or "").strip(),
        "price_min": typed_number(state.get("min")),
        "price_max": typed_number(state.get("max")),
    }
    return {name: part for name, part in parts.items() if part}


def typed_number(text: str | None) -> str:
    """Return a typed figure as the service reads it: people type figures the way they are shown."""
    return (text or "").replace(",", "").replace(" ", "").replace(fmt.MINUS, "-")


def is_filtered(wanted: Criteria) -> bool:
    """Say whether anything beyond the default view is asked for."""
    return any(name != "types" for name in wanted) or sorted(wanted.get("types", ())) != sorted(DEFAULT_TYPES)


def clear() -> None:
    """Reset every filter; a callback."""
    for key in LISTS:
        st.query_params.pop(key, None)
        st.session_state[key] = list(DEFAULT_TYPES) if key == "types" else []
    for key in TYPED:
        st.session_state[key] = ""


def problem(error: FeedError) -> None:
    """Show a filter that is not understood, as text: it may repeat what was typed."""
    st.warning("This filter is not understood; the table below shows nothing until it is.")
    st.code(fmt.visible(str(error), 400), language=None, wrap_lines=True)
