"""Playing a stored window: the same events, the same account, a kept pace, and controls."""

import asyncio
import contextlib
import json
import pickle
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes.stored import KeepingStore, stored_account
from fakes.waiting import eventually

from coindcx_feed.analysis.moments import MAX, STEP, Window
from coindcx_feed.errors import BadRequest
from coindcx_feed.events import Event, EventType
from coindcx_feed.feed.kept import KeptApart
from coindcx_feed.feed.replay import Phase, Player
from coindcx_feed.feed.stage import ReplayRing, ReplayState, Stage, state_digest

WHOLE = Window()
STORE, PIPELINE = stored_account()
EVENTS = STORE.events


def new_stage(capacity: int = 10_000) -> Stage:
    return Stage(ReplayRing(capacity, "epoch-0"), ReplayState(), KeptApart())


def shown(stage: Stage) -> list[dict[str, Any]]:
    return [json.loads(body) for body in stage.ring.bodies_since(stage.ring.oldest - 1, 100_000)]


def digest_at(count: int) -> str:
    """Return the digest of the account after so many stored events."""
    stage = new_stage()
    for event in EVENTS[:count]:
        stage.show(event)
    return state_digest(stage.state)


@contextlib.asynccontextmanager
async def playing(player: Player) -> AsyncIterator[Player]:
    task = asyncio.create_task(player.run())
    try:
        yield player
    finally:
        player.stop()
        await asyncio.wait_for(task, 10)


async def played(source: KeepingStore, speed: float = MAX, window: Window = WHOLE) -> tuple[Player, Stage]:
    """Play to the end and return player and stage."""
    stage = new_stage()
    player = Player(source, stage, window, speed)
    async with playing(player):
        await eventually(lambda: player.phase is Phase.ENDED)
    return player, stage


async def test_F30_same_log_twice_gives_the_same_account_and_the_same_events() -> None:
    """State digest and envelopes; and the account is the one that the live feed had."""
    (first, stage), (second, again) = await played(STORE), await played(STORE)
    assert first.status()["state_digest"] == second.status()["state_digest"] == state_digest(PIPELINE.state)
    assert shown(stage) == shown(again)
    assert len(shown(stage)) == len(EVENTS) == first.status()["shown"]


async def test_F30_events_keep_everything_but_their_number() -> None:
    """Id, time, source, derived fields, lateness and the record itself; numbers are dense from 1."""
    log = KeepingStore(EVENTS[5:])
    _, stage = await played(log)
    found = stage.ring.since(0, 10_000)
    assert [event.seq for event in found] == list(range(1, len(EVENTS) - 4))
    for stored, event in zip(log.events, found, strict=True):
        before, after = json.loads(stored.body), json.loads(event.body)
        assert after == before | {"seq": event.seq}
        assert event.record == stored.record
        assert event.received_ns == stored.received_ns
        assert event.is_late == stored.is_late
    assert {event.is_late for event in found} == {True, False}


async def test_history_of_an_id_is_linked_anew() -> None:
    """Details pages follow ``previous``: it names numbers of the replay."""
    _, stage = await played(KeepingStore(EVENTS[3:]))
    order = next(event for event in reversed(stage.ring.since(0, 10_000)) if event.type is EventType.ORDER)
    history = stage.ring.history(order.seq)
    assert len(history) > 2
    assert len({json.loads(event.body)["data"]["id"] for event in history}) == 1


@pytest.mark.timed
@pytest.mark.parametrize(("speed", "spacing_s"), [(1.0, 0.01), (10.0, 0.1), (100.0, 1.0)])
async def test_F30_pace_is_kept(speed: float, spacing_s: float) -> None:
    """The same 0.8 seconds at three paces: the whole takes as long as it should, and no event is much late."""
    log = KeepingStore()
    for number, event in enumerate(EVENTS):
        log.events.append(event._replace(received_ns=EVENTS[0].received_ns + int(number * spacing_s * 1e9)))
    ideal_s = (len(EVENTS) - 1) * spacing_s / speed
    started = time.monotonic()
    player, _ = await played(log, speed)
    pace = player.status()["pace"]
    assert time.monotonic() - started >= ideal_s
    assert pace["error_percent"] < 10
    assert pace["late_p50_ms"] < 20
    assert pace["late_max_ms"] < 500


