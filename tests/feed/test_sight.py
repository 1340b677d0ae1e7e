"""What rules see of a runtime: rows of now, and how long the connection has been gone."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest
from fakes.frames import BALANCE, POSITION, balance, position
from fakes.pipelines import feed, row
from fakes.runtimes import settings_for

from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.exchange.states import Change, State
from coindcx_feed.feed import sight as sight_module
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.sight import RuntimeSight
from coindcx_feed.feed.watch import ON_DEMAND


def new_runtime(folder: Path) -> FeedRuntime:
    return FeedRuntime(settings_for("http://127.0.0.1:1", folder), "serve")


def test_rows_are_those_of_the_pages(tmp_path: Path) -> None:
    """Positions, wallets, slips."""
    runtime = new_runtime(tmp_path)
    asyncio.run(feed(runtime.pipeline, [row(POSITION, position()), row(BALANCE, balance())]))
    sight = RuntimeSight(runtime)
    assert [found["id"] for found in sight.positions()] == ["p-1"]
    assert [found["total"] for found in sight.balances()] == ["100"]
    assert sight.quirks() == []


def test_crossed_positions_share_the_free_wallet(tmp_path: Path) -> None:
    """What they need together, and what is free with their PnL; unknown while one of them has no mark."""
    runtime = new_runtime(tmp_path)
    crossed = position(margin_type="crossed", maintenance_margin=4)
    other = position("p-2", pair="B-SOL_USDT", margin_type="crossed", maintenance_margin=2)
    asyncio.run(feed(runtime.pipeline, [row(POSITION, crossed), row(POSITION, other), row(BALANCE, balance())]))
    sight = RuntimeSight(runtime)
    assert [found["crossed_margin"] for found in sight.positions()] == [None, None]
    for pair in ("B-ETH_USDT", "B-SOL_USDT"):
        record = CurrentPricesRecord.model_validate({"pr": "futures", "prices": {pair: {"mp": Decimal(3_000)}}})
        runtime.marks.update(record, runtime.now_ns(), ())
    free = Decimal(sight.balances()[0]["available"])
    profit = sum(Decimal(found["unrealized_pnl"]) for found in sight.positions())
    assert [found["crossed_margin"] for found in sight.positions()] == [(6, free + profit)] * 2


class StoppedTime:
    """A monotonic clock that a test sets, and the wall clock."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def time_ns(self) -> int:
        return time.time_ns()


def test_time_not_live_counts_from_the_last_live_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the start on; time that nobody wanted to watch does not count."""
    clock = StoppedTime()
    monkeypatch.setattr(sight_module, "time", clock)
    runtime = new_runtime(tmp_path)
    sight = RuntimeSight(runtime)
    clock.now_s = 140.0
    assert sight.feed() == {"not_live_s": 40.0, "proof_age_s": None, "not_stored_s": 0.0}
    runtime._dashboard_change = Change(State.QUIET, 1)
    assert sight.feed()["not_live_s"] == 0.0
    runtime._dashboard_change = Change(State.RECONNECTING, 1)
    clock.now_s = 175.0
    assert sight.feed()["not_live_s"] == 35.0
    runtime._dashboard_change = Change(State.STOPPED, 1, ON_DEMAND)
    assert sight.feed()["not_live_s"] == 0.0
