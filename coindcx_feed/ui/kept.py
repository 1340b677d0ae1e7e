"""Texts that a reader's browser keeps for this program: choices and names that were typed, nothing of the account."""

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from coindcx_feed.ui import scripts


def keep(name: str, *, is_wanted: bool, write: str | None, on_text: Callable[[str], None]) -> None:
    """Ask this browser what it keeps, and let it keep something else.

    Args:
        name: Which text. One component of a name may be on a page.
        is_wanted: Whether an answer is of use; the browser answers once per visit, and not when it keeps nothing.
        write: What to keep from now on; an empty text is forgotten, ``None`` leaves it as it is.
        on_text: Called with the answer, before the page runs again. A browser may answer anything.
    """

    def answered() -> None:
        text = st.session_state[f"kept-{name}"]["text"]
        if isinstance(text, str):
            on_text(text)

    data = {"name": name, "is_wanted": is_wanted, "write": write}
    _component()(key=f"kept-{name}", data=data, on_text_change=answered)


@cache
def _component() -> Callable[..., Any]:
    return scripts.component("kept")