@pytest.mark.timed
async def test_long_silence_is_waited_for_and_a_clock_set_back_is_not() -> None:
    """At 1000-fold an hour lasts 3.6 s; an event whose time is before the one above it comes right after it."""
    first, second, third = (
        event._replace(received_ns=EVENTS[0].received_ns + offset_ns)
        for event, offset_ns in zip(EVENTS, (0, 200_000_000_000, 5), strict=False)
    )
    started = time.monotonic()
    player, _ = await played(KeepingStore([first, second, third]), 1000.0)
    assert 0.2 <= time.monotonic() - started < 3
    assert player.position_ns == second.received_ns


async def test_F30_stop_shows_nothing_more() -> None:
    """What was shown stays; the log is let go."""
    stage = new_stage()
    player = Player(STORE, stage, WHOLE, 1.0)
    async with playing(player):
        await eventually(lambda: len(stage.ring) == 1)
    assert player.phase is Phase.STOPPED
    assert len(stage.ring) == 1


async def test_F30_seek_forward_shows_the_account_as_known_then() -> None:
    """Everything before it is shown at once, in the same epoch; then the pace goes on."""
    stage = new_stage()
    player = Player(STORE, stage, WHOLE, 1.0)
    async with playing(player):
        player.seek(EVENTS[30].received_ns - 500_000_000)
        await eventually(lambda: len(stage.ring) == 30)
        assert state_digest(stage.state) == digest_at(30)
        assert stage.ring.epoch == "epoch-0"
        await eventually(lambda: len(stage.ring) >= 31)


async def test_F30_seek_back_begins_another_epoch_with_the_account_as_known_then() -> None:
    """Numbers go on, so no reader takes an old event for a new one; the later events are gone from the ring."""
    stage = new_stage()
    async with playing(Player(STORE, stage, WHOLE, MAX)) as player:
        await eventually(lambda: player.phase is Phase.ENDED)
        before, version = stage.ring.epoch, stage.ring.version
        player.pause()
        player.seek(EVENTS[20].received_ns)
        await eventually(lambda: stage.ring.epoch != before and len(stage.ring) == 20)
        assert state_digest(stage.state) == digest_at(20)
        assert stage.ring.oldest == version + 1
        assert player.phase is Phase.PAUSED
        player.resume()
        await eventually(lambda: player.phase is Phase.ENDED)
    assert player.status()["state_digest"] == state_digest(PIPELINE.state)


async def test_seek_outside_the_window_is_refused() -> None:
    """One line."""
    player = Player(STORE, new_stage(), Window(EVENTS[3].received_ns, EVENTS[9].received_ns))
    for at_ns in (EVENTS[2].received_ns, EVENTS[10].received_ns):
        with pytest.raises(BadRequest, match="inside the window"):
            player.seek(at_ns)


async def test_step_shows_one_event_each() -> None:
    """At the speed "step" nothing comes by itself."""
    stage = new_stage()
    async with playing(Player(STORE, stage, WHOLE, STEP)) as player:
        for count in (1, 2, 3):
            player.step()
            await eventually(lambda count=count: len(stage.ring) == count)  # type: ignore[misc]
        player.step(5)
        await eventually(lambda: len(stage.ring) == 8)
        assert player.status()["speed"] == "step"
        player.set_speed(MAX)
        await eventually(lambda: player.phase is Phase.ENDED)
    assert len(stage.ring) == len(EVENTS)


