"""The grid of orders: the cells of each row, made once, and how their columns are shown."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

import pyarrow as pa
import streamlit as st

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import tables, theme
from coindcx_feed.ui.tables import PerRow, Row
from coindcx_feed.ui.theme import Palette


class _Cells(NamedTuple):
    """What the grid shows of one order; or its columns."""

    updated: Any
    status: Any
    pair: Any
    side: Any
    kind: Any
    price: Any
    avg: Any
    quantity: Any
    filled: Any
    leverage: Any
    created: Any
    id: Any


def orders_table(orders: Sequence[Row]) -> pa.Table:
    found = [_cells(order) for order in orders]
    cells = _Cells(*(zip(*found, strict=True) if found else [()] * len(_Cells._fields)))
    return pa.table(
        {
            "updated": pa.array(cells.updated, tables.TIME),
            "status": tables.labels(cells.status),
            "pair": pa.array(cells.pair, tables.FEW),
            "side": tables.labels(cells.side),
            "kind": pa.array(cells.kind, tables.FEW),
            "price": pa.array(cells.price, pa.float64()),
            "avg": pa.array(cells.avg, pa.float64()),
            "quantity": pa.array(cells.quantity, pa.float64()),
            "filled": pa.array(cells.filled, pa.float64()),
            "leverage": pa.array(cells.leverage, pa.float64()),
            "created": pa.array(cells.created, tables.TIME),
            "id": pa.array(cells.id, pa.string()),
        }
    )


def _made(order: Row) -> _Cells:
    created_ms, share = order["created_ms"], order["filled_share"]
    return _Cells(
        updated=int(order["updated_ms"] or order["received_ms"]),
        status=tables.chip(theme.status_label(order["status"] or "?")),
        pair=tables.chip(order["pair"] or ""),
        side=tables.chip(theme.side_label(order["side"] or "?")),
        kind=tables.chip(theme.words((order["order_type"] or "").removesuffix("_order"))),
        price=tables.binary(order["price"]),
        avg=tables.binary(order["avg_price"]),
        quantity=tables.binary(order["quantity"]),
        filled=None if share is None else share * 100,
        leverage=tables.binary(order["leverage"]),
        created=None if created_ms is None else int(created_ms),
        id=fmt.short_id(order["id"]),
    )


_cells = PerRow(_made)


def order_columns(
    palette: Palette, zone: tzinfo, rows: Sequence[Row], *, dated: bool, seen: Iterable[str]
) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    exact = "For sorting; the exact text is below, in the selected order."
    return {
        "updated": tables.time_column("Updated", zone, dated=dated, width=78, digits=0),
        "status": tables.chip_column("Status", tables.status_colors(seen), palette, 132),
        "pair": text("Pair", width=98),
        "side": tables.chip_column("Side", tables.side_colors(), palette, 70),
        "kind": text("Order type", width=100),
        "price": tables.figure_column("Price", 96, rows, "price", f"In the pair's quote currency. {exact}"),
        "avg": tables.figure_column("Average fill", 100, rows, "avg_price", exact),
        "quantity": tables.figure_column("Quantity", 86, rows, "quantity", exact),
        "filled": _progress("Filled, %", palette),
        "leverage": number("Leverage", width=76, format="%g×"),
        "created": tables.time_column("Created", zone, dated=dated, width=78, digits=0),
        "id": text("Id", width=80, help="First 8 characters; whole below, in the selected order."),
    }


def _progress(label: str, palette: Palette) -> Any:
    column = st.column_config.ProgressColumn
    return column(label, width=150, format="%.0f", min_value=0, max_value=100, color=palette.blue)
