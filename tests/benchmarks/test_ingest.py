"""CPU per event from the Socket.IO frame to the ring, against the seed's pipeline in the same run."""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
EVENTS = 20_000
ROUNDS = 3
GOAL = 0.6


def _run(which: str, clients: int = 0) -> dict[str, Any]:
    server = subprocess.Popen(
        [sys.executable, str(HERE / "blaster.py"), str(EVENTS)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        command = [sys.executable, str(HERE / "ingest_clients.py"), which, port, str(EVENTS), str(clients)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
        return json.loads(result.stdout)  # type: ignore[no-any-return]
    finally:
        server.kill()
        server.wait()


def test_ingest_costs_at_most_six_tenths_of_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """A burst of 20,000 frames: no loss, no inversion, state complete, CPU ratio within the goal."""
    ratios, ours_us, seed_us = [], [], []
    for _ in range(ROUNDS):
        ours, seed = _run("ours"), _run("seed")
        assert (ours["events"], ours["orders"], ours["in_order"], ours["kept_apart"]) == (EVENTS, 2_000, True, 0)
        ours_us.append(ours["cpu"] / EVENTS * 1e6)
        seed_us.append(seed["cpu"] / EVENTS * 1e6)
        ratios.append(ours["cpu"] / seed["cpu"])
    ratio = statistics.median(ratios)
    with capsys.disabled():
        print(
            f"\ningest: {statistics.median(ours_us):.1f} us/event, seed {statistics.median(seed_us):.1f}, "
            f"ratio {ratio:.2f} (goal {GOAL}, rounds {[round(r, 2) for r in ratios]})"
        )
    assert ratio <= GOAL


def test_receive_to_written_frame_costs_at_most_half_of_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """The same burst with one client of the WebSocket, until it has every event."""
    pairs = [(_run("ours", 1), _run("seed", 1)) for _ in range(ROUNDS)]
    assert all(ours["delivered"] == ours["events"] == EVENTS == seed["delivered"] for ours, seed in pairs)
    rounds = [ours["cpu"] / seed["cpu"] for ours, seed in pairs]
    ours_us, seed_us = (statistics.median(pair[which]["cpu"] / EVENTS * 1e6 for pair in pairs) for which in (0, 1))
    ratio = statistics.median(rounds)
    with capsys.disabled():
        print(f"\nreceive to frame written: {ours_us:.1f} us/event, seed {seed_us:.1f}, ratio {ratio:.2f} (goal 0.5)")
    assert ratio <= 0.5
