"""Rows as Arrow tables."""

from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.ui import tables


def _rows(count: int = 40, **changes: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = FakeService(events=count, **changes).select({})["rows"]
    return rows


@pytest.mark.parametrize("label", ["open, nearly", "[1]", " [a]"])
def test_label_that_the_grid_would_split_stays_one(label: str) -> None:
    """The grid splits a text at commas and reads brackets as a list."""
    assert tables.chips([label, None]).to_pylist() == [[label], []]


def test_dates_appear_only_when_some_row_is_not_todays() -> None:
    """A column of equal dates tells nothing."""
    now_ms = 1_795_345_373_418.0
    assert not tables.is_dated([now_ms, now_ms - 1_000, None], now_ms, UTC)
    assert tables.is_dated([now_ms, now_ms - 86_400_000], now_ms, UTC)
    assert not tables.is_dated([], now_ms, UTC)


def test_unknown_status_gets_a_quiet_fill() -> None:
    """A word of the exchange that nobody knows yet is grey."""
    assert tables.status_colors(["half_baked"])["? half baked"] == "gray"


def test_positions_table_keeps_sign_and_holes() -> None:
    """A short is negative, an unknown liquidation price is a hole."""
    table = tables.positions_table(FakeService().positions()).to_pylist()
    assert [row["size"] for row in table] == [0.25, -0.012, 12.0, 0.0]
    assert table[3]["liquidation"] is None


def test_gaps_and_kept_tables_take_open_ends() -> None:
    """An open gap has no end and no length."""
    gaps = tables.gaps_table([{"from_ms": 1_000.0, "to_ms": None, "cause": HOSTILE}]).to_pylist()[0]
    assert (gaps["state"], gaps["to"], gaps["away"]) == ("◌ open", None, "")
    asleep = {"from_ms": 1_000.0, "to_ms": 2_000.0, "cause": "on_demand", "is_on_demand": True}
    assert tables.gaps_table([asleep]).to_pylist()[0]["cause"].startswith("not watching")
    kept = tables.kept_table(FakeService().feed()["quarantine"]).to_pylist()[0]
    assert (kept["arrival"], kept["bytes"]) == (9, 412)


def test_gaps_say_who_recovered_what() -> None:
    """What a follower read on from the other process was not compared with REST."""
    ended = {"from_ms": 1_000.0, "to_ms": 2_000.0, "cause": "silence", "unknown": None}
    told = [
        tables.gaps_table([ended | {"recovered": count, "is_read_on": is_read_on}]).to_pylist()[0]["recovered"]
        for is_read_on in (False, True)
        for count in (3, 0, None)
    ]
    assert told == [
        "3 records by REST", "compared: nothing missed", "not compared",
        "3 records, read on", "read on: nothing missed", "not compared",
    ]  # fmt: skip
