"""Texts that a reader's browser keeps for this program: choices and names that were typed, nothing of the account."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from coindcx_feed.ui import scripts


def keep(name: str, *, is_wanted: bool, on_text: Callable[[str], None]) -> None:
    """Ask this browser what it keeps, and tell it what was written since.

    Args:
        name: Which text. One component of a name may be on a page.
        is_wanted: Whether an answer is of use; the browser answers once per visit, and not when it keeps nothing.
        on_text: Called with the answer, before the page runs again. A browser may answer anything.
    """

    def answered() -> None:
        text = st.session_state[f"kept-{name}"]["text"]
        if isinstance(text, str):
            on_text(text)

    data = {"name": name, "is_wanted": is_wanted, "write": st.session_state.get(f"kept-write-{name}")}
    _component()(key=f"kept-{name}", data=data, on_text_change=answered)


def write(name: str, text: str) -> None:
    """Let this browser keep another text from now on; an empty one is forgotten. To be called in a callback."""
    # Told with every run, as what one of them draws may be dropped for the next one: a browser writes each just once.
    st.session_state[f"kept-write-{name}"] = {"id": str(time.time_ns()), "text": text}


@cache
def _component() -> Callable[..., Any]:
    return scripts.component("kept")
