"""Export of all matching stored events from the History page."""

from functools import partial
from typing import Any, Final

import streamlit as st

from coindcx_feed.ui import filters, page
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.downloads import download
from coindcx_feed.ui.exports import ICON, fetched
from coindcx_feed.ui.history_range import Range, command

MIME: Final = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
MOST: Final = 250_000
"""Events that a browser's download may have: the server holds the file in memory until it is fetched."""


def export_menu(chosen: Range, matching: int | None) -> None:
    """Draw the menu.

    Args:
        matching: How many events it would write; ``None`` when they could not be counted.
    """
    with st.popover("Export", icon=":material/download:", key="past-export"):
        if not matching:
            st.caption("Nothing matches: there is nothing to export.")
            return
        wanted = filters.criteria()
        line = command(chosen, wanted)
        if matching > MOST:
            st.caption(
                f"{fmt.count(matching)} events are too many for a download ({fmt.count(MOST)} at most). The command "
                "line writes any number of them, a slice at a time:"
            )
            st.code(line, language=None, wrap_lines=True)
            return
        st.caption(f"All {fmt.count(matching)} matching events, not only the rows shown. Times in UTC, money as sent.")
        for kind, mime in MIME.items():
            make = partial(fetch, kind, page.service().past, wanted, chosen)
            download(kind.upper(), make, f"{_stem()}.{kind}", mime, f"past-export-{kind}", ICON)
        make = partial(_description, page.service().past, wanted, chosen)
        note = "Description (filter, gaps, versions)"
        download(note, make, f"{_stem()}.meta.json", MIME["json"], "past-export-meta", None)


def _stem() -> str:
    return "DEMO-coindcx-history" if page.service().status()["mode"] == "demo" else "coindcx-history"


def fetch(kind: str, past: Any, wanted: filters.Criteria, chosen: Range) -> bytes:
    """Make a file and return its content; nothing of it stays on the disk."""
    made = past.export(wanted, kind, *chosen)
    return fetched(made["path"], made["meta_path"])


def _description(past: Any, wanted: filters.Criteria, chosen: Range) -> bytes:
    made = past.export(wanted, "csv", *chosen)
    return fetched(made["meta_path"], made["path"])
