"""Marks of a replay: as far as its clock has come, and no further."""

from decimal import Decimal

import pytest
from fakes.frames import POSITION, position
from fakes.pipelines import filled, row

from coindcx_feed.errors import StoreError
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.replay_marks import ReplayMarks

START_S = 1_790_000_000
PAIR = "B-ETH_USDT"
STATE = filled(row(POSITION, position(pair=PAIR, active_pos=1))).state


class KeptMarks:
    """A mark a second, from ``START_S``; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.is_gone = False

    def marks(self, pair: str, from_s: int, to_s: int) -> list[tuple[int, str]]:
        if self.is_gone:
            raise StoreError("read marks: expected an answer, was none: try again")
        self.asked.append((pair, from_s, to_s))
        return [(second, f"{2900 + second - START_S}.5") for second in range(max(from_s, START_S), to_s + 1)]


class World:
    """A replay whose clock the test moves, with one open position."""

    def __init__(self) -> None:
        self.now_s = START_S
        self.source, self.marks = KeptMarks(), Marks()
        self.replayed = ReplayMarks(self.source, self.marks, STATE, lambda: self.now_s * 10**9)

    def fresh(self) -> Decimal | None:
        return self.marks.fresh(PAIR, self.now_s * 10**9)


async def test_marks_follow_the_clock_and_are_read_once() -> None:
    """The newest is that of the replay's present; the next read begins where the last one ended."""
    world = World()
    world.now_s += 60
    await world.replayed.follow()
    assert world.fresh() == Decimal("2960.5")
    world.now_s += 5
    await world.replayed.follow()
    assert world.fresh() == Decimal("2965.5")
    assert world.source.asked[1] == (PAIR, START_S + 61, START_S + 65)
    times, prices = world.marks.series(PAIR, START_S * 1000, world.now_s * 1000)
    assert (len(times), prices[0], prices[-1]) == (66, 2900.5, 2965.5)


async def test_step_back_reads_the_day_before_again() -> None:
    """At most the history that charts keep."""
    world = World()
    world.now_s += 1_000
    await world.replayed.follow()
    world.now_s -= 900
    await world.replayed.follow()
    assert world.fresh() == Decimal("3000.5")
    assert world.source.asked[1] == (PAIR, world.now_s - 24 * 3600 + 1, world.now_s)


async def test_log_that_cannot_be_read_is_told_to_the_caller() -> None:
    """Marks known so far stay, and grow old."""
    world = World()
    await world.replayed.follow()
    world.source.is_gone = True
    world.now_s += 30
    with pytest.raises(StoreError):
        await world.replayed.follow()
    assert world.fresh() is None
    assert world.marks.newest(PAIR) is not None
