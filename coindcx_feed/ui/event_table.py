"""The grid of events: the cells of each row, made once, and how their columns are shown."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

import pyarrow as pa
import streamlit as st

from coindcx_feed.analysis import dictionary
from coindcx_feed.analysis.changes import NO_CHANGE
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import tables, theme
from coindcx_feed.ui.tables import PerRow, Row
from coindcx_feed.ui.theme import Palette


def events_table(rows: Sequence[Row], *, wide: bool) -> pa.Table:
    """Build the events table.

    Args:
        wide: Add price, quantity, id and delay; the docked layout has no room for them.
    """
    found = [_cells(row) for row in rows]
    cells = _Cells(*(zip(*found, strict=True) if found else [()] * len(_Cells._fields)))
    columns: dict[str, pa.Array] = {
        "time": pa.array(cells.time, tables.TIME),
        "type": tables.labels(cells.type),
        "pair": pa.array(cells.pair, tables.FEW),
        "side": tables.labels(cells.side),
        "status": tables.labels(cells.status),
        "changed": pa.array(_in_lakhs(rows, cells.changed), pa.string()),
    }
    if wide:
        columns["price"] = pa.array(cells.price, pa.float64())
        columns["quantity"] = pa.array(cells.quantity, pa.float64())
        columns["delay"] = pa.array(cells.delay, pa.float64())
        columns["id"] = pa.array(cells.id, pa.string())
    return pa.table(columns)


def _in_lakhs(rows: Sequence[Row], changed: Sequence[str]) -> Sequence[str]:
    # Cells are kept for every reader; this is one reader's choice.
    if not fmt.is_indian("INR"):
        return changed
    pairs = zip(rows, changed, strict=True)
    return [fmt.all_in_currency(text, row["pair"]) if row["type"] == "balance" else text for row, text in pairs]


class _Cells(NamedTuple):
    """What the grid shows of one event; or its columns."""

    time: Any
    type: Any
    pair: Any
    side: Any
    status: Any
    changed: Any
    price: Any
    quantity: Any
    delay: Any
    id: Any


def _made(row: Row) -> _Cells:
    side, status = row["side"], row["status"]
    return _Cells(
        time=int(row["received_ms"]),
        type=tables.chip(theme.type_label(row["type"])),
        pair=tables.chip(row["pair"] or ""),
        side="" if side is None else tables.chip(theme.side_label(side)),
        status="" if status is None else tables.chip(theme.status_label(status)),
        changed=fmt.visible(_changed(row)),
        price=tables.binary(row["price"]),
        quantity=tables.binary(row["quantity"]),
        delay=delay_ms(row),
        id=fmt.short_id(row["id"]),
    )


_cells = PerRow(_made)


def _changed(row: Row) -> str:
    # System events change nothing: what they say stands in the same column.
    text = fmt.trimmed(row["what_changed"] or row["message"] or "")
    if "folded" in row:
        text = f"{NO_CHANGE} ×{fmt.count(1 + len(row['folded']))}"
    return f"late · {text}" if row["late"] else text


def delay_ms(row: Row) -> float | None:
    """Return the time from the exchange's stamp to here, if the record has a stamp."""
    if row["exchange_ms"] is None:
        return None
    received_ms: float = row["received_ms"]
    return float(round(received_ms - row["exchange_ms"]))


def event_columns(
    palette: Palette, zone: tzinfo, rows: Sequence[Row], *, dated: bool, seen: Iterable[str]
) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "time": tables.time_column("Time", zone, dated=dated, width=92),
        "type": tables.chip_column("Type", tables.type_colors(), palette, 92),
        "pair": st.column_config.TextColumn("Pair", width=98),
        "side": tables.chip_column("Side", tables.side_colors(), palette, 66),
        "status": tables.chip_column("Status", tables.status_colors(seen), palette, 140),
        "changed": st.column_config.TextColumn("What changed", width=300),
        "price": tables.figure_column("Price", 90, rows, "price", "Exact text in the details."),
        "quantity": tables.figure_column("Quantity", 110, rows, "quantity", "Exact text in the details."),
        "delay": number("Delay, ms", width=72, format="%d", help=dictionary.tip("Delay")),
        "id": st.column_config.TextColumn("Id", width=76, help="First 8 characters; whole in the details."),
    }
