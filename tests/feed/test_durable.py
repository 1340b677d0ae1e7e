"""Persist before publish, and what happens while the log is away."""

import asyncio
import json
import threading
from collections.abc import Sequence

import pytest
from fakes.waiting import eventually

from coindcx_feed.errors import StoreCorrupt, StoreError, StoreGone
from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope, marked_undurable
from coindcx_feed.feed.durable import Durable, NoStore

LIMIT_S = 0.2


def event(seq: int) -> Event:
    record = json.dumps({"id": f"o-{seq}"}).encode()
    body, at = encode_envelope(seq, EventType.ORDER, Source.STREAM, seq, record)
    return Event(seq, EventType.ORDER, Source.STREAM, seq, Facts(f"o-{seq}"), body, at, len(record))


def events(*seqs: int) -> list[Event]:
    return [event(seq) for seq in seqs]


def is_marked(found: Event) -> bool:
    envelope = json.loads(found.body)
    assert json.loads(found.record) == envelope["data"]
    return envelope.get("durable") is False


class Log:
    """A log in memory whose troubles are switches."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[str, Event]] = {}
        self.calls: list[tuple[object, ...]] = []
        self.trouble: str | None = None
        self.kind: type[StoreError] = StoreError
        self.gate = threading.Event()
        self.gate.set()

    def _work(self, *call: object) -> None:
        self.calls.append(call)
        self.gate.wait(10)
        if self.trouble:
            raise self.kind(self.trouble)

    def append(self, events: Sequence[Event], epoch: str) -> None:
        self._work("append", len(events))
        for found in events:
            self.rows.setdefault(found.seq, (epoch, found))

    def append_marks(self, rows: Sequence[tuple[int, str, str]]) -> None:
        self._work("marks", len(rows))

    def begin_epoch(self, epoch: str, first_seq: int, *, settled: bool = True) -> None:
        self._work("begin", first_seq, settled)

    def settle_epoch(self, epoch: str) -> None:
        self._work("settle")

    def drop_from(self, seq: int) -> None:
        self._work("drop", seq)
        self.rows = {number: row for number, row in self.rows.items() if number < seq}

    def reopen(self) -> None:
        self.kind, self.trouble = StoreError, None
        self.calls.append(("reopen",))

    def give_up(self) -> None:
        self.calls.append(("give up",))
        self.kind, self.trouble = StoreGone, "given up"
        self.gate.set()

    def close(self) -> None:
        self.gate.wait(10)
        self.calls.append(("close",))


class Scene:
    """A log with the gate before it."""

    def __init__(self, spill: int = 100) -> None:
        self.log, self.epochs, self.returns = Log(), list[str](), list[int]()
        self.durable = Durable(
            self.log, "E1", lambda name, _: self.epochs.append(name), self.returns.append, spill=spill, limit_s=LIMIT_S
        )


async def test_C2_events_are_returned_when_they_are_stored() -> None:
    """As they are, under the present epoch."""
    scene = Scene()
    given = events(1, 2)
    assert await scene.durable.append(given) == given
    assert [epoch for epoch, _ in scene.log.rows.values()] == ["E1", "E1"]
    assert scene.durable.is_durable
    await scene.durable.close()
    assert scene.log.calls[-1] == ("close",)


async def test_F21_a_log_in_trouble_begins_an_epoch_and_gets_everything_later_in_order() -> None:
    """Marked while it lasts, stored without the mark, nothing lost or doubled."""
    scene = Scene()
    await scene.durable.append(events(1))
    scene.log.trouble = "disk full"
    first = await scene.durable.append(events(2, 3))
    second = await scene.durable.append(events(4))
    assert all(map(is_marked, first + second))
    assert len(scene.epochs) == 1
    outage = scene.durable.outage
    assert outage is not None
    assert (outage.reason, outage.waiting, outage.lost) == ("disk full", 3, 0)
    scene.log.trouble = None
    await eventually(lambda: scene.durable.is_durable)
    assert scene.returns == [0]
    assert [(seq, epoch) for seq, (epoch, _) in scene.log.rows.items()] == [
        (1, "E1"), *((seq, scene.epochs[0]) for seq in (2, 3, 4)),
    ]  # fmt: skip
    assert not any(is_marked(found) for _, found in scene.log.rows.values())
    (last,) = await scene.durable.append(events(5))
    assert not is_marked(last)
    assert scene.log.rows[5][0] == scene.epochs[0]


async def test_F21_a_slow_commit_is_not_waited_for_and_not_stored_twice() -> None:
    """It may succeed after all: what it stored is removed before the same events come under their new epoch."""
    scene = Scene()
    scene.log.gate.clear()
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = await scene.durable.append(events(1, 2))
    assert loop.time() - began < LIMIT_S + 1
    assert all(map(is_marked, found))
    scene.log.gate.set()
    await eventually(lambda: scene.durable.is_durable)
    assert ("drop", 1) in scene.log.calls
    assert {epoch for epoch, _ in scene.log.rows.values()} == set(scene.epochs)


@pytest.mark.parametrize("kind", [StoreCorrupt, StoreGone])
async def test_F21_a_broken_log_is_opened_anew(kind: type[StoreError]) -> None:
    """Trying the same file again would not help; what waits goes to the one that was begun."""
    scene = Scene()
    await scene.durable.append(events(1))
    scene.log.kind, scene.log.trouble = kind, "broken"
    await scene.durable.append(events(2))
    await eventually(lambda: scene.durable.is_durable)
    names = [call[0] for call in scene.log.calls]
    assert names[names.index("reopen") :] == ["reopen", "drop", "begin", "append", "settle"]
    assert scene.log.rows[2][0] == scene.epochs[0]


async def test_F20_what_finds_no_room_is_counted_and_the_newest_are_kept() -> None:
    """Memory is bounded while the log is away."""
    scene = Scene(spill=3)
    scene.log.trouble = "disk full"
    for seq in range(1, 6):
        await scene.durable.append(events(seq))
    outage = scene.durable.outage
    assert outage is not None
    assert (outage.waiting, outage.lost) == (3, 2)
    scene.log.trouble = None
    await eventually(lambda: scene.durable.is_durable)
    assert list(scene.log.rows) == [3, 4, 5]
    assert scene.returns == [2]


async def test_the_end_of_the_process_stores_what_waits_when_the_log_is_back() -> None:
    """A last try, without waiting for the next one's turn."""
    scene = Scene()
    scene.log.trouble = "locked"
    await scene.durable.append(events(1))
    scene.log.trouble = None
    await scene.durable.close()
    assert list(scene.log.rows) == [1]


