"""What a reader chose, kept in the address. A run that was asked for before a choice still brings the one of then."""

import time
from typing import Final

import streamlit as st

ECHO_S: Final = 2.0
"""After so long a browser has heard of a new address; one that is older then was gone back to."""


def chosen(name: str) -> str | None:
    """Return what the address names, or what was chosen a moment ago where the browser has not heard of it yet."""
    named, written = st.query_params.get(name), st.session_state.get(f"address-{name}")
    if written is None or named == written[0]:
        return named
    value, before, at = written
    if named == before and time.monotonic() - at < ECHO_S:
        st.query_params[name] = value
        found: str = value
        return found
    return named


def choose(name: str, value: str) -> None:
    """Write a choice into the address; to be called in a callback."""
    before = st.query_params.get(name)
    if before != value:
        st.session_state[f"address-{name}"] = (value, before, time.monotonic())
        st.query_params[name] = value
