"""The time cursor: ``?at=SEQ`` shows a page as of that stored event. The bar to move it, and the mark of the past."""

import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import StoreError
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import moment_bar, nodes, page, past, reader
from coindcx_feed.ui.nodes import Node
from coindcx_feed.ui.page import Part
from coindcx_feed.ui.past import Past

REACHES: Final = {"All": 0, "±1,000": 1_000, "±50": 50}
"""How far the slider reaches around the moment, in events: a pixel of a long log is many events."""
NO_LOG: Final = "There is no durable log to look back into. Set COINDCX_STORE_URL to keep one."
NO_LOG_HERE: Final = "This dashboard follows another process and keeps no log; look back in that one's dashboard."
MAX_TYPED: Final = 40

_FRAME: Final = """
[data-testid='stMain']::before,[data-testid='stMain']::after{position:fixed;inset:0;pointer-events:none;z-index:1000}
[data-testid='stMain']::before{content:'';border:9px solid;border-image:repeating-linear-gradient(135deg,
#B98A1C 0 6px,transparent 6px 12px) 9}
[data-testid='stMain']::after{content:'PAST';display:flex;align-items:center;justify-content:center;
font:700 min(26vw,22rem) sans-serif;letter-spacing:.08em;color:#B98A1C;opacity:.09;transform:rotate(-18deg)}
"""


def begin(name: str) -> bool:
    """Draw what stands on top of a page: the status line of now, or the bar of the moment.

    Args:
        name: The page's name, for the window title.
    Returns:
        Whether there is something to show below; not for an address that names no stored event.
    """
    state = st.session_state
    named = _named(name)
    state["moment"] = None
    if named is None:
        page.begin(name)
        return True
    state["page"] = name
    reader.settle()
    st.html(f"<style>{page.style()}{_FRAME}</style>")
    found = page.service().moments.find(named)
    if found["moment"] is None:
        _refuse(found, name)
        return False
    state["moment"] = found["moment"]
    _bar(found["moment"], name)
    return True


def _named(name: str) -> str | None:
    # Following a link of the navigation empties the address: the moment goes along from page to page.
    state, text = st.session_state, st.query_params.get("at")
    if text is None and state.get("at") is not None and state.get("page") != name:
        text = st.query_params["at"] = state["at"]
    state["at"] = text
    return text


def part(every_s: float) -> Callable[[Part], Part]:
    """Like ``page.part``, but in the past nothing refreshes by itself: there is nothing new."""

    def decorate(draw: Part) -> Part:
        moving, unmoved = page.part(every_s)(draw), page.part(None)(draw)

        @wraps(draw)
        def drawn() -> None:
            (unmoved if is_past() else moving)()

        return drawn

    return decorate


def is_past() -> bool:
    """Say whether the page shows a moment of the past."""
    return st.session_state.get("moment") is not None


def shown_seq() -> int | None:
    """Return the event whose moment is shown, ``None`` for now."""
    moment = st.session_state.get("moment")
    return None if moment is None else int(moment["seq"])


def source() -> Any:
    """Return who answers the page's questions: the service, or the past in the same words."""
    moment = st.session_state.get("moment")
    return page.service() if moment is None else Past(page.service(), moment)


def now_ms() -> float:
    """Return the time that the page shows, Unix ms."""
    shown_ms: float = source().status()["now_ms"]
    return shown_ms


def gaps(since_ms: float) -> list[dict[str, Any]]:
    """Return the times away from the exchange that a chart from ``since_ms`` on must shade, newest first."""
    found: list[dict[str, Any]] = source().gaps(since_ms) if is_past() else page.service().gaps()
    return found


def show(children: Iterable[Node | None], *, key: str, on_select: Callable[[], None] | None = None) -> None:
    """Render nodes; in the past their ages stand still."""
    if is_past():
        at_ms = now_ms()
        children = [past.still(child, at_ms) for child in children]
    nodes.show(children, key=key, now_ms=time.time() * 1000, on_select=on_select)


def look_back() -> None:
    """Draw the button that leads from now into the past."""
    if is_past():
        return
    has_past = stored_span() is not None
    note = "Show this page as of an earlier event: step, scrub, or type a time."
    if not has_past:
        note = NO_LOG_HERE if page.service().status().get("following") else NO_LOG
    st.button(
        "Look back", icon=":material/history:", key="look-back", on_click=_enter, disabled=not has_past, help=note
    )


def stored_span() -> dict[str, Any] | None:
    """Return first and last number and time of the log; ``None`` without one that can be read."""
    try:
        span: dict[str, Any] | None = page.service().moments.span()
    except StoreError:
        return None
    return span


def _enter() -> None:
    span = stored_span()
    if span is not None:
        go(span["newest_seq"])


def go(seq: int) -> None:
    """Move the moment; a callback."""
    st.query_params["at"] = st.session_state["at"] = str(seq)
    st.session_state["cursor-note"] = None


