"""How soon a feed with a long log takes its first event: the log is opened, and what was known is taken back."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.events import events
from store.made import ACCOUNT, EPOCH, fill, opened

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]
STORED = 1_000_000
ROUNDS = 5
LIMIT_S = 2.0
TESTS = Path(__file__).parents[1]


def test_first_event_of_a_feed_with_a_long_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each round is a new process that ends without closing its log, as after a kill; libraries of the log included."""
    path = tmp_path / "events.sqlite"
    store = opened(f"sqlite:///{path}", synchronous="normal")
    fill(store, events(STORED), group=2_000, epoch=EPOCH)
    store.close()
    command = [sys.executable, str(TESTS / "benchmarks" / "first_event.py"), f"sqlite:///{path}", ACCOUNT]
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    rounds = []
    for number in range(ROUNDS):
        folder = tmp_path / f"round-{number}"
        done = subprocess.run(
            [*command, str(folder)], env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        rounds.append(json.loads(done.stdout.splitlines()[-1]))
    assert [said["seq"] for said in rounds] == list(range(rounds[0]["seq"], rounds[0]["seq"] + ROUNDS))
    assert all(said["is_stored"] and said["seq"] > STORED for said in rounds)
    ready, taken, cpu = ([said[name] for said in rounds] for name in ("opened_s", "taken_s", "cpu_s"))
    with capsys.disabled():
        print(f"\n{STORED:,} stored, {path.stat().st_size >> 20:,} MiB: opened {statistics.median(ready):.2f} s")
        print(f"first event stored and shown: median {statistics.median(taken):.2f} s, most {max(taken):.2f} s")
        print(f"of that processor time: median {statistics.median(cpu):.2f} s")
    assert statistics.median(taken) <= LIMIT_S
