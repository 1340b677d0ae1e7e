"""Which events the Events page shows: asked of the service once per change, pausable, clearable."""

import time
from typing import Any, Final
from weakref import WeakKeyDictionary

import pyarrow as pa
import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import event_table, filters, page
from coindcx_feed.ui import format as fmt
from coindcx_feed.views.folding import fold, stands_for

LIMIT: Final = 500
"""Rows sent to the browser; all matching ones are counted and exported."""
CARDS: Final = 100
"""Newest matching events on the tape."""
PAINT_S: Final = 0.12
"""A grid needs about so long to appear: a click that comes sooner was meant for the one before."""

SHARED: Final = 32
"""Views that several readers may have open at the same moment: each is worked out once."""

View = dict[str, Any]
Look = tuple[bool, ...]
"""Tape, wide, repeats, rupees in lakh and crore: what a table depends on beside its rows."""
_shared: WeakKeyDictionary[Any, dict[Any, View]] = WeakKeyDictionary()


def current() -> View:
    """Return what to show now: rows, counts, table, or an error.

    Nothing is asked or built while neither the feed nor the filter moved.
    """
    state, service = st.session_state, page.service()
    wanted, look = filters.criteria(), (is_tape(), is_wide(), with_repeats(), fmt.is_indian("INR"))
    upto, after = state.get("paused_at"), state.get("cleared_at", 0)
    version = service.version()
    asked = (upto if upto is not None else version, after, repr(wanted), look, service.epoch())
    known: View | None = state.get("events-view")
    if known is not None and known["asked"] == asked:
        return known
    shared = _shared.setdefault(service, {})
    try:
        view = shared.get(asked) or _asked_of(asked, wanted, known)
    except FeedError as error:
        return {"asked": None, "error": error, "rows": [], "matching": 0, "kept": 0, "folded": 0, "wanted": wanted}
    _share(shared, view)
    _remember_frame(view)
    state["events-view"] = view
    return view


def _asked_of(asked: tuple[Any, ...], wanted: filters.Criteria, known: View | None) -> View:
    upto, after, _, look, _ = asked
    tape, _, repeats, _ = look
    found = page.service().select(wanted, limit=CARDS if tape else LIMIT, upto=upto, after=after)
    every = found["rows"]
    rows = every if tape or repeats else fold(every)
    shown = {**found, "rows": rows, "every": every, "folded": len(every) - len(rows)}
    return {"asked": asked, "error": None, "wanted": wanted, **shown, "table": _table(rows, look, known)}


def _share(shared: dict[Any, View], view: View) -> None:
    if len(shared) >= SHARED:
        shared.clear()
    shared[view["asked"]] = view


def _table(rows: list[dict[str, Any]], look: Look, known: View | None) -> pa.Table | None:
    tape, wide, *_ = look
    if tape:
        return None
    # New events outside the filter move the version, not the rows: the same table then costs the browser nothing.
    if known is not None and known["asked"] is not None and known["asked"][3] == look and known["rows"] == rows:
        table: pa.Table = known["table"]
        return table
    return event_table.events_table(rows, wide=wide)


def _remember_frame(view: View) -> None:
    state = st.session_state
    seqs = [row["seq"] for row in view["rows"]]
    shown = state.get("frames", [])
    if not shown or shown[-1][1] != seqs:
        state["frames"] = [*shown[-1:], (time.monotonic(), seqs)]


def chosen() -> int | None:
    """Return the ``seq`` of the chosen event."""
    seq: int | None = st.session_state.get("seq")
    return seq


def choose(seq: int | None) -> None:
    st.session_state["seq"] = seq


def choose_row(row: int | None) -> None:
    """Translate a click on a row into an event; rows move, events do not."""
    frames = st.session_state.get("frames", [])
    if row is None or not frames:
        choose(None)
        return
    is_fresh = time.monotonic() - frames[-1][0] < PAINT_S
    _, seqs = frames[-2] if is_fresh and len(frames) > 1 else frames[-1]
    choose(seqs[row] if row < len(seqs) else None)


def row_of_chosen(view: View) -> int | None:
    """Return where the chosen event stands now, ``None`` when it is not among the rows shown."""
    seq = chosen()
    if seq is None:
        return None
    return next((index for index, row in enumerate(view["rows"]) if stands_for(row, seq)), None)


def with_repeats() -> bool:
    """Say whether updates that change nothing have rows of their own."""
    # What is drawn before the choice asks, too: then only the address knows.
    return bool(st.session_state.get("repeats", st.query_params.get("repeats") == "true"))


def repeats_choice() -> None:
    """Draw the choice; it is part of the address."""
    note = "Updates that change nothing are one row with their number. Counts and exports always have every event."
    st.toggle("Show repeats", key="repeats", bind="query-params", help=note)


def is_tape() -> bool:
    """Say whether events are shown as a live tape instead of a table."""
    return st.query_params.get("look") == "tape"


def set_tape(tape: bool) -> None:
    """Choose the look; the choice is part of the address."""
    if tape:
        st.query_params["look"] = "tape"
    else:
        st.query_params.pop("look", None)


def is_wide() -> bool:
    """Say whether details open as a drawer, which leaves the whole width to the table."""
    return st.query_params.get("details") == "drawer"


def set_wide(wide: bool) -> None:
    """Choose where details open; the choice is part of the address."""
    if wide:
        st.query_params["details"] = "drawer"
    else:
        st.query_params.pop("details", None)


def pause() -> None:
    """Freeze the view at the newest event; a callback."""
    st.session_state["paused_at"] = page.service().version()
    st.session_state["paused_ms"] = page.service().status()["now_ms"]


def resume() -> None:
    """Let the view go on; a callback."""
    st.session_state["paused_at"] = None


def clear() -> None:
    """Hide everything up to now; nothing is deleted. A callback."""
    state = st.session_state
    paused_at = state.get("paused_at")
    state["cleared_at"] = page.service().version() if paused_at is None else paused_at
    state["cleared_ms"] = page.service().status()["now_ms"]


def undo_clear() -> None:
    """Show again what was hidden; a callback."""
    st.session_state["cleared_at"] = 0