def leave() -> None:
    """Return to now; a callback."""
    st.query_params.pop("at", None)
    for key in ("at", "moment", "cursor-note", "cursor-bounds"):
        st.session_state[key] = None


def _refuse(found: dict[str, Any], name: str) -> None:
    mode = page.service().status()["mode"]
    nodes.show(
        [moment_bar.refusal(found["problem"])],
        key="cursor-refused",
        title=f"◷ no such moment · {name}{_mode_word(mode)}",
    )
    with st.container(horizontal=True, gap="small"):
        nearest = found["nearest"]
        if nearest is not None:
            label = f"Show event {fmt.count(nearest)}, the nearest"
            st.button(label, icon=":material/history:", key="cursor-nearest", on_click=go, args=(nearest,))
        st.button("Back to now", icon=":material/play_arrow:", key="cursor-leave", on_click=leave)


def _mode_word(mode: str) -> str:
    return "" if mode == "live" else f" · {mode.upper()}"


def _bar(moment: dict[str, Any], name: str) -> None:
    zone, mode = page.zone(), page.service().status()["mode"]
    shown = fmt.clock(moment["received_ms"], zone, digits=0)
    title = f"◷ {shown} in the past · {name}{_mode_word(mode)}"
    nodes.show(
        moment_bar.bar_nodes(moment, mode, zone, st.session_state.get("cursor-note")), key="cursor-bar", title=title
    )
    seq = moment["seq"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="cursor-controls"):
        _step_button("before", "chevron_left", seq, seq <= moment["first_seq"])
        _slider(moment)
        _step_button("after", "chevron_right", seq, seq >= moment["newest_seq"])
        st.segmented_control(
            "Reach", tuple(REACHES), default="All", required=True, key="cursor-reach", label_visibility="collapsed"
        )
        st.text_input(
            "Go to a time",
            key="cursor-time",
            placeholder="go to 14:02:11",
            max_chars=MAX_TYPED,
            label_visibility="collapsed",
            width=140,
            on_change=_typed,
        )
        st.button("Back to now", icon=":material/play_arrow:", key="cursor-leave", on_click=leave)
        reader.choice()


def _step_button(way: str, icon: str, seq: int, is_end: bool) -> None:
    label = {"before": "Previous", "after": "Next"}[way]
    st.button(label, icon=f":material/{icon}:", key=f"cursor-{way}", on_click=_step, args=(way, seq), disabled=is_end)


def _step(way: str, seq: int) -> None:
    moments = page.service().moments
    found = moments.before(seq) if way == "before" else moments.after(seq)
    if found is not None:
        go(found)


def _slider(moment: dict[str, Any]) -> None:
    state = st.session_state
    reach, before = state.get("cursor-reach"), state.get("cursor-bounds")
    low, high = bounds(moment, REACHES[reach or "All"], before)
    state["cursor-bounds"] = (reach, low, high)
    if low == high:
        return
    # Other ends make another slider. Else it is set only to move it: that replaces what the reader is moving meanwhile.
    if before is None or before[1:] != (low, high) or state.get("cursor-seq") != moment["seq"]:
        state["cursor-seq"] = moment["seq"]
    st.slider(
        "Event", low, high, key="cursor-seq", step=1, on_change=_scrubbed, label_visibility="collapsed", format="%d"
    )


def bounds(moment: dict[str, Any], reach: int, before: tuple[Any, int, int] | None) -> tuple[int, int]:
    """Return first and last event of the slider.

    They stay while the moment moves inside, and while new events come: nothing shifts under the thumb.

    Args:
        reach: Events to either side, 0 for the whole log.
        before: Word of the reach, first and last of the last time.
    """
    seq, first, newest = moment["seq"], moment["first_seq"], moment["newest_seq"]
    if before is not None and REACHES.get(before[0] or "All") == reach and max(before[1], first) <= seq <= before[2]:
        return max(before[1], first), before[2]
    return (first, newest) if not reach else (max(first, seq - reach), min(newest, seq + reach))


def _scrubbed() -> None:
    # A number that was lost to the log has no moment: the one before it has.
    nearest = page.service().moments.nearest(int(st.session_state["cursor-seq"]))
    if nearest is not None:
        go(nearest)


def _typed() -> None:
    state, zone = st.session_state, page.zone()
    typed = state["cursor-time"] or ""
    moment = state.get("moment")
    if not typed.strip() or moment is None:
        return
    at_ms = past.parse_time(typed, zone, moment["received_ms"])
    if at_ms is None:
        shown = fmt.visible(typed, MAX_TYPED)
        state["cursor-note"] = f"Expected a time like 14:02:11 or 2026-11-22 14:02, was {shown!r}."
        return
    found = page.service().moments.seq_at(at_ms)
    go(moment["first_seq"] if found is None else found)
    asked = fmt.clock(at_ms, zone, today=moment["received_ms"], digits=0)
    lead = "Nothing is stored from before" if found is None else "The last event up to"
    state["cursor-note"] = f"{lead} {asked}{': this is the first event kept' if found is None else ' is shown'}."
    state["cursor-time"] = ""
