"""The time range of the History page: presets, or two times in the page's zone. Its state lives in the address."""

import shlex
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

import streamlit as st

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import page

CUSTOM: Final = "Custom"
PRESETS: Final = ("1 h", "Today", "Yesterday", "7 d", "All", CUSTOM)
DEFAULT: Final = "Today"
STEP: Final = timedelta(minutes=5)
HOUR_MS: Final = 3_600_000
_ADDRESS: Final = "%Y-%m-%dT%H:%MZ"


class Range(NamedTuple):
    """From ``from_ms`` on and before ``to_ms``, Unix ms; ``None`` leaves an end open."""

    from_ms: float | None
    to_ms: float | None


def resolve(preset: str, now_ms: float, zone: tzinfo) -> Range:
    """Return the range of a preset as of now."""
    today = fmt.day(now_ms, zone)
    if preset == "1 h":
        return Range((now_ms - HOUR_MS) // 60_000 * 60_000, None)
    if preset == "Today":
        return Range(today[0], None)
    if preset == "Yesterday":
        return Range(fmt.day(today[0] - 1, zone)[0], today[0])
    if preset == "7 d":
        first = fmt.moment(now_ms, zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=6)
        return Range(first.timestamp() * 1000, None)
    return Range(None, None)


def bar() -> Range:
    """Draw the choice and return what is chosen now."""
    now_ms, zone = float(page.service().status()["now_ms"]), page.zone()
    preset = st.segmented_control(
        "Range",
        PRESETS,
        default=DEFAULT,
        required=True,
        key="span",
        label_visibility="collapsed",
        bind="query-params",
    )
    if preset != CUSTOM:
        for name in ("from", "to"):
            st.query_params.pop(name, None)
        return resolve(preset or DEFAULT, now_ms, zone)
    start, end = fmt.day(now_ms, zone)[0], (now_ms // 60_000 + 1) * 60_000
    return Range(_time("From", "from", start, zone), _time("To", "to", end, zone))


def _time(label: str, key: str, default_ms: float, zone: tzinfo) -> float | None:
    widget = f"span-{key}"
    if widget not in st.session_state:
        named = read_address(st.query_params.get(key, ""))
        st.session_state[widget] = fmt.moment(default_ms if named is None else named, zone).replace(tzinfo=None)
    st.datetime_input(
        label, key=widget, step=STEP, format="YYYY-MM-DD", label_visibility="collapsed", width=190, help=None
    )
    chosen: Any = st.session_state[widget]
    if chosen is None:
        st.query_params.pop(key, None)
        return None
    at = chosen.replace(tzinfo=zone).astimezone(UTC)
    st.query_params[key] = at.strftime(_ADDRESS)
    return float(at.timestamp() * 1000)


def read_address(text: str) -> float | None:
    """Read a time as an address holds it, UTC to the minute; anything else is none."""
    try:
        return datetime.strptime(text, _ADDRESS).replace(tzinfo=UTC).timestamp() * 1000
    except ValueError:
        return None


def words(chosen: Range, first_ms: float | None, now_ms: float, zone: tzinfo) -> str:
    """Say what a range covers."""
    begin = first_ms if chosen.from_ms is None else chosen.from_ms
    start = "the beginning" if begin is None else fmt.clock(begin, zone, today=now_ms, digits=-1)
    end = "now" if chosen.to_ms is None else fmt.clock(chosen.to_ms, zone, today=now_ms, digits=-1)
    return f"{start} to {end}"


def command(chosen: Range, wanted: dict[str, Any]) -> str:
    """Return the command that exports the same without a browser."""
    parts = ["coindcx-feed export"]
    for option, ms in (("--from", chosen.from_ms), ("--to", chosen.to_ms)):
        if ms is not None:
            parts.append(f"{option} {fmt.moment(ms, UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}")
    for name in ("types", "pairs", "sides", "statuses"):
        if wanted.get(name):
            parts.append(f"--{name} {shlex.quote(','.join(wanted[name]))}")
    for name, option in (("text", "--search"), ("price_min", "--price-min"), ("price_max", "--price-max")):
        if wanted.get(name):
            parts.append(f"{option} {shlex.quote(wanted[name])}")
    return " ".join(parts)
