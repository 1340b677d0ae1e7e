"""One run of a page that follows another at once."""

import inspect
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.state import SafeSessionState
from streamlit.testing.v1 import AppTest

from coindcx_feed.ui import runs


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in (
        (SafeSessionState, "on_script_will_rerun"),
        (AppSession, "_handle_scriptrunner_event_on_event_loop"),
    ):
        monkeypatch.setattr(owner, name, inspect.getattr_static(owner, name))
    runs.forget_nothing()


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


@pytest.mark.usefixtures("mended")
def test_press_is_worked_on_to_its_end() -> None:
    """And what asked for the next run still gets it."""
    page = _pressed()
    assert page.session_state["began"]
    assert page.session_state["ended"]
    assert page.session_state["next"] == "yes"


def test_streamlit_itself_breaks_off_a_press() -> None:
    """Once it does not, half of ``ui/runs.py`` can go."""
    assert "began" not in _pressed().session_state


async def _passed_on(event: ScriptRunnerEvent = ScriptRunnerEvent.ENQUEUE_FORWARD_MSG) -> tuple[list[ForwardMsg], bool]:
    """Let a runner that has ended send something while the next one is there already."""
    files, script = MemoryUploadedFileManager("/upload"), ScriptData("app.py", is_hello=False)
    session = AppSession(script, files, ScriptCache(), lambda: None, {}, session_id_override="one")
    ended: Any = object()
    following: Any = object()
    session._scriptrunner = following
    message = ForwardMsg()
    message.delta.new_element.text.body = "drawn"
    session._handle_scriptrunner_event_on_event_loop(ended, event, message)
    return session.flush_browser_queue(), session._scriptrunner is following


@pytest.mark.usefixtures("mended")
async def test_what_a_run_drew_is_passed_on_behind_its_end() -> None:
    """The next one is not disturbed by it, nor by the news that the runner is gone."""
    messages, is_undisturbed = await _passed_on()
    assert [message.delta.new_element.text.body for message in messages] == ["drawn"]
    assert is_undisturbed
    assert await _passed_on(ScriptRunnerEvent.SHUTDOWN) == ([], True)


async def test_streamlit_itself_drops_what_a_run_drew() -> None:
    """Once it does not, the other half can go."""
    assert await _passed_on() == ([], True)
