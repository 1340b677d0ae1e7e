"""Since you last looked: five lines about what is newer than this browser's mark, which only the browser keeps."""

import re
from collections.abc import Callable
from datetime import tzinfo
from functools import cache
from typing import Any, Final

import streamlit as st

from coindcx_feed.errors import FeedError
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import page, scripts, theme

NONE: Final = "none"
"""What a browser without a mark says."""
OWN: Final = "system"
"""Events that this program tells of itself."""
_mark = re.compile(r"([\w-]{1,64}):(\d{1,15})", re.ASCII).fullmatch

Told = dict[str, Any]
Line = tuple[str, str]


def parse_mark(text: object) -> tuple[str, int] | None:
    """Read a mark, epoch and number, as a browser keeps it; anything else is none."""
    match = _mark(text) if isinstance(text, str) else None
    return None if match is None else (match.group(1), int(match.group(2)))


@page.part(None)
def since() -> None:
    """Show what happened meanwhile, once per visit: what comes while the page is open is not news."""
    state, status = st.session_state, page.service().status()
    upto = state.setdefault("since-upto", status["version"])
    told = _told(state.get("since-mark"), upto)
    lines = lines_of(told) if told is not None and is_news(told) else None
    data = {
        "mark": state.get("since-mark"),
        "is_first": parse_mark(state.get("since-mark")) is None,
        "newest": f"{told['epoch'] if told else status['epoch']}:{upto}",
        "title": "" if told is None else title_of(told, page.zone()),
        "lines": lines,
    }
    _component()(key="since", data=data, on_mark_change=_marked, on_woke_change=_woke)


def _told(text: str | None, upto: int) -> Told | None:
    mark, state = parse_mark(text), st.session_state
    if mark is None:
        return None
    if state.get("since-told", (None,))[0] != (mark, upto):
        try:
            told: Told | None = page.service().since.told(*mark, upto)
        except FeedError:
            told = None  # the log cannot be read now, which other pages say; the mark stays for the next visit
        state["since-told"] = (mark, upto), told
    found: Told | None = state["since-told"][1]
    return found


def _marked() -> None:
    said = st.session_state["since"]["mark"]
    st.session_state["since-mark"] = said if parse_mark(said) else NONE


def _woke() -> None:
    # The browser is asked again: another tab may have moved the mark meanwhile.
    st.session_state["since-upto"], st.session_state["since-mark"] = page.service().version(), None


def is_news(told: Told) -> bool:
    """Say whether the account moved, or was not watched: this program's own events are no news."""
    moved = sum(number for kind, number in told["events"].items() if kind != OWN)
    return bool(moved or told["gaps"]["count"])


def title_of(told: Told, zone: tzinfo) -> str:
    """Say which time is meant."""
    until_ms = told["until_ms"]
    start = fmt.clock(told["since_ms"], zone, today=until_ms, digits=-1)
    lead = "" if told["is_known"] else "another series, from its beginning: "
    return f"{lead}{start} to {fmt.clock(until_ms, zone, digits=-1)}"


def lines_of(told: Told) -> list[Line]:
    """Build the five lines, as text: names of currencies come from the feed."""
    return [
        ("Events", _events(told)),
        ("Orders", _orders(told["ended"])),
        ("Positions", _positions(told)),
        ("Balances", _wallets(told["wallets"])),
        ("Gaps", _gaps(told["gaps"])),
    ]


def _events(told: Told) -> str:
    found = {kind: number for kind, number in told["events"].items() if kind != OWN}
    parts = [f"{theme.type_label(kind)} {fmt.count(number)}" for kind, number in found.items()]
    if not told["is_whole"]:
        parts.append("older ones are no longer in memory")
    return " · ".join(parts) or "none"


def _orders(ended: dict[str, int]) -> str:
    parts = [f"{theme.STATUS_GLYPHS[name]} {fmt.count(number)} {name}" for name, number in ended.items() if number]
    return " · ".join(parts) or "none ended"


def _positions(told: Told) -> str:
    parts = [f"{fmt.count(told[name])} {name}" for name in ("opened", "closed") if told[name]]
    if told["unknown"]:
        parts.append(f"{fmt.count(told['unknown'])} not known before")
    if told["liquidations"]:
        parts.append(f"⚠ {fmt.count(told['liquidations'])} liquidation rows")
    return " · ".join(parts) or "none opened or closed"


def _wallets(wallets: list[dict[str, Any]]) -> str:
    parts = []
    for wallet in wallets:
        change = wallet["change"]
        text = fmt.rounded(wallet["total"]) if change is None else fmt.rounded(change, signed=True)
        text = fmt.in_currency(text, wallet["currency"])
        said = f"now {text}, new" if change is None else text
        parts.append(f"{fmt.visible(wallet['currency'], 20)} {said}")
    return " · ".join(parts) or "unchanged"


def _gaps(gaps: dict[str, Any]) -> str:
    if not gaps["count"]:
        return "none"
    return f"{fmt.count(gaps['count'])}, {fmt.duration(gaps['away_s'])} not watched"


@cache
def _component() -> Callable[..., Any]:
    return scripts.component("since", html='<section class="since" role="region" hidden></section>')
