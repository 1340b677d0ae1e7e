"""The whole market beside the account: what it costs, and whether account events wait for it."""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

PROGRAM = str(Path(__file__).parent / "market_load.py")
CORE_GOAL = 0.25
DELAY_GOAL_MS = 20.0


def _run(seconds: int) -> dict[str, Any]:
    exchange = subprocess.Popen([sys.executable, PROGRAM, "exchange", str(seconds)], stdout=subprocess.PIPE, text=True)
    try:
        assert exchange.stdout is not None
        command = [sys.executable, PROGRAM, "feed", exchange.stdout.readline().strip(), str(seconds)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 90, check=True)
        return json.loads(result.stdout)  # type: ignore[no-any-return]
    finally:
        exchange.kill()
        exchange.wait()


def test_whole_market_takes_a_quarter_of_a_core(is_long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """504 books, trades, 1,000 frames a second, nobody reading the books: no frame lost, account events in time."""
    result = _run(60 if is_long else 15)
    assert result["market"] == result["expected"]
    assert result["kept_apart"] == 0
    delay_ms = statistics.quantiles(result["ages_ms"], n=100)[98]
    with capsys.disabled():
        print(
            f"\nwhole market, {result['market']} frames: {result['core']:.1%} of a core (goal {CORE_GOAL:.0%}); "
            f"account events p50 {statistics.median(result['ages_ms']):.1f} ms, p99 {delay_ms:.1f} ms "
            f"(goal {DELAY_GOAL_MS:.0f}), most {max(result['ages_ms']):.1f} ms"
        )
    assert result["core"] <= CORE_GOAL
    assert delay_ms <= DELAY_GOAL_MS
