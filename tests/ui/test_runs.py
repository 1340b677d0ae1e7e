"""One run of a page that follows another at once."""

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner import RerunData, ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.state import SafeSessionState
from streamlit.testing.v1 import AppTest

from coindcx_feed.ui import runs


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in (
        (SafeSessionState, "on_script_will_rerun"),
        (AppSession, "_handle_scriptrunner_event_on_event_loop"),
        (AppSession, "request_rerun"),
        (ForwardMsgQueue, "clear"),
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


def _session() -> AppSession:
    files, script = MemoryUploadedFileManager("/upload"), ScriptData("app.py", is_hello=False)
    return AppSession(script, files, ScriptCache(), lambda: None, {}, session_id_override="one")


async def _passed_on(event: ScriptRunnerEvent = ScriptRunnerEvent.ENQUEUE_FORWARD_MSG) -> tuple[list[ForwardMsg], bool]:
    """Let a runner that has ended send something while the next one is there already."""
    session = _session()
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


def _drawn(part: str) -> ForwardMsg:
    message = ForwardMsg()
    message.delta.new_element.text.body = part
    message.delta.fragment_id = part
    message.metadata.delta_path.extend([0, ("one", "two").index(part)])
    return message


def _left_for_the_browser(next_parts: list[str] | None) -> list[str]:
    """Draw a whole page, and let another run begin before anything was sent; of a whole page without parts."""
    queue = ForwardMsgQueue()
    for part in ("one", "two"):
        queue.enqueue(_drawn(part))
    ended = ForwardMsg()
    ended.script_finished = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
    queue.enqueue(ended)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=next_parts)
    return [message.delta.new_element.text.body or str(message.script_finished) for message in queue.flush()]


@pytest.mark.usefixtures("mended")
def test_part_that_runs_again_leaves_what_the_whole_page_drew() -> None:
    """A page that is drawn anew as a whole needs none of it; then the end of the one before is no end either."""
    assert _left_for_the_browser(["two"]) == ["one", "two", "0"]
    assert _left_for_the_browser(None) == ["2"]


def test_streamlit_itself_says_a_page_was_drawn_and_drops_a_part() -> None:
    """Once it does not, this can go, too."""
    assert _left_for_the_browser(["two"]) == ["one", "0"]


async def _asked(page: str, part: str) -> bool:
    """Ask for something while the page "new" is waited for, and say whether the runner heard of it."""
    heard: list[RerunData] = []

    class Runner:
        _requests = SimpleNamespace(_rerun_data=RerunData(page_script_hash="new"))

        def request_rerun(self, wanted: RerunData) -> bool:
            heard.append(wanted)
            return True

        def request_stop(self) -> None:
            """End with the session."""

    session: Any = _session()
    session._scriptrunner, session.has_fragment = Runner(), lambda _: True
    session.request_rerun(ClientState(page_script_hash=page, fragment_id=part))
    return bool(heard)


@pytest.mark.usefixtures("mended")
async def test_part_of_the_old_page_is_not_asked_for_when_a_new_one_is_waited_for() -> None:
    """Parts of the new page are, and any whole page: that is another click."""
    assert not await _asked("old", "part")
    assert await _asked("new", "part")
    assert await _asked("old", "")


async def test_streamlit_itself_goes_back_to_the_old_page() -> None:
    """Once it does not, this can go, too."""
    assert await _asked("old", "part")
