"""The grid of events."""

from contextvars import copy_context
from typing import Any

import pytest
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.ui import event_table
from coindcx_feed.ui import format as fmt


def _rows(count: int = 40, **changes: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = FakeService(events=count, **changes).select({})["rows"]
    return rows


def test_events_table_has_chips_of_one_label() -> None:
    """Glyph and word; nothing where a row has no side. Each label is sent once."""
    table = event_table.events_table(_rows(), wide=False)
    assert set(table["type"].to_pylist()) == {"◆ order", "■ position", "≡ balance"}
    assert set(table["side"].to_pylist()) == {"", "▲ buy", "▼ sell"}
    assert len(table["pair"].combine_chunks().dictionary) == len(set(table["pair"].to_pylist()))


def test_row_that_stands_for_repeats_says_how_many() -> None:
    """Itself and those that are folded into it."""
    rows = [{**_rows()[0], "what_changed": "no change", "folded": [3, 2]}]
    assert event_table.events_table(rows, wide=False).to_pylist()[0]["changed"] == "no change ×3"


def test_rupees_of_a_balance_are_grouped_as_chosen() -> None:
    """In what changed, which is text; one reader's choice changes nothing for the others."""
    row = {**_rows()[0], "type": "balance", "pair": "INR", "what_changed": "locked 1,354,920 → 1,300,000 ▼"}
    rows = [row, {**row, "pair": "USDT"}]

    def changed(is_indian: bool) -> list[str]:
        fmt.group_rupees(is_indian)
        return [str(each["changed"]) for each in event_table.events_table(rows, wide=False).to_pylist()]

    assert copy_context().run(changed, True) == ["locked 13,54,920 → 13,00,000 ▼", "locked 1,354,920 → 1,300,000 ▼"]
    assert copy_context().run(changed, False) == ["locked 1,354,920 → 1,300,000 ▼"] * 2


def test_wide_table_adds_figures_that_sort() -> None:
    """Numbers are numbers, so that 12 comes after 2."""
    names = event_table.events_table(_rows(), wide=True).schema
    assert [str(names.field(name).type) for name in ("price", "quantity", "delay")] == ["double"] * 3
    assert "price" not in event_table.events_table(_rows(), wide=False).column_names


def test_late_event_is_marked_in_its_row() -> None:
    """An event that came after a newer one says so."""
    rows = [{**_rows()[0], "late": True}]
    assert event_table.events_table(rows, wide=False).to_pylist()[0]["changed"].startswith("late · ")


@pytest.mark.parametrize(("text", "value"), [("1e5000", None), ("word", None), ("2941.80", 2941.8), (None, None)])
def test_odd_figures_become_holes(text: str | None, value: float | None) -> None:
    """A number that no float holds must not stop the page."""
    rows = [{**_rows()[0], "price": text}]
    assert event_table.events_table(rows, wide=True).to_pylist()[0]["price"] == value


def test_T13_hostile_texts_are_cut_and_visible() -> None:
    """The grid draws text on a canvas; direction and length are still ours to limit."""
    rows = [{**_rows()[0], "pair": HOSTILE, "status": HOSTILE, "what_changed": "z" * 100_000}]
    row = event_table.events_table(rows, wide=False).to_pylist()[0]
    assert "\u202e" not in row["pair"] + row["status"][0]
    assert len(row["changed"]) <= 200
