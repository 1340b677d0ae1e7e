"""Rows as narrow Arrow tables with their column settings. Arrow, because it is built from columns without a detour."""

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import pyarrow as pa
import streamlit as st

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import theme
from coindcx_feed.ui.theme import Palette

Row = dict[str, Any]

ROW_HEIGHT: Final = 27
HEADER_HEIGHT: Final = 38
"""Header, border and a sideways scroll bar's room, pixels."""
EIGHT_DIGITS: Final = "%,.8g"
ALIGNED_PLACES: Final = 4
RECOVERED: Final = "What was found afterwards: by REST after the join, or read on from the feed that is followed."
KEPT_CELLS: Final = 4_000
"""Rows whose cells are remembered."""
T = TypeVar("T")
TIME = pa.timestamp("ms", tz="UTC")
_LABELS = pa.list_(pa.string())
FEW = pa.dictionary(pa.int16(), pa.string())


def positions_table(positions: Sequence[Row]) -> pa.Table:
    return pa.table(
        {
            "pair": words(position["pair"] for position in positions),
            "side": chips(theme.side_label(position["side"]) for position in positions),
            "currency": words(position["margin_currency"] for position in positions),
            "size": numbers(position["size"] for position in positions),
            "avg": numbers(position["avg_price"] for position in positions),
            "mark": numbers(position["mark_price"] for position in positions),
            "age": numbers(_whole(position["mark_age_s"]) for position in positions),
            "liquidation": numbers(position["liquidation_price"] for position in positions),
            "distance": numbers(_percent(position["liquidation_distance"]) for position in positions),
            "leverage": numbers(position["leverage"] for position in positions),
            "margin": numbers(position["margin"] for position in positions),
            "pnl": numbers(position["unrealized_pnl"] for position in positions),
            "share": numbers(_percent(position["pnl_share"]) for position in positions),
        }
    )


def gaps_table(gaps: Sequence[Row]) -> pa.Table:
    return pa.table(
        {
            "state": chips("◌ open" if gap["to_ms"] is None else "● closed" for gap in gaps),
            "from": times(gap["from_ms"] for gap in gaps),
            "to": times(gap["to_ms"] for gap in gaps),
            "away": texts(
                "" if gap["to_ms"] is None else fmt.duration((gap["to_ms"] - gap["from_ms"]) / 1000) for gap in gaps
            ),
            "recovered": texts(_recovered(gap) for gap in gaps),
            "cause": texts(_cause(gap) for gap in gaps),
        }
    )


def _cause(gap: Row) -> str:
    return "not watching: nobody looked, by COINDCX_UPSTREAM" if gap.get("is_on_demand") else gap["cause"]


def _recovered(gap: Row) -> str:
    recovered, unknown = gap.get("recovered"), gap.get("unknown")
    if recovered is None:
        return unknown or ("" if gap["to_ms"] is None else "not compared")
    if gap.get("is_read_on"):
        found = f"{recovered} records, read on" if recovered else "read on: nothing missed"
    else:
        found = f"{recovered} records by REST" if recovered else "compared: nothing missed"
    return f"{found}; {unknown}" if unknown else found


def kept_table(entries: Sequence[Row]) -> pa.Table:
    """Build the table of frames or records that were kept apart (quarantine, duplicates)."""
    return pa.table(
        {
            "at": times(entry["at_ms"] for entry in entries),
            "arrival": pa.array([entry["arrival"] for entry in entries], pa.int64()),
            "event": texts(entry["event"] for entry in entries),
            "reason": texts(entry["reason"] for entry in entries),
            "bytes": pa.array([entry.get("raw_bytes", len(entry["raw"])) for entry in entries], pa.int64()),
        }
    )


class PerRow(Generic[T]):
    """Makes the cells of a row once: of hundreds of rows a refresh brings a few new ones.

    The others are the same objects as before, and nobody changes a row. Threads: any; two may make the same cells.
    """

    def __init__(self, make: Callable[[Row], T]) -> None:
        self._make = make
        self._known: dict[int, tuple[Row, T]] = {}

    def __call__(self, row: Row) -> T:
        known = self._known.get(id(row))
        if known is not None and known[0] is row:
            return known[1]
        if len(self._known) >= KEPT_CELLS:
            self._known = {}
        cells = self._make(row)
        self._known[id(row)] = row, cells
        return cells


def times(values: Iterable[float | None]) -> pa.Array:
    return pa.array([None if value is None else int(value) for value in values], TIME)


def chips(values: Iterable[str | None]) -> pa.Array:
    """Return a column of labels, one or none per row."""
    return labels(["" if value is None else chip(value) for value in values])


def labels(shown: Sequence[str]) -> pa.Array:
    """Return a column of labels that were made safe to look at."""
    # The grid splits a text at commas and reads brackets as a list; a list it takes as it is, at ten times the size.
    if any("," in label or label.lstrip().startswith("[") for label in set(shown)):
        return pa.array([[label] if label else [] for label in shown], _LABELS)
    return pa.array(shown, FEW)


def words(values: Iterable[str | None]) -> pa.Array:
    """Return a column of texts that repeat: each is sent once."""
    return pa.array(["" if value is None else chip(value) for value in values], FEW)


@lru_cache(maxsize=1_000)
def chip(label: str) -> str:
    """Make a text that repeats safe to look at."""
    return fmt.visible(label, 60)


