"""Rows as Arrow tables."""

from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.ui import tables, theme


def _rows(count: int = 40, **changes: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = FakeService(events=count, **changes).select({})["rows"]
    return rows


def test_events_table_has_chips_of_one_label() -> None:
    """Glyph and word; nothing where a row has no side. Each label is sent once."""
    table = tables.events_table(_rows(), wide=False)
    assert set(table["type"].to_pylist()) == {"◆ order", "■ position", "≡ balance"}
    assert set(table["side"].to_pylist()) == {"", "▲ buy", "▼ sell"}
    assert len(table["pair"].combine_chunks().dictionary) == len(set(table["pair"].to_pylist()))


@pytest.mark.parametrize("label", ["open, nearly", "[1]", " [a]"])
def test_label_that_the_grid_would_split_stays_one(label: str) -> None:
    """The grid splits a text at commas and reads brackets as a list."""
    assert tables.chips([label, None]).to_pylist() == [[label], []]


def test_row_that_stands_for_repeats_says_how_many() -> None:
    """Itself and those that are folded into it."""
    rows = [{**_rows()[0], "what_changed": "no change", "folded": [3, 2]}]
    assert tables.events_table(rows, wide=False).to_pylist()[0]["changed"] == "no change ×3"


def test_wide_table_adds_figures_that_sort() -> None:
    """Numbers are numbers, so that 12 comes after 2."""
    names = tables.events_table(_rows(), wide=True).schema
    assert [str(names.field(name).type) for name in ("price", "quantity", "delay")] == ["double"] * 3
    assert "price" not in tables.events_table(_rows(), wide=False).column_names


def test_late_event_is_marked_in_its_row() -> None:
    """An event that came after a newer one says so."""
    rows = [{**_rows()[0], "late": True}]
    assert tables.events_table(rows, wide=False).to_pylist()[0]["changed"].startswith("late · ")


@pytest.mark.parametrize(("text", "value"), [("1e5000", None), ("word", None), ("2941.80", 2941.8), (None, None)])
def test_odd_figures_become_holes(text: str | None, value: float | None) -> None:
    """A number that no float holds must not stop the page."""
    rows = [{**_rows()[0], "price": text}]
    assert tables.events_table(rows, wide=True).to_pylist()[0]["price"] == value


def test_T13_hostile_texts_are_cut_and_visible() -> None:
    """The grid draws text on a canvas; direction and length are still ours to limit."""
    rows = [{**_rows()[0], "pair": HOSTILE, "status": HOSTILE, "what_changed": "z" * 100_000}]
    row = tables.events_table(rows, wide=False).to_pylist()[0]
    assert "\u202e" not in row["pair"] + row["status"][0]
    assert len(row["changed"]) <= 200


def test_dates_appear_only_when_some_row_is_not_todays() -> None:
    """A column of equal dates tells nothing."""
    now_ms = 1_795_345_373_418.0
    assert not tables.is_dated([now_ms, now_ms - 1_000, None], now_ms, UTC)
    assert tables.is_dated([now_ms, now_ms - 86_400_000], now_ms, UTC)
    assert not tables.is_dated([], now_ms, UTC)


def test_unknown_status_gets_a_quiet_fill() -> None:
    """A word of the exchange that nobody knows yet is grey."""
    assert tables.status_colors(["half_baked"])["? half baked"] == "gray"


def test_orders_table_shows_share_filled_in_percent() -> None:
    """The bar of a partly filled order stands at 60."""
    table = tables.orders_table(FakeService().orders()).to_pylist()
    assert table[1]["filled"] == pytest.approx(60)
    assert table[0]["avg"] is None


def test_positions_table_keeps_sign_and_holes() -> None:
    """A short is negative, an unknown liquidation price is a hole."""
    table = tables.positions_table(FakeService().positions()).to_pylist()
    assert [row["size"] for row in table] == [0.25, -0.012, 12.0, 0.0]
    assert table[3]["liquidation"] is None


def test_columns_align_decimals_where_few_are_needed() -> None:
    """A localized format without a step would cut 0.09654 to 0.097."""
    rows = [{"price": "83916.2"}, {"price": "2779.26"}]
    aligned = tables.order_columns(theme.DARK, UTC, _orders(rows), dated=False, seen=())["price"]
    assert (aligned["type_config"]["format"], aligned["type_config"]["step"]) == ("localized", 0.01)
    exact = tables.order_columns(theme.DARK, UTC, _orders([*rows, {"price": "0.09654"}]), dated=False, seen=())["price"]
    assert exact["type_config"]["format"] == "%.8g"


def _orders(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"avg_price": None, "quantity": "1", **row} for row in rows]


def test_gaps_and_kept_tables_take_open_ends() -> None:
    """An open gap has no end and no length."""
    gaps = tables.gaps_table([{"from_ms": 1_000.0, "to_ms": None, "cause": HOSTILE}]).to_pylist()[0]
    assert (gaps["state"], gaps["to"], gaps["away"]) == ("◌ open", None, "")
    asleep = {"from_ms": 1_000.0, "to_ms": 2_000.0, "cause": "on_demand", "is_on_demand": True}
    assert tables.gaps_table([asleep]).to_pylist()[0]["cause"].startswith("not watching")
    kept = tables.kept_table(FakeService().feed()["quarantine"]).to_pylist()[0]
    assert (kept["arrival"], kept["bytes"]) == (9, 412)
