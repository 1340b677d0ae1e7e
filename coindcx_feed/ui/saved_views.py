"""Filters of the Events page that a reader gave a name. The browser keeps them; here they are only read and applied."""

from typing import Any, Final

import msgspec
import streamlit as st

from coindcx_feed.ui import filters, kept
from coindcx_feed.ui import format as fmt

MOST: Final = 20
MAX_NAME: Final = 40
MAX_VALUES: Final = 50
"""Of one list of a view."""
SLOT: Final = "views"

View = dict[str, Any]


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    # What a browser answers may have been edited by hand or written by another version.
    types: list[str] = []
    sides: list[str] = []
    pairs: list[str] = []
    statuses: list[str] = []
    q: str = ""
    min: str = ""
    max: str = ""


_decode = msgspec.json.Decoder(dict[str, _Kept]).decode


def parse(text: str) -> dict[str, View]:
    """Read what a browser keeps; empty when it is not understood.

    Returns:
        At most ``MOST`` views by name, each as the widgets of ``filters`` hold it.
    """
    try:
        found = _decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    named = {fmt.visible(name.strip(), MAX_NAME): view for name, view in found.items() if name.strip()}
    return {name: _bounded(view) for name, view in list(named.items())[:MOST]}


def _bounded(view: _Kept) -> View:
    lists = {key: [value[: filters.MAX_TYPED] for value in getattr(view, key)][:MAX_VALUES] for key in filters.LISTS}
    known = {"types": filters.TYPES, "sides": filters.SIDES}
    lists |= {key: [value for value in lists[key] if value in values] for key, values in known.items()}
    return {**lists, **{key: getattr(view, key)[: filters.MAX_TYPED] for key in filters.TYPED}}


def written(views: dict[str, View]) -> str:
    """Write views as a browser keeps them; nothing when there are none."""
    return msgspec.json.encode(views).decode() if views else ""


def present() -> View:
    """Return the filters as they are now."""
    state = st.session_state
    return {
        **{key: list(state.get(key) or ()) for key in filters.LISTS},
        **{key: state.get(key) or "" for key in filters.TYPED},
    }


def menu() -> None:
    """Draw the button with the names, a field for another one, and what keeps them."""
    views = _views()
    with st.popover("Views", icon=":material/bookmark:", key="views-menu", help="Filters that you gave a name"):
        for place, name in enumerate(views):
            _row(place, name)
        if not views:
            st.caption("None yet. Set filters, give them a name, and this browser keeps them.")
        st.text_input("Name of the present filters", key="view-name", max_chars=MAX_NAME, placeholder="open ETH orders")
        is_full = len(views) >= MOST
        note = f"{MOST} are kept at most: delete one first." if is_full else "One of the same name is replaced."
        st.button("Save view", key="view-save", on_click=_save, disabled=is_full, help=note)
    kept.keep(SLOT, is_wanted="views" not in st.session_state, on_text=_recall)


def _row(place: int, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        # A label is Markdown and these words are the reader's own, yet a browser may answer anything.
        st.button(_label(name), key=f"view-use-{place}", on_click=use, args=(name,), width="stretch")
        label = f"Delete {_label(name)}"
        st.button(label, icon=":material/delete:", key=f"view-drop-{place}", on_click=_drop, args=(name,))


def _label(name: str) -> str:
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()<>#+-.!|~:$&" else letter for letter in name)


def _views() -> dict[str, View]:
    found: dict[str, View] = st.session_state.get("views", {})
    return found


def _recall(text: str) -> None:
    st.session_state.setdefault("views", parse(text))


def _keep(views: dict[str, View]) -> None:
    st.session_state["views"] = views
    kept.write(SLOT, written(views))


def _save() -> None:
    name = fmt.visible((st.session_state.get("view-name") or "").strip(), MAX_NAME)
    if name:
        _keep({**_views(), name: present()})
        st.session_state["view-name"] = ""


def _drop(name: str) -> None:
    _keep({other: view for other, view in _views().items() if other != name})


def use(name: str) -> None:
    """Set every filter as the view has it; a callback."""
    view = _views().get(name)
    if view is not None:
        for key, value in view.items():
            st.session_state[key] = value
