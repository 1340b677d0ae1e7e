"""A page of Streamlit's own that does nothing but refresh: what each run of a part costs without us."""

import streamlit as st


@st.fragment(run_every=0.5)
def fast() -> None:
    st.text("one line")


@st.fragment(run_every=1.0)
def steady() -> None:
    st.text("one line")


fast()
steady()
