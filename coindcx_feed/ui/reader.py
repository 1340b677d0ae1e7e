"""What a reader chose for every page: zone of times, grouping of rupees. In the address, and kept by the browser."""

import time
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import kept, oidc

CHOICES: Final = {
    "zone": {"browser": "This browser's", "ist": "IST", "utc": "UTC"},
    "grouping": {"thousands": "12,345,678", "indian": "1,23,45,678"},
}
"""Name in the address, its values and their words. The first value is the default and stays out of the address."""
LABELS: Final = {"zone": "Times", "grouping": "Amounts in INR"}
HELP: Final = {
    "grouping": "In figures, cards, charts, on the tape and in what changed. Columns of figures that sort keep "
    "thousands in every currency: a table cannot group them otherwise, and as text they would sort 2 after 12."
}
SLOT: Final = "reader"
_IST: Final = ZoneInfo("Asia/Kolkata")


def chosen(name: str) -> str:
    """Return the value chosen for one of ``CHOICES``."""
    value: str = st.session_state.get(f"reader-{name}") or _default(name)
    return value


def zone() -> tzinfo:
    """Return the zone that times are shown in; UTC while the browser's is unknown."""
    wanted = chosen("zone")
    return {"ist": _IST, "utc": UTC}.get(wanted) or browser_zone()


def browser_zone() -> tzinfo:
    """Return the zone of the browser itself, UTC while it is unknown."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC


def settle() -> None:
    """Take over what the address says, or write into it what was chosen before: each page has its own address."""
    state = st.session_state
    for name, values in CHOICES.items():
        named = st.query_params.get(name)
        if named in values:
            state[f"reader-{name}"] = named
        elif named is None and chosen(name) != _default(name):
            st.query_params[name] = chosen(name)
    group()


def group() -> None:
    """Let this run write rupees as chosen; to be called at the start of every part, because each has its own thread."""
    fmt.group_rupees(chosen("grouping") == "indian")


def choice() -> None:
    """Draw the button with the zone's name, and the choices behind it."""
    state = st.session_state
    with st.popover(_word(), icon=":material/schedule:", help="Zone of times and grouping of rupees", key="reader"):
        for name, values in CHOICES.items():
            # A widget's own state ends with its page; the choice does not.
            state[f"choice-{name}"] = chosen(name)
            st.segmented_control(
                LABELS[name],
                tuple(values),
                format_func=values.__getitem__,
                required=True,
                help=HELP.get(name),
                key=f"choice-{name}",
                on_change=_choose,
                args=(name,),
            )
        oidc.leave()
        st.caption("Kept by this browser. The address has it too, so that a link shows the same.")
    kept.keep(SLOT, is_wanted=_is_open(), on_text=_remember)


def _default(name: str) -> str:
    return next(iter(CHOICES[name]))


def _word() -> str:
    name = fmt.zone_name(zone(), _now_ms())
    return name.partition(" ")[0]


def _now_ms() -> float:
    return time.time() * 1000


def _is_open() -> bool:
    return all(f"reader-{name}" not in st.session_state for name in CHOICES)


def _choose(name: str) -> None:
    state = st.session_state
    state[f"reader-{name}"] = state[f"choice-{name}"]
    if chosen(name) == _default(name):
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = chosen(name)
    kept.write(SLOT, " ".join(chosen(each) for each in CHOICES))


def _remember(text: str) -> None:
    # What the address or this visit says goes before what was kept.
    for name, value in zip(CHOICES, text.split(), strict=False):
        if value in CHOICES[name]:
            st.session_state.setdefault(f"reader-{name}", value)
