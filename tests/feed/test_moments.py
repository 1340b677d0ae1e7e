"""The account as of any stored event, over a real log: the same rows as when that event was the newest."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position, rows
from fakes.pipelines import START_S, at, row
from fakes.plain import is_plain
from fakes.runtimes import settings_for
from fakes.told import Told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coindcx_feed.errors import StoreError
from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.exchange.states import Change, State
from coindcx_feed.feed.demo import DemoExchange
from coindcx_feed.feed.moments import KEPT, Moments
from coindcx_feed.feed.normalize import Frame
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.store.log import EventStore

PAIRS = ("B-ETH_USDT", "B-BTC_USDT")
MARKS = (("B-ETH_USDT", "2910.5"), ("B-BTC_USDT", "80000.1"))
_folders = itertools.count()


class World:
    """A runtime that was never started, with a log of its own."""

    def __init__(self, folder: Path) -> None:
        self.runtime = FeedRuntime(settings_for("http://127.0.0.1:9", folder), "serve")
        self.url = f"sqlite:///{folder / f'events-{next(_folders)}.sqlite'}"
        self.log = EventStore.open(self.url, mode="live", account="a", synchronous="normal")
        self.log.begin_epoch("epoch-1", 1)
        self.runtime.log = self.log
        self.moments = Moments(self.runtime)

    def store(self, told: Told) -> None:
        self.log.append(told.events, "epoch-1")
        self.log.append_marks(sorted(set(told.marks)))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.log.close()


def note(seq: int, second: float, message: str, **data: Any) -> Event:
    """Return a system event as the pipeline numbers one."""
    raw = json.dumps({"message": message, **data}).encode()
    at_ns = int((START_S + second) * 1e9)
    body, place = encode_envelope(seq, EventType.SYSTEM, Source.LOCAL, at_ns, raw)
    facts = Facts("system", status=data.get("state"), message=message)
    return Event(seq, EventType.SYSTEM, Source.LOCAL, at_ns, facts, body, place, len(raw))


def comparable(positions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Marks of what is not held are not stored: then they are not known.
    unheld = {"mark_price": None, "mark_age_s": None, "mark_is_fresh": False}
    return [found | unheld if found["side"] == "flat" else found for found in positions]


def assert_same(moments: Moments, told: Told, seqs: list[int]) -> None:
    for seq in seqs:
        orders, positions, balances = told.shown[seq]
        assert moments.orders_at(seq) == orders, seq
        assert comparable(moments.positions_at(seq)) == comparable(positions), seq
        assert moments.balances_at(seq) == balances, seq


def recorded(*patterns: str) -> list[Frame]:
    found = [each for each in rows(*patterns) if each.get("event") in (ORDER, POSITION, BALANCE)]
    return [at(each, index / 7) for index, each in enumerate(found)]


def test_rows_of_recorded_events_are_those_of_then(world: World) -> None:
    """Every recorded scenario and every captured frame, at each of their events."""
    told = Told().feed(recorded("scenarios/*.jsonl", "ws/*.jsonl"), MARKS)
    world.store(told)
    assert len(told.shown) > 50
    assert_same(world.moments, told, list(told.shown))


def test_rows_of_a_simulated_account_are_those_of_then(world: World) -> None:
    """Half an hour of the demo: at moments all over it."""
    demo = DemoExchange(0)
    past = [frame for frame in demo.start() if frame.event in (ORDER, POSITION, BALANCE)]  # no marks but ours
    demo.stop()
    told = Told(every=97).feed(past, MARKS)
    world.store(told)
    assert len(told.shown) > 15
    assert_same(world.moments, told, list(told.shown))


@st.composite
def _frames(draw: st.DrawFn) -> list[Frame]:
    # Small numbers of ids and times: repeats, late ones and returns to an earlier state are frequent.
    frames, second = [], 0.0
    for _ in range(draw(st.integers(3, 30))):
        second += draw(st.sampled_from((0.0, 0.4, 3.0)))
        name, moved = str(draw(st.integers(1, 3))), 1_790_000_000_000 + draw(st.integers(0, 6))
        pair = draw(st.sampled_from(PAIRS))
        held = draw(st.sampled_from((0, 0.2, -1.5)))
        made = {
            ORDER: order(f"o-{name}", pair=pair, status=draw(st.sampled_from(("open", "filled"))), updated_at=moved),
            POSITION: position(f"p-{name}", pair=pair, active_pos=held, updated_at=moved),
            BALANCE: balance(f"w-{name}", free=str(draw(st.integers(1, 4)))),
        }
        kind = draw(st.sampled_from(tuple(made)))
        frames.append(at(row(kind, made[kind]), second))
    return frames


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_frames())
def test_rows_of_any_story_are_those_of_then(tmp_path: Path, frames: list[Frame]) -> None:
    """Late, repeated and returning records: the pages show what a pipeline fed up to that event would."""
    told = Told().feed(frames, MARKS)
    world = World(tmp_path)
    try:
        world.store(told)
        assert_same(world.moments, told, list(told.shown))
    finally:
        world.log.close()


def test_steps_and_series_end_at_the_moment(world: World) -> None:
    """Order, position and wallet: nothing later than the event, in charts neither."""
    story = [
        at(row(ORDER, order(status="open")), 0),
        at(row(POSITION, position(active_pos=0.2)), 1),
        at(row(BALANCE, balance(free="90")), 2),
        at(row(ORDER, order(status="filled", updated_at=1_790_000_000_001, remaining_quantity=0)), 3),
        at(row(POSITION, position(active_pos=0.5, updated_at=1_790_000_000_001)), 4),
        at(row(BALANCE, balance(free="80")), 5),
    ]
    world.store(Told().feed(story, MARKS))
    moments, since_ms = world.moments, (START_S - 60) * 1e3
    before, after = moments.order_at("o-1", 3), moments.order_at("o-1", 6)
    assert before is not None
    assert after is not None
    assert [step["status"] for step in before["steps"]] == ["open"]
    assert [step["status"] for step in after["steps"]] == ["open", "filled"]
    lines = moments.position_series_at("p-1", 3, since_ms)
    assert lines is not None
    assert lines["t_ms"].max() <= (START_S + 2) * 1e3
    assert set(lines["size"]) == {0.2}
    assert moments.balance_series_at("USDT", 3, since_ms)["available"].tolist() == [90.0]
    assert moments.balance_series_at("USDT", 6, since_ms)["available"].tolist() == [90.0, 80.0]
    assert moments.order_at("o-2", 6) is None
    assert moments.position_series_at("p-2", 6, since_ms) is None


def test_moment_says_what_is_known_about_it(world: World) -> None:
    """Number, time, series, span, the connection, and no gap; plain data."""
    told = Told().feed([at(row(ORDER, order()), 5), at(row(BALANCE, balance()), 6)])
    live = note(3, 7, "upstream live", coindcx_connected=True, state="live")
    world.store(told)
    world.log.append([live], "epoch-1")
    early, late = world.moments.moment(1), world.moments.moment(3)
    assert early is not None
    assert late is not None
    assert (early["received_ms"], early["type"], early["pair"]) == ((START_S + 5) * 1e3, "order", "B-ETH_USDT")
    assert (early["epoch"], early["first_seq"], early["newest_seq"]) == ("epoch-1", 1, 3)
    assert (early["state"], early["connected"], early["gap"]) == (None, False, None)
    assert (late["state"], late["connected"], late["told_ms"]) == ("live", True, (START_S + 7) * 1e3)
    assert is_plain([early, late])
    assert world.moments.moment(4) is None


def test_seq_at_is_the_last_event_up_to_a_time(world: World) -> None:
    """Inclusive; nothing before the first."""
    world.store(Told().feed([at(row(ORDER, order()), 5), at(row(BALANCE, balance()), 6)]))
    found = [world.moments.seq_at((START_S + second) * 1e3) for second in (4.9, 5.0, 5.9, 6.0, 600.0)]
    assert found == [None, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "said", "nearest"),
    [
        ("abc", "was 'abc'", 9),
        ("", "was ''", 9),
        ("1.5", "was '1.5'", 9),
        ("٣", "was '٣'", 9),
        ("7 OR 1=1", "was '7 OR 1=1'", 9),
        ("-4", "was -4", 3),
        ("0", "removed", 3),
        ("2", "removed", 3),
        ("10", "not happened yet", 9),
        ("9" * 5_000, "not happened yet", 9),
        ("6", "event 6 is not in the log", 5),
    ],
)
def test_T14_wrong_number_is_one_line_with_the_nearest(world: World, text: str, said: str, nearest: int) -> None:
    """No number, negative, removed, to come, or lost: what was expected, what came, where to go."""
    world.log.append([note(seq, seq, "n") for seq in (3, 4, 5, 7, 8, 9)], "epoch-1")
    found = world.moments.find(text)
    assert found["moment"] is None
    assert said in found["problem"]
    assert "\n" not in found["problem"]
    assert len(found["problem"]) < 200
    assert found["nearest"] == nearest
    assert world.moments.find(str(nearest))["moment"]["seq"] == nearest


def test_steps_skip_what_was_lost(world: World) -> None:
    """To the event before and after; at the ends there is none."""
    world.log.append([note(seq, seq, "n") for seq in (3, 4, 7)], "epoch-1")
    moments = world.moments
    assert [moments.before(seq) for seq in (3, 4, 7)] == [None, 3, 4]
    assert [moments.after(seq) for seq in (3, 4, 7)] == [4, 7, None]
    assert [moments.nearest(seq) for seq in (1, 4, 6, 99)] == [3, 4, 4, 7]


def test_moment_after_lost_events_says_so(world: World) -> None:
    """A hole in the numbers is said at every moment behind it, and at none before."""
    told = Told().feed([at(row(ORDER, order(status="open", updated_at=1_790_000_000_000 + n)), n) for n in range(5)])
    world.log.append([event for event in told.events if event.seq not in (2, 3)], "epoch-1")
    found = [world.moments.moment(seq) for seq in (1, 4, 5)]
    assert [each["missing"] for each in found if each is not None] == [
        None, {"count": 2, "from_seq": 2, "to_seq": 3}, {"count": 2, "from_seq": 2, "to_seq": 3},
    ]  # fmt: skip
    assert is_plain(found)


def test_without_a_log_it_says_so(tmp_path: Path) -> None:
    """COINDCX_STORE_URL=none: one line, no moment, nothing offered."""
    moments = Moments(FeedRuntime(settings_for("http://127.0.0.1:9", tmp_path), "serve"))
    found = moments.find("1")
    assert (found["moment"], found["nearest"]) == (None, None)
    assert "no durable log" in found["problem"]
    assert "COINDCX_STORE_URL" in found["problem"]
    assert (moments.span(), moments.moment(1), moments.seq_at(0), moments.before(2), moments.after(0)) == (None,) * 5
    with pytest.raises(StoreError, match="expected a durable log"):
        moments.orders_at(1)


def test_empty_log_says_so(world: World) -> None:
    """Nothing to look back at yet."""
    assert "no event yet" in world.moments.find("1")["problem"]


def test_log_that_cannot_be_read_is_one_line(world: World) -> None:
    """The page says it instead of failing."""
    world.log.append([note(1, 1, "n")], "epoch-1")

    def broken() -> tuple[int, int]:
        raise StoreError("the log's file is gone: restart the feed")

    world.log.span = broken  # type: ignore[method-assign]
    assert "the log's file is gone" in world.moments.find("1")["problem"]


def test_number_that_is_not_stored_is_an_error(world: World) -> None:
    """Pages ask ``find`` first; whoever does not gets one line."""
    world.log.append([note(1, 1, "n")], "epoch-1")
    with pytest.raises(StoreError, match="expected a stored event, was 5"):
        world.moments.orders_at(5)


def test_moment_in_a_gap_names_it_and_charts_shade_it(world: World) -> None:
    """Also when the gap was noted after the moment; not the last event before it, not the first after it."""
    start, end = "2026-09-21T14:13:50.500Z", "2026-09-21T14:14:00.000Z"  # 30.5 s and 40 s after START_S
    gap = {"coindcx_connected": True, "state": "live", "start": start, "end": end, "cause": "closed", "recovered": 2}
    events = [
        note(1, 30.5004, "before"),
        note(2, 35, "upstream reconnecting", coindcx_connected=False, state="reconnecting"),
        note(3, 40, "upstream live", coindcx_connected=True, state="live"),
        note(4, 41, "upstream_gap", **gap),
    ]
    world.log.append(events, "epoch-1")
    found = [world.moments.moment(seq) for seq in (1, 2, 3, 4)]
    assert [each is not None and each["gap"] is not None for each in found] == [False, True, False, False]
    assert found[1] is not None
    assert (found[1]["gap"]["cause"], found[1]["gap"]["recovered"], found[1]["connected"]) == ("closed", 2, False)
    (shaded,) = world.moments.gaps_at(4, (START_S - 10) * 1e3)
    assert (shaded["from_ms"], shaded["to_ms"]) == ((START_S + 30.5) * 1e3, (START_S + 40) * 1e3)
    assert world.moments.gaps_at(4, (START_S + 40.5) * 1e3) == []


def test_gap_that_lasts_is_known_from_the_watch(world: World) -> None:
    """It is in no event yet."""
    world.log.append([note(1, 30, "upstream live"), note(2, 50, "upstream reconnecting")], "epoch-1")
    watch = world.runtime.watch
    watch.add(Change(State.LIVE, int((START_S + 1) * 1e9)))
    watch.add(Change(State.RECONNECTING, int((START_S + 41) * 1e9), proven_ns=int((START_S + 40) * 1e9)))
    early, late = world.moments.moment(1), world.moments.moment(2)
    assert early is not None
    assert late is not None
    assert early["gap"] is None
    assert late["gap"]["to_ms"] is None


def test_results_need_a_mark_of_that_second(world: World) -> None:
    """With its age; an older one is shown with its age and computes nothing, none is unknown."""
    held = [at(row(POSITION, position(active_pos=0.2, avg_price=2900)), 0.5)]
    held += [at(row(BALANCE, balance(free=str(second))), second) for second in (5.5, 40.5, 7_200.5)]
    told = Told().feed(held)
    world.store(told)
    world.log.append_marks([(START_S + 2, "B-ETH_USDT", "2910.5"), (START_S + 6, "B-ETH_USDT", "3000")])
    rows_at = [world.moments.positions_at(seq)[0] for seq in (1, 2, 3, 4)]
    shown = [(found["mark_price"], found["unrealized_pnl"], found["mark_is_fresh"]) for found in rows_at]
    assert shown == [(None, None, False), ("2910.5", "2.1", True), ("3000", None, False), (None, None, False)]
    assert rows_at[1]["mark_age_s"] == pytest.approx(3.5)
    assert rows_at[2]["mark_age_s"] == pytest.approx(34.5)
    assert rows_at[2]["liquidation_distance"] is None


def test_C8_moments_are_remembered_within_bounds(world: World) -> None:
    """A reader who scrubs through the whole log leaves a handful behind."""
    world.log.append([note(seq, seq, "n") for seq in range(1, 60)], "epoch-1")
    for seq in range(1, 60):
        assert world.moments.orders_at(seq) == []
    assert len(world.moments._kept) == KEPT