async def test_F22_the_end_of_the_process_gives_up_a_log_that_does_not_answer() -> None:
    """A thread that waits for ever would keep the process from ending; it may be the last call that hangs."""
    for away in (events(1), []):
        scene = Scene()
        scene.log.gate.clear()
        if away:
            await scene.durable.append(away)
        await scene.durable.close()
        await eventually(lambda scene=scene: ("close",) in scene.log.calls)
        assert ("give up",) in scene.log.calls
        assert scene.log.rows == {}


async def test_marks_are_left_out_while_the_log_is_away() -> None:
    """They are drawn, not promised."""
    scene = Scene()
    await scene.durable.append_marks([(1, "B-ETH_USDT", "2900.5")])
    scene.log.trouble = "locked"
    await scene.durable.append(events(1))
    count = len(scene.log.calls)
    await scene.durable.append_marks([(2, "B-ETH_USDT", "2900.6")])
    assert ("marks", 1) not in scene.log.calls[count:]
    await scene.durable.close()


async def test_C2_without_a_log_nothing_claims_to_be_stored() -> None:
    """The pipeline marks what this store is given."""
    given = events(1)
    assert await NoStore().append(given) == given
    assert not NoStore().is_durable


def test_marking_twice_is_marking_once() -> None:
    """An event that was encoded while the log was away comes marked."""
    once = marked_undurable(event(1))
    assert marked_undurable(once) == once


@pytest.mark.parametrize("late", [True, False])
def test_mark_stands_in_the_head_whatever_the_record_says(late: bool) -> None:
    """A record that looks like an envelope must not be touched."""
    record = b'{"source":"x","durable":false}'
    body, at = encode_envelope(1, EventType.ORDER, Source.REST, 1, record, is_late=late)
    found = marked_undurable(Event(1, EventType.ORDER, Source.REST, 1, Facts("k"), body, at, len(record)))
    assert is_marked(found)
    assert found.record == record
