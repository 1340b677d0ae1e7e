"""States of the last hours and the times away from the exchange."""

from coindcx_feed.exchange.states import Change, State
from coindcx_feed.feed.watch import MAX_CHANGES, MAX_GAPS, ON_DEMAND, Completeness, Gap, Watch


def _change(state: State, at_s: int, reason: str | None = None, proven_s: int | None = None) -> Change:
    return Change(state, at_s * 10**9, reason, None, None if proven_s is None else proven_s * 10**9)


def _gap(start_s: int, end_s: int | None, cause: str, noticed_s: int | None = None) -> Gap:
    noticed_ns = (start_s if noticed_s is None else noticed_s) * 10**9
    return Gap(start_s * 10**9, None if end_s is None else end_s * 10**9, cause, noticed_ns=noticed_ns)


def test_C7_time_before_the_first_connection_is_no_gap() -> None:
    """Nothing was watched yet, so nothing was missed."""
    watch = Watch()
    for second, state in enumerate((State.CONNECTING, State.RECONNECTING, State.LIVE)):
        assert watch.add(_change(state, second)) is None
    assert watch.gaps() == []


def test_C7_gap_lasts_from_the_last_proof_to_the_return() -> None:
    """Not from the moment the loss was noticed: events may have been lost before that."""
    watch = Watch()
    watch.add(_change(State.LIVE, 10))
    assert watch.add(_change(State.STALE, 30, "nothing arrived for 10.1 s", proven_s=20)) is None
    assert watch.gaps() == [_gap(20, None, "nothing arrived for 10.1 s", 30)]
    watch.add(_change(State.RECONNECTING, 31, "closed", proven_s=20))
    assert watch.add(_change(State.QUIET, 40)) == _gap(20, 40, "nothing arrived for 10.1 s", 30)
    assert watch.gaps() == [_gap(20, 40, "nothing arrived for 10.1 s", 30)]


def test_gap_without_proof_begins_at_the_change_and_names_the_state() -> None:
    """Both facts may be unknown."""
    watch = Watch()
    watch.add(_change(State.LIVE, 10))
    watch.add(_change(State.STOPPED, 12))
    assert watch.gaps() == [_gap(12, None, "stopped")]


def test_change_between_two_connected_states_is_no_gap() -> None:
    """Quiet and live both watch the account."""
    watch = Watch()
    for second, state in enumerate((State.QUIET, State.LIVE, State.QUIET)):
        assert watch.add(_change(state, second)) is None
    assert watch.gaps() == []
    assert [change.state for change in watch.changes()] == [State.QUIET, State.LIVE, State.QUIET]


def test_gaps_are_listed_oldest_first_with_the_open_one_last() -> None:
    """A page shows what is over and what goes on."""
    watch = Watch()
    for second in range(0, 40, 20):
        watch.add(_change(State.LIVE, second))
        watch.add(_change(State.RECONNECTING, second + 10, f"cut at {second + 10}"))
    assert watch.gaps() == [_gap(10, 20, "cut at 10"), _gap(30, None, "cut at 30")]


def test_C8_changes_and_gaps_are_bounded() -> None:
    """A line that flaps for weeks keeps the newest."""
    watch = Watch()
    for second in range(0, 2 * (MAX_CHANGES + 10), 2):
        watch.add(_change(State.LIVE, second))
        watch.add(_change(State.RECONNECTING, second + 1))
    assert len(watch.changes()) == MAX_CHANGES
    assert len(watch.gaps()) == MAX_GAPS + 1
    assert watch.gaps()[-1].end_ns is None


def test_C7_every_second_is_accountable() -> None:
    """100 s since the first connection, away from 20 to 40 and again since 90: 70 % complete, 2 gaps, 30 s."""
    watch = Watch()
    assert watch.completeness(5 * 10**9) is None
    watch.add(_change(State.LIVE, 0))
    watch.add(_change(State.RECONNECTING, 22, "closed", proven_s=20))
    watch.add(_change(State.QUIET, 40))
    assert watch.completeness(40 * 10**9) == Completeness(0.5, 1, 20.0)
    watch.add(_change(State.RECONNECTING, 90, "closed"))
    found = watch.completeness(100 * 10**9)
    assert found is not None
    assert (round(found.share, 6), found.gaps, found.away_s) == (0.7, 2, 30.0)


def test_time_that_nobody_wanted_to_watch_is_left_out() -> None:
    """On demand: 50 of 100 s were not wanted, the rest was watched."""
    watch = Watch()
    watch.add(_change(State.LIVE, 0))
    watch.add(_change(State.STOPPED, 25, ON_DEMAND))
    watch.add(_change(State.LIVE, 75))
    assert watch.completeness(100 * 10**9) == Completeness(1.0, 0, 0.0)
    assert watch.gaps() == [_gap(25, 75, ON_DEMAND)]


def test_outcome_of_a_gap_is_noted_where_it_stands() -> None:
    """What the reads brought afterwards belongs to its gap."""
    watch = Watch()
    for start in (10, 30):
        watch.add(_change(State.LIVE, start - 10))
        watch.add(_change(State.RECONNECTING, start, f"cut at {start}"))
    watch.add(_change(State.LIVE, 40))
    first = watch.gaps()[0]
    done = watch.resolve(first, recovered=3, unknown=None)
    assert watch.gaps() == [done, _gap(30, 40, "cut at 30")]
    assert done.recovered == 3


def test_C7_outcomes_of_two_gaps_that_begin_alike_stay_apart() -> None:
    """A short connection that brought no frame ends with the same last proof as the one before it."""
    watch = Watch()
    watch.add(_change(State.LIVE, 10))
    for second in (20, 40):
        watch.add(_change(State.RECONNECTING, second, "cut", proven_s=15))
        watch.add(_change(State.QUIET, second + 10))
    for gap in watch.gaps():
        watch.resolve(gap, recovered=1, unknown=None)
    assert [gap.recovered for gap in watch.gaps()] == [1, 1]
