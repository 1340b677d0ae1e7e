"""Export of all matching events, and copying the rows shown."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlit as st

from coindcx_feed.analysis.cells import neutralised
from coindcx_feed.ui import filters, nodes, page, view
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui.downloads import download

MIME: Final = {"csv": "text/csv", "json": "application/json"}
ICON: Final = ":material/download:"
COPIED: Final = ("seq", "received_utc", "type", "pair", "side", "status", "price", "quantity", "filled_quantity", "id")


def export_menu() -> None:
    """Draw the menu. The upper ``seq`` is fixed at the click, not when the menu was drawn."""
    with st.popover("Export", icon=":material/download:", key="export"):
        st.caption("All matching events that are kept, not only the rows shown. Times in UTC, money as sent.")
        question = _question()
        for kind, mime in MIME.items():
            download(kind.upper(), partial(fetch, kind, *question), f"{_stem()}.{kind}", mime, f"export-{kind}", ICON)
        note = "Description (filter, gaps, versions)"
        download(note, partial(_description, *question), f"{_stem()}.meta.json", MIME["json"], "export-meta", None)
        copy_rows()


def _stem() -> str:
    return "DEMO-coindcx-events" if page.service().status()["mode"] == "demo" else "coindcx-events"


def _question() -> tuple[Any, filters.Criteria, int | None, int]:
    # Bound here, because a download runs outside of any script: it must not touch the session.
    state = st.session_state
    return page.service(), filters.criteria(), state.get("paused_at"), state.get("cleared_at", 0)


def fetch(kind: str, service: Any, wanted: filters.Criteria, upto: int | None, after: int) -> bytes:
    made = service.export(wanted, kind, upto=upto, after=after)
    return fetched(made["path"], made["meta_path"])


def _description(service: Any, wanted: filters.Criteria, upto: int | None, after: int) -> bytes:
    made = service.export(wanted, "csv", upto=upto, after=after)
    return fetched(made["meta_path"], made["path"])


def fetched(path: str, *others: str) -> bytes:
    """Return the content of a file that was made for a download, and delete it with what was made beside it."""
    # The browser gets its own copy; what stayed behind would hold account data for no one.
    content = Path(path).read_bytes()
    for name in (path, *others):
        with suppress(OSError):
            Path(name).unlink()
    return content


@page.part(None)
def copy_rows() -> None:
    """Offer the rows shown as tab-separated text for the clipboard."""
    found = view.current()
    rows, folded = found.get("every", []), found["folded"]
    label = f"Copy {fmt.count(len(rows))} rows" + (f", {fmt.count(folded)} of them folded" if folded else "")
    button = nodes.node("button", "copy", label, copy=as_tabs(rows))
    nodes.show([button] if rows else [], key="copy-rows")


def as_tabs(rows: list[dict[str, Any]]) -> str:
    """Write rows as tab-separated lines that paste into a spreadsheet; texts that could be formulas are neutralised."""
    lines = ["\t".join(COPIED)]
    for row in rows:
        cells = {**row, "received_utc": fmt.utc(row["received_ms"])}
        texts = ["" if cells[name] is None else str(cells[name]) for name in COPIED]
        lines.append("\t".join(_cell(name, text) for name, text in zip(COPIED, texts, strict=True)))
    return "\n".join(lines)


def _cell(name: str, text: str) -> str:
    flat = " ".join(text.split())
    return flat if name in ("seq", "price", "quantity", "filled_quantity") else neutralised(flat)
