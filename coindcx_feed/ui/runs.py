"""What Streamlit 1.67 forgets when one run of a page follows another at once; with this it does not.

A press: a run may be stopped for the next one before the callbacks of the press were called, or in the middle of one:
each look at the session's state is such a moment. On a busy machine 2 of 40 presses were lost to a run behind them.

The last messages of a run: a request that comes after its end, yet before they are passed on, starts a new runner, and
whatever another one sent is dropped. On a busy machine these were 14 pieces of pages in two minutes; where the request
is for a part only, they stay away until the whole page runs again.
"""

from typing import Any, Final

import streamlit as st
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import ScriptRunner, ScriptRunnerEvent, get_script_run_ctx
from streamlit.runtime.state import SafeSessionState

_call_back: Final = SafeSessionState.on_script_will_rerun
_pass_on: Final = AppSession._handle_scriptrunner_event_on_event_loop


def forget_nothing() -> None:
    """Mend both for every session of this process; called once, by the launcher."""
    SafeSessionState.on_script_will_rerun = _call_back_to_the_end  # type: ignore[method-assign, assignment]
    AppSession._handle_scriptrunner_event_on_event_loop = _pass_on_of_both  # type: ignore[method-assign, assignment]


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
