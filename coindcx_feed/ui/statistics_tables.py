"""Tables of a period per day and pair: how orders ended, and money. Column heads read the data dictionary."""

from typing import Any, Final

import pyarrow as pa
import streamlit as st

from coindcx_feed.analysis import dictionary
from coindcx_feed.ui import format as fmt

Rows = list[dict[str, Any]]

GROUPS: Final = {"Pair": "pair", "Day": "day", "Day and pair": "both"}
_COUNTS: Final = ("ended", "filled", "cancelled", "rejected")


def orders_table(rows: Rows) -> pa.Table:
    return pa.table(
        {
            **_names(rows),
            **{name: pa.array([row[name] for row in rows], pa.int64()) for name in _COUNTS},
            "rate": _scaled(rows, "fill_rate", 100),
            "median": _scaled(rows, "median_fill_ms", 0.001),
            "mean": _scaled(rows, "mean_fill_ms", 0.001),
        }
    )


def money_table(rows: Rows) -> pa.Table:
    return pa.table(
        {
            **_names(rows),
            "currency": pa.array([fmt.visible(row["currency"], 20) for row in rows], pa.string()),
            "pnl": _amounts(rows, "pnl"),
            "closed": pa.array([row["closed"] for row in rows], pa.int64()),
            "rate": _scaled(rows, "win_rate", 100),
            "mean_pnl": _amounts(rows, "mean_pnl"),
            "volume": _amounts(rows, "volume"),
            "fills": pa.array([row["fills"] for row in rows], pa.int64()),
            **{name: _amounts(rows, name) for name in ("fees", "funding", "unrealized")},
        }
    )


def _amounts(rows: Rows, name: str) -> pa.Array:
    return pa.array([fmt.binary(row[name]) for row in rows], pa.float64())


def _scaled(rows: Rows, name: str, factor: float) -> pa.Array:
    return pa.array([None if row[name] is None else row[name] * factor for row in rows], pa.float64())


def _names(rows: Rows) -> dict[str, pa.Array]:
    # A column that says nothing in this grouping is left out.
    named = {}
    for name in ("day", "pair"):
        if any(row[name] is not None for row in rows):
            named[name] = pa.array([fmt.visible(row[name] or "", 40) for row in rows], pa.string())
    return named


def orders_columns() -> dict[str, Any]:
    return {
        **_name_columns(),
        "ended": _column("Ended", "Orders ended", 64),
        "filled": _column("● Filled", "Fill rate", 70),
        "cancelled": _column("⊘ Cancelled", "Cancelled share", 92),
        "rejected": _column("✕ Rejected", "Rejected share", 86),
        "rate": _column("Fill rate, %", "Fill rate", 86, "%.1f"),
        "median": _column("Median, s", "Median time to fill", 78, "%.1f"),
        "mean": _column("Mean, s", "Mean time to fill", 74, "%.1f"),
    }


def money_columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        **_name_columns(),
        "currency": text("In", width=58, help="Currency of every amount in this row."),
        "pnl": _column("PnL", "Total PnL", 84, "%,.2f"),
        "closed": _column("Closed", "Closed trades", 66),
        "rate": _column("Won, %", "Win rate", 66, "%.1f"),
        "mean_pnl": _column("PnL / trade", "PnL per closed trade", 88, "%,.4f"),
        "volume": _column("Volume", "Traded volume", 106, "%,.2f"),
        "fills": _column("Fills", "Fills", 60),
        "fees": _column("Fees", "Fees", 78, "%,.4f"),
        "funding": _column("Funding", "Funding", 80, "%,.4f"),
        "unrealized": _column("Unrealised", "Unrealised PnL", 92, "%,.2f"),
    }


def _column(label: str, figure: str, width: int, format: str = "%,d") -> Any:
    return st.column_config.NumberColumn(label, width=width, format=format, help=dictionary.tip(figure))


def _name_columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {"day": text("Day", width=88), "pair": text("Pair", width=110)}
