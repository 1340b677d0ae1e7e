"""Streamlit finishes what a reader pressed before it looks whether another run is wanted.

As it comes, it may stop a run for the next one before the callbacks of the press were called, or in the middle of one:
each look at the session's state is such a moment. The press is then forgotten. On a busy machine that were 2 of 40
presses which another run followed at once, measured with Streamlit 1.67.
"""

from typing import Any, Final

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import SafeSessionState

_called: Final = SafeSessionState.on_script_will_rerun


def finish() -> None:
    """Let callbacks end before a run is stopped, in every session of this process; called once, by the launcher."""
    SafeSessionState.on_script_will_rerun = _to_the_end  # type: ignore[method-assign, assignment]


def _to_the_end(state: SafeSessionState, *args: Any, **kwargs: Any) -> None:
    context = get_script_run_ctx()
    if context is None or context.script_requests is None:
        _called(state, *args, **kwargs)
        return
    held = vars(context.script_requests)
    held["on_scriptrunner_yield"] = _nothing_yet
    try:
        _called(state, *args, **kwargs)
    finally:
        held.pop("on_scriptrunner_yield", None)


def _nothing_yet() -> None:
    """Answer that no other run is wanted; the question is asked again right behind the callbacks."""
