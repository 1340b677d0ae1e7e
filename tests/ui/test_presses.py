"""A press while the next run is already asked for."""

import pytest
from streamlit.runtime.state import SafeSessionState
from streamlit.testing.v1 import AppTest

from coindcx_feed.ui import presses


def _page() -> None:
    import streamlit as st  # the body is a script of its own
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

    def press() -> None:
        context = get_script_run_ctx()
        assert context is not None
        assert context.script_requests is not None
        # As a browser would, in the worst moment.
        context.script_requests.request_rerun(RerunData(query_string="next=yes"))
        st.session_state["began"] = True
        st.session_state["ended"] = True

    st.session_state["next"] = st.query_params.get("next")
    st.button("Press", on_click=press)


def _pressed() -> AppTest:
    page = AppTest.from_function(_page).run()
    return page.button[0].click().run()


def test_press_is_worked_on_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what asked for the next run still gets it."""
    monkeypatch.setattr(SafeSessionState, "on_script_will_rerun", SafeSessionState.on_script_will_rerun)
    presses.finish()
    page = _pressed()
    assert page.session_state["began"]
    assert page.session_state["ended"]
    assert page.session_state["next"] == "yes"


def test_streamlit_itself_breaks_off_a_press() -> None:
    """Once it does not, ``ui/presses.py`` can go."""
    assert "began" not in _pressed().session_state
