"""The engine: events since the last look, state and connection, quiet hours, and rules that fail alone."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alerts.helpers import Bench, balance_row, condition, position_row, rule
from fakes.clock import FakeClock
from fakes.frames import BALANCE, ORDER, balance, order
from fakes.pipelines import feed, row
from fakes.waiting import eventually

from coindcx_feed.alerts import engine as engine_module
from coindcx_feed.alerts.engine import OLD_S, is_history
from coindcx_feed.events import Source

FILLED = {"types": ["order"], "statuses": ["filled"]}


def filled(order_id: str, **fields: Any) -> dict[str, Any]:
    return row(ORDER, order(order_id, status="filled", remaining_quantity=0, **fields))


async def test_event_rule_speaks_of_what_came_since(tmp_path: Path) -> None:
    """What the ring held at the start is the past; every later match is told once, with its event."""
    bench = Bench(tmp_path, rule(filter=FILLED))
    await feed(bench.pipeline, [filled("o-1")])
    bench.engine.start()
    await bench.engine.take_events()
    assert bench.texts() == []
    await feed(bench.pipeline, [filled("o-2"), row(ORDER, order("o-3")), filled("o-4", pair="B-SOL_USDT")])
    await bench.engine.take_events()
    await bench.engine.take_events()
    assert [notice.seq for notice in bench.notices.newest(9)] == [4, 2]
    assert bench.texts()[0].startswith("B-ETH_USDT buy filled at 2,900.5: ")
    assert [channels for _, channels in bench.sent.offered] == [("toast", "webhook:ops")] * 2


async def test_condition_and_cooldown_of_an_event_rule(tmp_path: Path) -> None:
    """By the event's own time; what is held back is counted."""
    large = rule(filter=FILLED, condition=condition("quantity", "at_least", "0.5"), cooldown_s=60)
    bench = Bench(tmp_path, large)
    await feed(bench.pipeline, [filled(f"o-{number}", total_quantity=number / 10) for number in range(1, 8)])
    await bench.engine.take_events()
    assert bench.fired == 1
    assert bench.engine.watchers()["r"].cooldown.held_back == 2


async def test_repeats_are_grouped_and_go_out_once(tmp_path: Path) -> None:
    """One notice of the pair with a count."""
    bench = Bench(tmp_path, rule(filter=FILLED))
    await feed(bench.pipeline, [filled(f"o-{number}") for number in range(5)])
    await bench.engine.take_events()
    (notice,) = bench.notices.newest(9)
    assert (notice.times, len(bench.sent.offered)) == (5, 1)


async def test_burst_larger_than_the_ring_is_said(tmp_path: Path) -> None:
    """What was overwritten before it was looked at is counted, the rest is told."""
    bench = Bench(tmp_path, rule(filter={"types": ["balance"]}), capacity=100)
    await feed(bench.pipeline, [row(BALANCE, balance(free=str(number))) for number in range(250)])
    await bench.engine.take_events()
    assert bench.engine.missed == 150
    assert bench.fired == 100


async def test_position_rule_speaks_once_until_it_ceases(tmp_path: Path) -> None:
    """And again, after its cool-down, when it comes back."""
    near = rule(subject="position", condition=condition("liquidation_distance", "below", 5), cooldown_s=100)
    bench = Bench(tmp_path, near)
    for distance, after_s in ((0.06, 1), (0.04, 1), (0.03, 1), (0.06, 1), (0.04, 1), (0.06, 100), (0.04, 1)):
        bench.sight.position_rows = [position_row(liquidation_distance=distance)]
        await bench.engine.look()
        await bench.clock.advance(after_s)
    assert bench.texts() == ["B-ETH_USDT long: distance to liquidation 4 % (below 5 %)"] * 2
    assert bench.engine.watchers()["r"].cooldown.held_back == 1


async def test_hold_time_position_that_closes_and_unknown_values(tmp_path: Path) -> None:
    """A stop that is set in time tells nothing; a flat position is no position; unknown changes nothing."""
    bench = Bench(tmp_path, rule(subject="position", condition=condition("stop_missing", "is", 1), hold_s=60))
    bench.sight.position_rows = [position_row(), position_row(id="p-2", stop="1"), position_row(id="p-3", side="flat")]
    await bench.engine.look()
    await bench.clock.advance(59)
    bench.sight.position_rows = [position_row(stop="2800")]
    await bench.engine.look()
    bench.sight.position_rows = [position_row()]
    await bench.engine.look()
    await bench.clock.advance(60)
    await bench.engine.look()
    assert bench.texts() == ["B-ETH_USDT long: stop is missing"]


