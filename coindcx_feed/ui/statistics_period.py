"""The period and the pairs of the Statistics page. Both live in the address."""

from datetime import tzinfo
from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import filters, page
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.history_range import HOUR_MS, Range

PERIODS: Final = ("Today", "24 h", "7 d", "30 d", "All")
DEFAULT: Final = "7 d"
_MINUTE_MS: Final = 60_000
_HOURS: Final = {"24 h": 24, "7 d": 7 * 24, "30 d": 30 * 24}


def resolve(period: str, now_ms: float, zone: tzinfo) -> Range:
    """Return the range of a period as of now: whole minutes, today from the reader's midnight."""
    if period == "Today":
        return Range(fmt.day(now_ms, zone)[0], None)
    hours = _HOURS.get(period)
    return Range(None if hours is None else (now_ms - hours * HOUR_MS) // _MINUTE_MS * _MINUTE_MS, None)


def bar() -> tuple[Range, tuple[str, ...]]:
    """Draw the choices and return what is chosen now."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="stats-bar"):
        period = st.segmented_control(
            "Period",
            PERIODS,
            default=DEFAULT,
            required=True,
            key="period",
            label_visibility="collapsed",
            bind="query-params",
        )
        filters.choices("Pairs", filters.offered("pairs", _pairs()), "pairs", "All pairs")
        st.button("Refresh", icon=":material/refresh:", key="stats-refresh", help="Ask the log again, up to now.")
    chosen: Any = st.session_state["pairs"]
    return resolve(period or DEFAULT, float(page.service().status()["now_ms"]), page.zone()), tuple(chosen)


def _pairs() -> list[str]:
    service = page.service()
    try:
        stored = service.past.seen()["pairs"]
    except FeedError:
        stored = []  # what is wrong is said where the figures would be
    return list(dict.fromkeys([*service.status()["pairs"], *stored]))
