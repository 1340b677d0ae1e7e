"""What Streamlit 1.67 forgets when one run of a page follows another at once; with this it does not.

A press: a run may be stopped for the next one before the callbacks of the press were called, or in the middle of one:
each look at the session's state is such a moment. On a busy machine 2 of 40 presses were lost to a run behind them.

What a part drew with the whole page, if the part runs again before that was sent: it is dropped, yet the word that the
whole page was drawn is not. The browser then takes the part away and moves up all behind it, and what comes next has no
place: "Cannot set a node at a delta path".

A new page: a request for a part of the old one that the browser sent before it heard of the new one makes the old page
the wanted one again, or empties the new one.

The last messages of a run: a request that comes after its end, yet before they are passed on, starts a new runner, and
whatever another one sent is dropped. On a busy machine these were 14 pieces of pages in two minutes; where the request
is for a part only, they stay away until the whole page runs again.
"""

from typing import Any, Final

import streamlit as st
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import ScriptRunner, ScriptRunnerEvent, get_script_run_ctx
from streamlit.runtime.state import SafeSessionState

_call_back: Final = SafeSessionState.on_script_will_rerun
_pass_on: Final = AppSession._handle_scriptrunner_event_on_event_loop
_clear: Final = ForwardMsgQueue.clear
_ask: Final = AppSession.request_rerun


def forget_nothing() -> None:
    """Mend it for every session of this process; called once, by the launcher."""
    SafeSessionState.on_script_will_rerun = _call_back_to_the_end  # type: ignore[method-assign, assignment]
    AppSession._handle_scriptrunner_event_on_event_loop = _pass_on_of_both  # type: ignore[method-assign, assignment]
    ForwardMsgQueue.clear = _clear_for_whole_pages  # type: ignore[method-assign, assignment]
    AppSession.request_rerun = _ask_on_the_page_there_is  # type: ignore[method-assign, assignment]


def _call_back_to_the_end(state: SafeSessionState, *args: Any, **kwargs: Any) -> None:
    context = get_script_run_ctx()
    if context is None or context.script_requests is None:
        _call_back(state, *args, **kwargs)
        return
    held = vars(context.script_requests)
    held["on_scriptrunner_yield"] = _nothing_yet
    try:
        _call_back(state, *args, **kwargs)
    finally:
        held.pop("on_scriptrunner_yield", None)


def _nothing_yet() -> None:
    """Answer that no other run is wanted; the question is asked again right behind the callbacks."""


def _pass_on_of_both(
    session: AppSession, sender: ScriptRunner | None, event: ScriptRunnerEvent, *args: Any, **kwargs: Any
) -> None:
    current = session._scriptrunner
    # With fast reruns a runner is left while it still draws, and what it draws then is not wanted.
    is_left = sender is None or current is None or st.get_option("runner.fastReruns")
    if is_left or event is ScriptRunnerEvent.SHUTDOWN:
        _pass_on(session, sender, event, *args, **kwargs)
        return
    # All of it comes before anything of the new runner, which started after the old one's end.
    session._scriptrunner = sender
    try:
        _pass_on(session, sender, event, *args, **kwargs)
    finally:
        session._scriptrunner = current


def _clear_for_whole_pages(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    if fragment_ids_this_run is None:
        _clear(queue, retain_lifecycle_msgs)
    else:
        # Everything is sent in the order it was drawn; nothing of this run may be put before what stands there.
        queue._delta_index_map = {}


def _ask_on_the_page_there_is(session: AppSession, client_state: ClientState | None) -> None:
    runner = session._scriptrunner
    # What a runner was asked for last is what it runs or will run next; the first request of a browser names no page.
    newest = runner._requests._rerun_data if runner is not None else session._client_state
    is_of_a_part = client_state is not None and client_state.fragment_id
    if is_of_a_part and client_state is not None and newest.page_script_hash not in ("", client_state.page_script_hash):
        return
    _ask(session, client_state)