def texts(values: Iterable[str | None]) -> pa.Array:
    return pa.array(["" if value is None else fmt.visible(value) for value in values], pa.string())


def numbers(values: Iterable[str | float | None]) -> pa.Array:
    # Floats sort and are shown as such; the exact text is in details, cards and exports.
    return pa.array([binary(value) for value in values], pa.float64())


def binary(value: str | float | None) -> float | None:
    """Return a figure for sorting; what no float holds is none."""
    return fmt.binary(value) if isinstance(value, str) else value


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _whole(value: float | None) -> float | None:
    return None if value is None else float(int(value + 0.5))


def chip_column(label: str, colors: dict[str, str], palette: Palette, width: int) -> Any:
    """Return a column of glyph and word on a quiet fill.

    Args:
        colors: Colour name of every label that can occur; others are grey.
    """
    fills = [palette.chips.get(name, palette.chips["gray"]) for name in colors.values()]
    return st.column_config.MultiselectColumn(label, options=list(colors), color=fills, width=width)


def time_column(label: str, zone: tzinfo, *, dated: bool, width: int, digits: int = 3) -> Any:
    """Return a column of times in the page's zone; the date is shown only when some row is not today's."""
    pattern = "HH:mm:ss.SSS" if digits else "HH:mm:ss"
    return st.column_config.DatetimeColumn(
        label,
        format=f"D MMM {pattern}" if dated else pattern,
        timezone=str(zone),
        width=width + (46 if dated else 0),
        help="In the zone that the page names. UTC is in the details.",
    )


def is_dated(times_ms: Iterable[float | None], now_ms: float, zone: tzinfo) -> bool:
    """Say whether any time is of another day than now."""
    known = [ms for ms in times_ms if ms is not None]
    if not known:
        return False
    today = fmt.moment(now_ms, zone).date()
    return any(fmt.moment(ms, zone).date() != today for ms in (min(known), max(known)))


def type_colors() -> dict[str, str]:
    return {theme.type_label(kind): theme.TYPE_COLORS.get(kind, "gray") for kind in theme.TYPE_GLYPHS}


def side_colors() -> dict[str, str]:
    return {theme.side_label(side): theme.SIDE_COLORS.get(side, "gray") for side in theme.SIDE_GLYPHS}


def status_colors(seen: Iterable[str] = ()) -> dict[str, str]:
    """Colour every known status and those seen besides."""
    names = dict.fromkeys([*theme.STATUS_GLYPHS, *theme.STATES, *theme.STAGES, *(name for name in seen if name)])
    return {fmt.visible(theme.status_label(name), 60): theme.STATUS_COLORS.get(name, "gray") for name in names}


def figure_column(label: str, width: int, rows: Sequence[Row], field: str, hint: str | None = None) -> Any:
    """Return a column of figures that sorts: aligned decimals where few are needed, else eight digits.

    Grouped as everywhere on the page: a localized format would follow the browser's language and write 12.000 for
    twelve thousand.
    """
    places = max(map(_places, {row[field] for row in rows}), default=0)
    pattern = EIGHT_DIGITS if places > ALIGNED_PLACES else f"%,.{places}f"
    return st.column_config.NumberColumn(label, width=width, format=pattern, help=hint)


@lru_cache(maxsize=4_000)
def _places(text: str | None) -> int:
    return 0 if text is None else len(text.partition(".")[2])


def position_columns(palette: Palette, rows: Sequence[Row]) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    computed = "Computed here: size × (mark − average). The exchange does not send it."
    return {
        "pair": text("Pair", width=104),
        "side": chip_column("Side", side_colors(), palette, 78),
        "currency": text("Margin in", width=78),
        "size": figure_column("Size", 84, rows, "size", "Signed: a short is negative."),
        "avg": figure_column("Average", 94, rows, "avg_price"),
        "mark": figure_column("Mark", 94, rows, "mark_price"),
        "age": number("Mark age, s", width=88, format="%d"),
        "liquidation": figure_column("Liquidation", 98, rows, "liquidation_price"),
        "distance": number("To liquidation, %", width=122, format="%.1f", help="Share of the mark."),
        "leverage": number("Leverage", width=78, format="%g×"),
        "margin": figure_column("Margin", 90, rows, "margin"),
        "pnl": number("PnL (computed)", width=116, format="%+,.4f", help=computed),
        "share": number("PnL, % of margin", width=122, format="%+.1f"),
    }


def gap_columns(palette: Palette, zone: tzinfo, *, dated: bool) -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "state": chip_column("State", {"● closed": "blue", "◌ open": "yellow"}, palette, 90),
        "from": time_column("From", zone, dated=dated, width=110),
        "to": time_column("To", zone, dated=dated, width=110),
        "away": text("Away", width=90),
        "recovered": text("Recovered", width="medium", help=RECOVERED),
        "cause": text("Cause", width="large"),
    }


def kept_columns(zone: tzinfo, *, dated: bool) -> dict[str, Any]:
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    return {
        "at": time_column("Received", zone, dated=dated, width=110),
        "arrival": number("Arrival", width=80, format="%d", help="Number of the record in order of arrival."),
        "event": text("Event", width=150),
        "reason": text("Reason", width=420),
        "bytes": number("Bytes", width=70, format="%d"),
    }