async def test_balance_move_within_its_time(tmp_path: Path) -> None:
    """A fall of 6 % in a minute, of the chosen currency only."""
    moved = rule(
        subject="balance", filter={"pairs": ["USDT"]}, condition=condition("total_move_percent", "at_most", -5, 60)
    )
    bench = Bench(tmp_path, moved)
    for usdt, after_s in (("100", 61), ("96", 30), ("94", 1)):
        bench.sight.balance_rows = [balance_row(usdt), balance_row(usdt, currency="INR")]
        await bench.engine.look()
        await bench.clock.advance(after_s)
    assert bench.texts() == ["USDT: move of the total −6 % within 60 s (at most −5 %)"]


async def test_feed_and_quirk_rules(tmp_path: Path) -> None:
    """A connection that is gone for long, and a slip that is met for the first time."""
    bench = Bench(
        tmp_path,
        rule(id="f", subject="feed", condition=condition("not_live_s", "at_least", 30), severity="critical"),
        rule(id="q", subject="quirk", condition=condition("total", "at_least", 1)),
    )
    await bench.engine.look()
    bench.sight.feed_values = {"not_live_s": 31.04, "proof_age_s": None, "not_stored_s": 0.0}
    bench.sight.quirk_rows = [{"quirk": "number written as text", "total": 3}]
    for _ in range(3):
        await bench.engine.look()
    assert bench.texts() == [
        "The feed: time not live 31 s (at least 30 s)",
        "number written as text: times met 3 (at least 1)",
    ]


async def test_quiet_hours_let_only_the_critical_out(tmp_path: Path) -> None:
    """The others are listed; the end of the hours is told."""
    clock = FakeClock(wall_ms=1_795_312_800_000)  # 22 November 2026, 02:00 UTC
    calm = rule(id="calm", subject="feed", condition=condition("not_live_s", "above", 1))
    bench = Bench(tmp_path, calm, calm.model_copy(update={"id": "loud", "severity": "critical"}), clock=clock)
    bench.book.set_quiet(60, {"start": "01:00", "end": "03:00", "zone": "UTC"})
    bench.sight.feed_values = {"not_live_s": 5.0}
    await bench.engine.look()
    assert [(notice.rule_id, notice.is_quiet, notice.ways) for notice, _ in bench.sent.offered] == [
        ("calm", True, ()),
        ("loud", False, ("toast", "webhook:ops")),
    ]
    assert bench.sent.quiet_ends == 0
    await clock.advance(3_600)
    await bench.engine.look()
    assert bench.sent.quiet_ends == 1


async def test_rule_that_fails_stops_no_other(tmp_path: Path) -> None:
    """It is counted, its kind is kept, its message is not."""
    bench = Bench(
        tmp_path,
        rule(id="a", subject="position", condition=condition("size", "above", 0)),
        rule(id="b", subject="balance", condition=condition("total", "above", 0)),
    )
    bench.sight.position_rows = [{"side": "long", "pair": "secret"}]
    bench.sight.balance_rows = [balance_row()]
    for _ in range(2):
        await bench.engine.look()
    watcher = bench.engine.watchers()["a"]
    assert (watcher.failures, watcher.failure, bench.fired) == (2, "KeyError", 1)


async def test_change_of_the_book_takes_effect_at_the_next_look(tmp_path: Path) -> None:
    """A rule that was not touched keeps its cool-down and what it told; one switched off is silent."""
    told = rule(id="told", subject="feed", condition=condition("not_live_s", "above", 1))
    bench = Bench(tmp_path, told)
    bench.sight.feed_values = {"not_live_s": 5.0}
    await bench.engine.look()
    bench.book.save(rule(id="new", subject="feed", condition=condition("not_live_s", "above", 2)))
    await bench.engine.look()
    assert [notice.rule_id for notice in bench.notices.newest(9)] == ["new", "told"]
    bench.book.save(told.model_copy(update={"enabled": False}))
    await bench.engine.look()
    assert set(bench.engine.watchers()) == {"new"}


async def test_engine_runs_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Woken by what is published, and looking every second."""
    monkeypatch.setattr(engine_module, "GATHER_S", 0.001)
    not_live = rule(id="f", subject="feed", condition=condition("not_live_s", "above", 1))
    bench = Bench(tmp_path, rule(filter=FILLED), not_live)
    bench.pipeline.on_publish(bench.engine.notify)
    running = asyncio.create_task(bench.engine.run())
    await feed(bench.pipeline, [filled("o-1")])
    await eventually(lambda: bench.fired == 1)
    bench.sight.feed_values = {"not_live_s": 5.0}
    await bench.clock.advance(1)
    await eventually(lambda: bench.fired == 2)
    running.cancel()
    assert await asyncio.gather(running, return_exceptions=True)


def test_rows_of_long_ago_are_history() -> None:
    """The first read of an account brings old orders; the stream never does."""
    now_ns = 1_790_000_000_000_000_000
    old_ms = int(now_ns / 1e6 - OLD_S * 1000 - 1_000)
    assert is_history(Source.REST, old_ms, now_ns)
    assert not is_history(Source.STREAM, old_ms, now_ns)
    assert not is_history(Source.REST, old_ms + 2_000, now_ns)
    assert not is_history(Source.REST, None, now_ns)
