"""Promise C7: time away stands in the ledger, in the events, on the pages and beside every export."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from faults.trials import Trial, trial


async def _kicked(there: Trial) -> None:
    before = len(there.joins)
    await there.exchange.server.kick()
    await there.trader.steps(5)
    await there.rejoined(before)


def _rows(made: dict[str, Any]) -> list[dict[str, str]]:
    with Path(made["path"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_C7_gap_is_a_row_of_the_export_and_stands_beside_it(tmp_path: Path) -> None:
    """A system row at its place in the order, and in the description with start, end, cause and outcome."""
    async with trial(tmp_path) as there:
        await there.trader.steps(10)
        await _kicked(there)
        await there.trader.steps(10)
        await there.end()
        rows = _rows(there.service.export({}, "csv"))
        (of_orders, meta) = _described(there.service.export({"types": ["order"]}, "csv"))
        (gap,) = there.service.gaps()
    noted = [row for row in rows if row["message"] == "upstream_gap"]
    assert [row["type"] for row in noted] == ["system"]
    assert 0 < rows.index(noted[0]) < len(rows) - 1
    assert all("upstream_gap" not in row.values() for row in of_orders)
    assert meta["gaps"] == [gap]
    assert gap["from_ms"] < gap["to_ms"]
    assert gap["cause"] == "the exchange ended the session"
    assert gap["recovered"] is not None


def _described(made: dict[str, Any]) -> tuple[list[dict[str, str]], dict[str, Any]]:
    return _rows(made), json.loads(Path(made["meta_path"]).read_text(encoding="utf-8"))


@pytest.mark.timed
async def test_C7_gaps_are_summed_into_one_figure(tmp_path: Path) -> None:
    """Two drops: their number, the seconds away, and the share of the time that was watched."""
    async with trial(tmp_path) as there:
        for _ in range(2):
            await _kicked(there)
        complete = there.service.status()["completeness"]
        gaps = there.service.gaps()
    lasted_s = sum(gap["to_ms"] - gap["from_ms"] for gap in gaps) / 1000
    assert complete["gaps"] == len(gaps) == 2
    assert abs(complete["away_s"] - lasted_s) < 0.1
    assert 0 < complete["share"] < 1
