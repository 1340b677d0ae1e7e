"""Tables of a past range per day and pair: how orders ended, and money."""

from typing import Any, Final

import pyarrow as pa
import streamlit as st

from coindcx_feed.ui import format as fmt

Rows = list[dict[str, Any]]

GROUPS: Final = {"Day": "day", "Pair": "pair", "Day and pair": "both"}
_MONEY: Final = ("volume", "fees", "pnl", "funding", "unrealized")


def orders_table(rows: Rows) -> pa.Table:
    seconds = [None if row["mean_fill_ms"] is None else row["mean_fill_ms"] / 1000 for row in rows]
    return pa.table(
        {
            **_names(rows),
            **{name: pa.array([row[name] for row in rows], pa.int64()) for name in _COUNTS},
            "rate": pa.array([None if row["fill_rate"] is None else row["fill_rate"] * 100 for row in rows]),
            "time": pa.array(seconds, pa.float64()),
        }
    )


_COUNTS: Final = ("ended", "filled", "cancelled", "rejected")


def money_table(rows: Rows) -> pa.Table:
    return pa.table(
        {
            **_names(rows),
            "currency": pa.array([fmt.visible(row["currency"], 20) for row in rows], pa.string()),
            "fills": pa.array([row["fills"] for row in rows], pa.int64()),
            **{name: pa.array([fmt.binary(row[name]) for row in rows], pa.float64()) for name in _MONEY},
        }
    )


def _names(rows: Rows) -> dict[str, pa.Array]:
    # A column that says nothing in this grouping is left out.
    named = {}
    for name in ("day", "pair"):
        if any(row[name] is not None for row in rows):
            named[name] = pa.array([fmt.visible(row[name] or "", 40) for row in rows], pa.string())
    return named


def orders_columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        **_name_columns(),
        "ended": number("Ended", width=64, format="localized"),
        "filled": number("● Filled", width=70, format="localized"),
        "cancelled": number("⊘ Cancelled", width=92, format="localized"),
        "rejected": number("✕ Rejected", width=86, format="localized"),
        "rate": number("Fill rate, %", width=86, format="%.1f", help="Filled, of the orders that ended."),
        "time": number("Time to fill, s", width=100, format="%.1f", help="Mean, from creation to filled."),
    }


def money_columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        **_name_columns(),
        "currency": text("In", width=58, help="Currency of every amount in this row."),
        "fills": number("Fills", width=64, format="localized"),
        "volume": number("Volume", width=106, format="localized", step=0.01, help="Price × quantity of every fill."),
        "fees": number("Fees", width=78, format="localized", step=0.0001),
        "pnl": number("Realised PnL", width=96, format="localized", step=0.01, help="From the ledger."),
        "funding": number("Funding", width=80, format="localized", step=0.0001, help="Paid is negative."),
        "unrealized": number("Unrealised PnL", width=104, format="localized", step=0.01,
                             help="Last value known, computed here from marks."),
    }  # fmt: skip


def _name_columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {"day": text("Day", width=88), "pair": text("Pair", width=110)}
