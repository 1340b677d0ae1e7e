"""Row F29: all faults at random for a while; the checker and the promises C1, C3, C6 and C7 at the end."""

import asyncio
import itertools
import random
import time
from pathlib import Path

import numpy as np
import pytest
from fakes.waiting import eventually
from faults.storm import Storm
from faults.trials import SHORT, Trial, figure, trial

from coindcx_feed.simulator.behaviour import Behaviour

SOAKED = SHORT._replace(rejected_retry_s=0.5, joined_after_s=0.7)
"""A join is taken for done after a time in which the slowest line of the storm has delivered it; as shipped, 2 s."""
PAGE_BYTES = 4096
LOOK_S = 0.05
LATE_S = 1.0
CALM_S = 120.0


class Lookout:
    """Samples what is shown and how much memory it takes."""

    def __init__(self, there: Trial) -> None:
        self._there = there
        self.flattered: list[str] = []
        self.memory: list[tuple[float, float]] = []

    async def look(self) -> None:
        """C6: watched is never shown for longer than the limit without a frame."""
        while True:
            supervisor = self._there.runtime.supervisor
            age_s = None if supervisor is None else supervisor.transport_age_s
            if supervisor is not None and age_s is not None and supervisor.change.state.is_connected:
                limit_s = supervisor.proof_limit_s + LATE_S
                if age_s > limit_s:
                    self.flattered.append(f"{supervisor.change.state} after {age_s:.1f} s of silence")
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
            self.memory.append((time.monotonic(), pages * PAGE_BYTES / 2**20))
            await asyncio.sleep(LOOK_S)

    @property
    def mib_per_hour(self) -> float:
        """Slope of the second half: caches are filled by then; ring and checker still keep every record."""
        half = self.memory[len(self.memory) // 2 :]
        times, sizes = zip(*half, strict=True)
        return float(np.polyfit(np.array(times) - times[0], sizes, 1)[0] * 3600)


@pytest.mark.timeout(0)
async def test_F29_random_faults_lose_double_and_invent_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """``--soak SECONDS`` and ``--seed`` choose; everything that is missing lies in a recorded gap."""
    seconds = float(request.config.getoption("--soak"))
    chosen = request.config.getoption("--seed")
    seed = random.SystemRandom().randrange(10**6) if chosen is None else int(chosen)
    print(f"soak seed={seed} seconds={seconds:g}")
    behaviour = Behaviour(connect_ack_s=0, refuse_join_s=0, ping_interval_s=1.5, ping_timeout_s=1.5)
    async with trial(tmp_path, SOAKED, seed=seed, behaviour=behaviour) as there:
        storm, lookout = Storm(there, seed), Lookout(there)
        beside = [asyncio.create_task(storm.trade()), asyncio.create_task(lookout.look())]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await storm.blow()
            assert not beside[0].done(), beside[0].exception()
        beside[0].cancel()
        await _calm(there)
        verdict = await there.end(60)
        await there.fills_arrived(CALM_S)
        # The checks take seconds of the interpreter: what that cost the connection is compared as well.
        await eventually(lambda: there.is_compared, CALM_S)
        beside[1].cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        _promises(there, lookout)
    figure("F29", seed=seed, seconds=seconds, faults=sum(storm.met.values()), joins=len(there.joins), checker=verdict)
    gaps = len(there.runtime.watch.gaps())
    figure(
        "F29",
        seed=seed,
        gaps=gaps,
        rss_mib=lookout.memory[-1][1],
        mib_per_hour=lookout.mib_per_hour,
        met=dict(storm.met),
    )


async def _calm(there: Trial) -> None:
    # One more join with everything healed: what a trailing or failed list left open is read once more. After a long
    # storm the lists have many pages, and the budget of 15 a second is shared.
    await eventually(lambda: there.is_compared, CALM_S)
    before = len(there.joins)
    await there.exchange.server.kick()
    await eventually(lambda: len(there.joins) > before)
    await eventually(lambda: there.is_compared, CALM_S)


def _promises(there: Trial, lookout: Lookout) -> None:
    pipeline, ring = there.runtime.pipeline, there.runtime.ring
    events = ring.since(0, 10**7)
    from_stream = sum(str(event.source) == "stream" for event in events)
    assert pipeline.counters["records"] == from_stream + pipeline.duplicates.count, "C1"
    assert pipeline.counters["failures"] == 0, "C1"
    assert [event.seq for event in events] == list(range(1, ring.version + 1)), "C3"
    assert lookout.flattered == [], "C6"
    states = [change.state.is_connected for change in there.runtime.watch.changes()]
    away = sum(before and not after for before, after in itertools.pairwise(states))
    gaps = there.runtime.watch.gaps()
    assert len(gaps) == away, "C7"
    assert [gap for gap in gaps if gap.end_ns and gap.recovered is None and not gap.unknown] == [], "C7"
