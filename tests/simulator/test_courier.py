"""Faults of account frames by chance: each alone, all together, and the same for the same seed."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.helpers import START_MS

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.courier import Courier
from coindcx_feed.simulator.emissions import Emissions
from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.topics import TWIN_EVENT, Frame

ALL_FAULTS: dict[str, Any] = {
    "repeat_share": 0.2,
    "terminal_repeats": 1,
    "twin_share": 0.2,
    "jitter_ms": 400,
    "late_share": 0.1,
    "drop_share": 0.1,
    "drop_balance_share": 0.2,
    "batch_ms": 200,
}


def frame(at_ms: int, event: str = wire.ORDER_EVENT, record_id: str = "a", status: str = "open") -> Frame:
    record: dict[str, Any] = {"id": record_id}
    if event != wire.BALANCE_EVENT:
        record |= {"status": status, "updated_at": START_MS + at_ms}
    return Frame(START_MS + at_ms, event, socket_text([record]), wire.PRIVATE_CHANNEL)


def stream(count: int = 200) -> list[Frame]:
    """Orders, positions and balances, 50 ms apart; every tenth order ends."""
    events = (wire.ORDER_EVENT, wire.POSITION_EVENT, wire.BALANCE_EVENT)
    return [frame(50 * n, events[n % 3], str(n), "filled" if n % 10 == 0 else "open") for n in range(count)]


def carried(frames: list[Frame], cuts: Iterable[int] = (), **faults: Any) -> tuple[list[Frame], Emissions]:
    """Carry numbered frames to a minute after the last, in one go or cut into pieces."""
    behaviour = Behaviour(**{"numbered": True} | faults)
    emissions = Emissions(behaviour)
    courier, leaving = Courier(behaviour, emissions), list[Frame]()
    end_ms = frames[-1].at_ms + 60_000
    last_ms = START_MS - 1
    for at_ms in sorted({*(START_MS + cut for cut in cuts), end_ms}):
        leaving += courier.carry([f for f in frames if last_ms < f.at_ms <= at_ms], at_ms)
        last_ms = at_ms
    return leaving, emissions


def numbers(frames: list[Frame]) -> list[int]:
    return [row["x_number"] for frame in frames for row in msgspec.json.decode(frame.data)]


def test_without_faults_frames_come_out_as_they_went_in() -> None:
    """Same objects, at their times."""
    frames = stream()
    assert carried(frames, numbered=False)[0] == frames


def test_F07_repetition_is_the_same_record_a_moment_later() -> None:
    """Identical text under the same number."""
    leaving, _ = carried([frame(0)], repeat_share=1, repeat_ms=70)
    assert [f.at_ms - START_MS for f in leaving] == [0, 70]
    assert leaving[0].data == leaving[1].data
    assert numbers(leaving) == [1, 1]


def test_repetition_with_a_later_time_is_another_record() -> None:
    """``updated_at`` moves and the number counts on; a balance has no time and stays the same."""
    leaving, _ = carried([frame(0)], repeat_share=1, repeat_ms=70, repeat_kind="later")
    rows = [msgspec.json.decode(f.data)[0] for f in leaving]
    assert [row["updated_at"] - START_MS for row in rows] == [0, 70]
    assert numbers(leaving) == [1, 2]
    balances, _ = carried([frame(0, wire.BALANCE_EVENT)], repeat_share=1, repeat_kind="later")
    assert balances[0].data == balances[1].data


def test_terminal_frames_are_repeated() -> None:
    """So often as asked for, others not at all."""
    leaving, _ = carried([frame(0), frame(50, status="cancelled")], terminal_repeats=3, repeat_ms=40)
    assert [f.at_ms - START_MS for f in leaving] == [0, 50, 90, 130, 170]
    assert numbers(leaving) == [1, 2, 2, 2, 2]


def test_F07_twin_comes_under_the_spot_name() -> None:
    """Orders only, the same record."""
    leaving, _ = carried([frame(0), frame(50, wire.POSITION_EVENT)], twin_share=1)
    assert [f.event for f in leaving] == [wire.ORDER_EVENT, TWIN_EVENT, wire.POSITION_EVENT]
    assert numbers(leaving) == [1, 1, 2]


def test_F09_jitter_lets_later_frames_overtake() -> None:
    """Every frame arrives, not later than the limit, in the order of arrival."""
    frames = stream()
    leaving, _ = carried(frames, jitter_ms=300)
    assert [f.at_ms for f in leaving] == sorted(f.at_ms for f in leaving)
    assert sorted(numbers(leaving)) == list(range(1, len(frames) + 1))
    assert numbers(leaving) != sorted(numbers(leaving))
    made = {number: f.at_ms for number, f in enumerate(frames, start=1)}
    delays = [f.at_ms - made[number] for f, number in zip(leaving, numbers(leaving), strict=True)]
    assert min(delays) >= 0
    assert max(delays) <= 300


def test_F09_late_frame_arrives_stale() -> None:
    """Held back, with the time it was made."""
    leaving, _ = carried([frame(0)], late_share=1, late_ms=5_000)
    assert leaving[0].at_ms - START_MS == 5_000
    assert msgspec.json.decode(leaving[0].data)[0]["updated_at"] == START_MS


@pytest.mark.parametrize(("faults", "kinds"), [({"drop_share": 1}, 3), ({"drop_balance_share": 1}, 1)])
def test_dropped_frames_are_listed_and_gone(faults: dict[str, Any], kinds: int) -> None:
    """All of them, or only the balances."""
    frames = stream(30)
    leaving, emissions = carried(frames, **faults)
    assert len(leaving) == 30 - 10 * kinds
    assert Counter(row.fate for row in emissions.rows) == {"dropped": 10 * kinds}
    assert len({row.event for row in emissions.rows}) == kinds


def test_F10_records_of_an_event_share_a_frame() -> None:
    """Those within the time; each event for itself, in order, nothing lost."""
    frames = [frame(at_ms, record_id=str(at_ms)) for at_ms in (0, 40, 100, 101, 300)] + [
        frame(310, wire.POSITION_EVENT)
    ]
    leaving, _ = carried(frames, batch_ms=100)
    assert [(f.at_ms - START_MS, len(msgspec.json.decode(f.data))) for f in leaving] == [
        (100, 3),
        (201, 1),
        (400, 1),
        (410, 1),
    ]
    assert numbers(leaving) == [1, 2, 3, 4, 5, 6]


def test_switching_batches_off_lets_the_last_one_go() -> None:
    """Nothing stays behind."""
    behaviour = Behaviour(batch_ms=1_000)
    courier = Courier(behaviour, Emissions(behaviour))
    assert courier.carry([frame(0)], START_MS) == []
    behaviour.batch_ms = 0
    assert len(courier.carry([frame(10)], START_MS + 10)) == 2
    assert len(courier.carry([frame(20)], START_MS + 20)) == 1


def test_all_faults_lose_nothing_that_is_not_listed() -> None:
    """Every number left or is listed as dropped; none was invented."""
    leaving, emissions = carried(stream(), **ALL_FAULTS)
    left, dropped = set(numbers(leaving)), {row.number for row in emissions.rows}
    assert left | dropped == set(range(1, 201))
    assert not left & dropped
    assert dropped
    assert any(re.search(r"x_number.*x_number", f.data) for f in leaving)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=12_000), max_size=12), st.integers(min_value=0, max_value=99))
def test_same_seed_gives_the_same_frames_however_time_is_cut(cuts: list[int], seed: int) -> None:
    """Another seed does not."""
    whole = carried(stream(), fault_seed=seed, **ALL_FAULTS)[0]
    assert carried(stream(), cuts=cuts, fault_seed=seed, **ALL_FAULTS)[0] == whole
    assert carried(stream(), fault_seed=seed + 1, **ALL_FAULTS)[0] != whole
