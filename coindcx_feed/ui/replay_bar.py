"""Pause, steps and pace of a replay, under the status line of every page."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import streamlit as st

from coindcx_feed.ui import page

SPEEDS: Final = ("step", "1", "10", "60", "max")
STEPS: Final = (1, 10, 100)
_SPEED: Final = "replay-speed"


class Possible(NamedTuple):
    """What makes sense now."""

    can_pause: bool
    can_resume: bool
    can_step: bool
    speeds: tuple[str, ...]


def possible(replay: dict[str, Any]) -> Possible:
    """Say which controls a replay takes: one that ended, failed or still waits takes none."""
    phase, speed = replay["phase"], replay["speed"]
    goes_on = phase in ("playing", "paused")
    is_stepped = speed == "step"
    return Possible(
        phase == "playing" and not is_stepped,
        phase == "paused",
        goes_on and (phase == "paused" or is_stepped),
        SPEEDS if speed in SPEEDS else (*SPEEDS, speed),
    )


@page.part(page.FAST_S)
def controls() -> None:
    """Draw them; a replay that is over has none."""
    replay = page.service().status()["replay"]
    if replay is None:
        return
    known = possible(replay)
    with st.container(horizontal=True, vertical_alignment="center"):
        _toggle(known)
        for count in STEPS:
            label = "Next event" if count == 1 else f"Next {count}"
            step = page.service().replaying.step
            st.button(
                label, key=f"replay-next-{count}", disabled=not known.can_step, on_click=_asked, args=(step, count)
            )
        st.segmented_control(
            "Speed", known.speeds, default=replay["speed"], required=True, key=_SPEED, on_change=_set_speed,
            format_func=_speed_label, label_visibility="collapsed",
        )  # fmt: skip


def _toggle(known: Possible) -> None:
    service = page.service().replaying
    if known.can_resume:
        st.button("Resume", icon=":material/play_arrow:", key="replay-resume", on_click=_asked, args=(service.resume,))
    else:
        pause = ":material/pause:"
        st.button(
            "Pause",
            icon=pause,
            key="replay-pause",
            disabled=not known.can_pause,
            on_click=_asked,
            args=(service.pause,),
        )


def _set_speed() -> None:
    _asked(page.service().replaying.set_speed, st.session_state[_SPEED])


def _speed_label(speed: str) -> str:
    return f"{speed}×" if speed[:1].isdigit() else speed


def _asked(action: Callable[..., dict[str, Any]], *arguments: object) -> None:
    answer = action(*arguments)
    if not answer["ok"]:
        st.toast(answer["message"])
