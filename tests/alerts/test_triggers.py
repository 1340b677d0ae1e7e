"""When a rule speaks: cool-down, once until it ceases, holding for a while, moves within a time."""

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.alerts.triggers import MAX_THINGS, Cooldown, Edge, Moves, move_of


def test_cooldown_lets_one_through_and_counts_the_rest() -> None:
    """Per thing; the end of the time is not within it."""
    cooldown = Cooldown(60)
    assert [cooldown.passes(at) for at in (0.0, 1.0, 59.9, 60.0)] == [True, False, False, True]
    assert cooldown.held_back == 2
    assert cooldown.passes(61.0, "another")


def test_clock_set_back_does_not_silence() -> None:
    """A wall clock may jump."""
    cooldown = Cooldown(60)
    assert cooldown.passes(10_000.0)
    assert cooldown.passes(9_000.0)


@given(st.lists(st.floats(0, 1e6), max_size=50), st.floats(0, 1e4))
def test_two_that_pass_are_never_nearer_than_the_cooldown(times: list[float], cooldown_s: float) -> None:
    """Whatever the times."""
    cooldown = Cooldown(cooldown_s)
    passed = [at for at in sorted(times) if cooldown.passes(at)]
    assert all(after - before >= cooldown_s for before, after in itertools.pairwise(passed))


def test_edge_fires_once_until_it_ceased() -> None:
    """What goes on to hold is told already."""
    edge = Edge(0)
    assert [edge.look("p", holds, 0.0) for holds in (True, True, False, True)] == [True, False, False, True]


def test_edge_waits_until_it_has_held() -> None:
    """A moment without is a new beginning."""
    edge = Edge(10)
    assert [edge.look("p", True, at) for at in (0.0, 9.9)] == [False, False]
    edge.look("p", False, 9.95)
    assert [edge.look("p", True, at) for at in (10.0, 19.9, 20.0, 30.0)] == [False, False, True, False]


def test_edge_tells_when_it_fired_by_itself() -> None:
    """Between two events nothing changed, but the time went by."""
    edge = Edge(10)
    edge.look("p", True, 5.0)
    assert edge.elapse("p", 14.9) is None
    assert edge.elapse("p", 100.0) == 15.0
    assert edge.elapse("p", 200.0) is None
    assert edge.elapse("unknown", 200.0) is None


def test_what_is_gone_or_silenced_is_not_told() -> None:
    """A position that is opened again begins anew; what held before the window is known."""
    edge = Edge(0)
    edge.look("p", True, 0.0)
    edge.keep_only(set())
    assert edge.look("p", True, 1.0)
    waiting = Edge(10)
    waiting.look("q", True, 0.0)
    waiting.silence("q")
    assert waiting.things() == ["q"]
    assert not waiting.look("q", True, 50.0)


def test_memory_of_things_is_bounded() -> None:
    """A feed that invents ids costs no more than the state does."""
    edge, cooldown, moves = Edge(60), Cooldown(60), Moves(60)
    for number in range(MAX_THINGS + 50):
        edge.look(str(number), True, 0.0)
        cooldown.passes(0.0, str(number))
        moves.take(str(number), Decimal(1), 0.0)
    assert len(edge.things()) == MAX_THINGS
    assert len(cooldown._last) == len(moves._kept) == MAX_THINGS


def test_moves_look_back_so_far_and_no_further() -> None:
    """The value at the start of the time counts until the next one came."""
    moves = Moves(60)
    assert moves.take("w", Decimal(100), 0.0) == (100, 100)
    assert moves.take("w", Decimal(80), 59.0) == (80, 100)
    assert moves.take("w", Decimal(80), 118.0) == (80, 100)
    assert moves.take("w", Decimal(80), 119.0) == (80, 80)
    moves.keep_only(set())
    assert moves.take("w", Decimal(5), 120.0) == (5, 5)


def test_move_is_the_one_that_the_operator_asks_for() -> None:
    """A rise from the lowest, a fall from the highest, or the larger of both."""
    values = (Decimal(90), Decimal(80), Decimal(110))
    assert move_of("at_least", *values) == (10, 80)
    assert move_of("at_most", *values) == (-20, 110)
    assert move_of("beyond", *values) == (-20, 110)
