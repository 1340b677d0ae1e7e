"""Parts of a past moment: marks, notes of the connection, steps of an order. Over a log in memory."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from fakes.frames import BALANCE, ORDER, balance, order
from fakes.pipelines import START_S, at, row
from fakes.told import Told

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.store.holes import Holes
from coindcx_feed.views import moment

PAIR = "B-ETH_USDT"


class Log:
    """A log in memory: full scans, nothing clever."""

    def __init__(self, events: Iterable[Event] = (), marks: Iterable[tuple[int, str]] = ()) -> None:
        self.events = list(events)
        self.rows = list(marks)
        self.asked: list[tuple[int, int]] = []

    def get(self, seq: int) -> Event | None:
        return next((event for event in self.events if event.seq == seq), None)

    def state_at(self, seq: int, max_orders: int = 0) -> list[Event]:
        return [event for event in self.events if event.seq <= seq]

    def holes_before(self, seq: int) -> Holes | None:
        given, there = set(range(1, seq + 1)), {event.seq for event in self.events}
        lost = sorted(given - there)
        return Holes(len(lost), lost[-1], lost[-1]) if lost else None

    def of_key(self, kind: EventType, key: str, upto: int | None = None, limit: int = 500) -> list[Event]:
        found = [event for event in self.events if (event.type, event.facts.key) == (kind, key)]
        return [event for event in found if upto is None or event.seq <= upto][-limit:]

    def marks(self, pair: str, from_s: int, to_s: int) -> list[tuple[int, str]]:
        self.asked.append((from_s, to_s))
        return [(second, price) for second, price in self.rows if pair == PAIR and from_s <= second <= to_s]

    def select(
        self,
        wanted: EventFilter,
        *,
        limit: int,
        upto: int | None = None,
        after: int = 0,
        from_ns: int | None = None,
    ) -> list[Event]:
        end = self.events[-1].seq if upto is None else upto
        found = [event for event in self.events if after < event.seq <= end and str(event.type) in wanted.types]
        return [event for event in found if event.received_ns >= (from_ns or 0)][::-1][:limit]


def note(seq: int, raw: str, **facts: Any) -> Event:
    """Return a system event with any text as its record."""
    at_ns = (START_S + seq) * 10**9
    body, place = encode_envelope(seq, EventType.SYSTEM, Source.LOCAL, at_ns, raw.encode())
    return Event(seq, EventType.SYSTEM, Source.LOCAL, at_ns, Facts("system", **facts), body, place, len(raw))


def test_newest_mark_is_the_last_up_to_the_second() -> None:
    """Never a later one; the nearest seconds are asked first, an hour only when they have none."""
    log = Log(marks=[(START_S, "1"), (START_S + 5, "2"), (START_S + 6, "3")])
    marks = moment.PastMarks(log, int((START_S + 5.9) * 1e9), {PAIR})
    found = marks.newest(PAIR)
    assert found is not None
    assert (str(found.price), found.received_ns) == ("2", (START_S + 5) * 10**9)
    assert log.asked == [(START_S - 5, START_S + 5)]
    assert marks.newest("B-BTC_USDT") is None
    old = moment.PastMarks(log, (START_S + 600) * 10**9, {PAIR}).newest(PAIR)
    assert old is not None
    assert str(old.price) == "3"
    assert moment.PastMarks(log, (START_S + 2 * moment.MARK_WITHIN_S) * 10**9, {PAIR}).newest(PAIR) is None


def test_marks_of_pairs_that_were_not_held_are_not_asked_for() -> None:
    """A hundred flat positions cost nothing."""
    log = Log(marks=[(START_S, "1")])
    assert moment.PastMarks(log, START_S * 10**9, ()).newest(PAIR) is None
    assert log.asked == []


def test_line_of_marks_ends_at_the_moment_and_breaks_at_holes() -> None:
    """Also when more is asked for; ten seconds without a mark are a hole."""
    log = Log(marks=[(START_S + second, "2900") for second in (0, 1, 30, 31, 90)])
    t_ms, mark = moment.PastMarks(log, (START_S + 31) * 10**9, {PAIR}).series(PAIR, START_S * 1e3, START_S * 1e3 + 1e9)
    assert (t_ms / 1e3 - START_S).tolist() == [0, 1, 2, 30, 31]
    assert np.isnan(mark).tolist() == [False, False, True, False, False]
    empty = moment.PastMarks(Log(), START_S * 10**9, {PAIR}).series(PAIR, START_S * 1e3, START_S * 1e3)
    assert [len(values) for values in empty] == [0, 0]


def test_record_that_is_no_longer_understood_is_left_out() -> None:
    """A log of an older version: the rest is shown."""
    told = Told().feed([at(row(ORDER, order()), 0), at(row(BALANCE, balance()), 1)])
    raw = b'{"id": []}'
    body, place = encode_envelope(3, EventType.ORDER, Source.STREAM, 1, raw)
    odd = Event(3, EventType.ORDER, Source.STREAM, 1, Facts("?"), body, place, len(raw))
    state = moment.fold([*told.events, odd])
    assert len(state.orders()) == len(state.balances()) == 1


def test_steps_follow_the_order_back_and_stop_where_it_breaks_off() -> None:
    """At its first event, or where the log no longer holds the one before."""
    story = [at(row(ORDER, order(updated_at=1_790_000_000_000 + step)), step) for step in range(5)]
    story.insert(2, at(row(ORDER, order("o-2")), 2))
    told = Told().feed(story)
    whole, cut = Log(told.events), Log(told.events[3:])
    state = moment.fold(told.events)
    for log, expected in ((whole, [1, 2, 4, 5, 6]), (cut, [4, 5, 6])):
        found = moment.order(log, state, "o-1")
        assert found is not None
        assert [step["seq"] for step in found["steps"]] == expected


def test_connection_is_what_was_told_last() -> None:
    """Nothing told is not known, and never connected."""
    told = json.dumps({"message": "upstream live", "coindcx_connected": True})
    events = [note(1, "{}", message="begun"), note(2, told, message="upstream live", status="live")]
    events += [note(3, "{}", message="something else"), note(4, "[]", status="odd")]
    log = Log(events)
    assert moment.connection(log, 1) == {"state": None, "connected": False, "told_ms": None}
    assert moment.connection(log, 3) == {"state": "live", "connected": True, "told_ms": (START_S + 2) * 1e3}
    assert moment.connection(log, 4)["state"] == "live"


@pytest.mark.parametrize("raw", ["{}", "[]", '{"start": 7}', '{"start": null}', '{"end": "2026-09-21T14:13:50.500Z"}'])
def test_note_of_a_gap_that_says_nothing_is_left_out(raw: str) -> None:
    """It shades nothing and harms nothing."""
    log = Log([note(1, raw, message="upstream_gap")])
    assert moment.gaps(log, 1, 0, (START_S + 5) * 10**9) == []


def test_gap_that_the_process_and_the_log_know_is_one() -> None:
    """The log's has the outcome; the log writes milliseconds, the process knows nanoseconds."""
    noted = {"start": "2026-09-21T14:13:50.500Z", "end": "2026-09-21T14:14:00.000Z", "cause": "closed", "recovered": 4}
    log = Log([note(1, json.dumps(noted), message="upstream_gap")])
    known = {"from_ms": (START_S + 30.5) * 1e3 + 0.25, "to_ms": (START_S + 40) * 1e3, "cause": "closed"}
    (found,) = moment.gaps(log, 1, 0, (START_S + 50) * 10**9, [known])
    assert (found["from_ms"], found["recovered"], found["is_on_demand"]) == ((START_S + 30.5) * 1e3, 4, False)


def test_missing_events_are_plain_numbers() -> None:
    """Or nothing, where every number is there."""
    log = Log([note(seq, "{}") for seq in (1, 3, 4)])
    assert moment.missing(log, 1) is None
    assert moment.missing(log, 4) == {"count": 1, "from_seq": 2, "to_seq": 2}