@pytest.mark.timed
async def test_pause_holds_the_clock_and_steps_go_on() -> None:
    """What was paused is not made up for: the time after a resume runs from where it stood."""
    stage = new_stage()
    async with playing(Player(STORE, stage, WHOLE, 100.0)) as player:
        await eventually(lambda: len(stage.ring) >= 3)
        player.pause()
        await eventually(lambda: player.phase is Phase.PAUSED)
        held, at_ns = len(stage.ring), player.now_ns
        player.step()
        await eventually(lambda: len(stage.ring) == held + 1)
        assert max(at_ns, player.position_ns) == player.now_ns
        player.set_speed(2.0)
        player.resume()
        await eventually(lambda: len(stage.ring) == held + 2)
        assert player.status()["pace"]["late_max_ms"] < 500


async def test_window_begins_with_the_account_as_it_was() -> None:
    """Orders and positions from before it are known; only its own events are shown."""
    window = Window(EVENTS[25].received_ns, EVENTS[40].received_ns)
    player, stage = await played(STORE, window=window)
    inside = [event for event in EVENTS if EVENTS[25].received_ns <= event.received_ns < EVENTS[40].received_ns]
    assert [json.loads(body)["id"] for body in stage.ring.bodies_since(0, 1_000)] == [
        json.loads(event.body)["id"] for event in inside
    ]
    first = EVENTS.index(inside[0])
    assert player.status()["state_digest"] == digest_at(first + len(inside))


async def test_listeners_are_told_and_sinks_get_every_event_in_order() -> None:
    """The sidecar is notified; an exchange gets what was shown, and the replay waits for it."""
    stage = new_stage()
    told: list[int] = []
    taken: list[int] = []

    async def sink(events: Any) -> None:
        await asyncio.sleep(0)
        taken.extend(event.seq for event in events)

    player = Player(STORE, stage, WHOLE, MAX)
    player.on_publish(lambda: told.append(stage.ring.version))
    player.add_sink(sink)
    async with playing(player):
        await eventually(lambda: player.phase is Phase.ENDED)
    assert taken == list(range(1, len(EVENTS) + 1))
    assert told[-1] == len(EVENTS)


async def test_trouble_of_the_log_ends_the_replay_with_one_line() -> None:
    """What came before stays shown."""
    log = KeepingStore(EVENTS)
    log.fails_after = 2
    stage = new_stage()
    player = Player(log, stage, WHOLE, MAX)
    await asyncio.wait_for(player.run(), 10)
    assert player.phase is Phase.FAILED
    assert player.status()["reason"].startswith("read the log: expected")
    assert len(stage.ring) == 2 * log.slice_size


def _poisoned() -> list[Event]:
    good = next(event for event in EVENTS if event.type is EventType.ORDER)
    head, rest = good.body[: good.record_at], good.body[good.record_at :]
    pickled = pickle.dumps({"id": 1})
    return [
        good._replace(body=pickled, record_at=5, record_bytes=5),
        good._replace(body=head + b"0" * (3 << 20)),
        good._replace(body=head.replace(b'"type":"order"', b'"type":"position"') + rest),
        good._replace(body=good.body[:-5]),
        good._replace(body=head + b'{"id":7}}', record_bytes=8),
        good._replace(body=head + b"[" * 100_000),
        good._replace(record_at=0),
        good._replace(record_bytes=1 << 40),
        good._replace(type=EventType.SYSTEM),
        good._replace(body=b""),
    ]


async def test_T22_rows_that_are_no_events_go_to_quarantine_and_the_others_are_shown() -> None:
    """Pickled, giant, of another schema, cut, nested without end, with wrong places: nothing of it is published."""
    poisoned = _poisoned()
    stage = new_stage()
    player = Player(KeepingStore([EVENTS[0], *poisoned, EVENTS[1]]), stage, WHOLE, MAX)
    async with playing(player):
        await eventually(lambda: player.phase is Phase.ENDED)
    assert [event["id"] for event in shown(stage)] == [json.loads(event.body)["id"] for event in EVENTS[:2]]
    assert player.status()["quarantined"] == len(poisoned)
    assert all(kept.reason.startswith("expected") for kept in stage.quarantine.newest(100))
