"""Rehearsals over a stored log: the same count as live, cool-down and holding included, in slices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alerts.helpers import Bench, condition, rule
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position
from fakes.pipelines import START_S, at, new_pipeline, row
from fakes.stored import KeepingStore

from coindcx_feed.alerts.rehearsal import obstacle, rehearse
from coindcx_feed.alerts.rules import BUILT_IN, Rule
from coindcx_feed.feed.normalize import Frame

START_NS = START_S * 10**9
END_NS = START_NS + 100_000 * 10**9
STOPLESS: dict[str, Any] = {"subject": "position", "condition": condition("stop_missing", "is", 1)}


async def stored(*frames: Frame) -> KeepingStore:
    """Return a log of what a pipeline made of frames."""
    store = KeepingStore(slice_size=3)
    await new_pipeline(10_000, store).replay(list(frames), "replayed")
    return store


def filled(number: int, second: float, **fields: Any) -> Frame:
    return at(row(ORDER, order(f"o-{number}", status="filled", remaining_quantity=0, **fields)), second)


def held(second: float, **fields: Any) -> Frame:
    return at(row(POSITION, position(**{"updated_at": int((START_S + second) * 1000), **fields})), second)


async def test_event_rule_counts_as_it_would_have_fired(tmp_path: Path) -> None:
    """First and last time; within the cool-down nothing more; the very count of the live engine."""
    frames = [filled(number, second) for number, second in enumerate((0, 10, 59, 60, 61, 500))]
    wanted = rule(filter={"types": ["order"], "statuses": ["filled"]}, cooldown_s=60)
    log = await stored(*frames)
    log.events = [event for event in log.events if event.type.value == "order"]
    count = rehearse(wanted, log, START_NS, END_NS)
    assert (count.fired, count.held_back, count.looked_at, count.is_whole) == (3, 3, 6, True)
    assert (count.first_ns, count.last_ns) == (START_NS, START_NS + 500 * 10**9)
    bench = Bench(tmp_path, wanted)
    await bench.pipeline.replay(frames, "replayed")
    await bench.engine.take_events()
    watcher = bench.engine.watchers()["r"]
    assert (watcher.fired, watcher.cooldown.held_back) == (count.fired, count.held_back)


async def test_condition_and_window_are_honoured() -> None:
    """Only what was received within it, and is large enough."""
    log = await stored(*(filled(number, number * 10, total_quantity=number) for number in range(10)))
    log.events = [event for event in log.events if event.type.value == "order"]
    large = rule(filter={"types": ["order"]}, condition=condition("quantity", "at_least", 5))
    assert rehearse(large, log, START_NS, START_NS + 80 * 10**9).fired == 3


@pytest.mark.parametrize(("hold_s", "cooldown_s", "fired", "held_back"), [(0, 0, 3, 0), (60, 0, 2, 0), (0, 500, 1, 2)])
async def test_position_rule_over_stored_positions(hold_s: int, cooldown_s: int, fired: int, held_back: int) -> None:
    """Without a stop from 0 to 30, from 100 to 200 and from 300 on; it goes on to hold between two events."""
    log = await stored(
        held(0), held(10, active_pos=0.3), held(30, stop_loss_trigger=2800), held(100), held(200, active_pos=0),
        held(300),
    )  # fmt: skip
    count = rehearse(rule(**STOPLESS, hold_s=hold_s, cooldown_s=cooldown_s), log, START_NS, END_NS)
    assert (count.fired, count.held_back) == (fired, held_back)
    if hold_s:
        assert count.first_ns == START_NS + 160 * 10**9
        assert count.last_ns == START_NS + 360 * 10**9


async def test_what_held_before_the_window_is_told_already() -> None:
    """The state at its beginning is read from the log."""
    log = await stored(held(0), held(100, active_pos=0.3), held(200, stop_loss_trigger=1), held(300))
    assert rehearse(rule(**STOPLESS), log, START_NS + 50 * 10**9, END_NS).fired == 1
    other_pair = rule(**STOPLESS, filter={"pairs": ["B-SOL_USDT"]})
    assert rehearse(other_pair, log, START_NS, END_NS).fired == 0


async def test_balance_move_over_stored_balances() -> None:
    """A fall of 10 % within a minute counts, again after it ceased between two events; a slow one does not."""
    steps = ((0, "100"), (30, "95"), (50, "89"), (200, "80"), (300, "73"))
    log = await stored(*(at(row(BALANCE, balance(free=free)), second) for second, free in steps))
    fall = rule(subject="balance", condition=condition("total_move_percent", "at_most", -10, 60))
    count = rehearse(fall, log, START_NS, END_NS)
    assert (count.fired, count.first_ns) == (2, START_NS + 50 * 10**9)


async def test_rehearsal_stops_at_its_time_limit() -> None:
    """And says how far it came; the log is read in slices."""
    log = await stored(*(filled(number, number) for number in range(30)))
    ticks = iter(range(1_000))
    count = rehearse(rule(), log, START_NS, END_NS, limit_s=2.5, monotonic=lambda: float(next(ticks)))
    assert (count.is_whole, count.looked_at) == (False, 9)
    assert count.to_mapping()["upto_ms"] == (START_S + 8) * 1000.0


class EndlessLog:
    """A log of one event again and again, which counts how many slices are alive."""

    def __init__(self, log: KeepingStore) -> None:
        self._event = log.events[0]
        self.slices = 0

    def stream(self, *_: object, **__: object) -> Iterator[list[Any]]:
        for second in range(300):
            self.slices += 1
            yield [self._event._replace(received_ns=START_NS + second * 10**9)] * 100

    def seq_at(self, _at_ns: int) -> int | None:
        return None

    def state_at(self, _seq: int) -> list[Any]:
        return []


async def test_memory_does_not_grow_with_the_log() -> None:
    """30,000 events leave nothing behind but counts."""
    endless = EndlessLog(await stored(filled(1, 0)))
    count = rehearse(rule(cooldown_s=10), endless, START_NS, END_NS)
    assert (count.looked_at, count.fired, count.held_back) == (30_000, 30, 29_970)


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda known: known.id)
def test_rules_on_live_state_say_that_they_cannot_be_rehearsed(built_in: Rule) -> None:
    """Those that stored events answer can."""
    assert (obstacle(built_in) is None) == (built_in.id in {"fill", "rejection", "no-stop", "balance-move"})


async def test_rule_that_cannot_be_rehearsed_is_refused() -> None:
    """The reason is in the message."""
    with pytest.raises(ValueError, match="running feed"):
        rehearse(BUILT_IN[-1], KeepingStore(), START_NS, END_NS)
