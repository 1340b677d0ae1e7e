"""Ring and state of a replay: they can begin anew, and equal accounts have equal digests."""

import pytest
from fakes.stored import stored_account

from coindcx_feed.errors import PositionLost
from coindcx_feed.feed.kept import KeptApart
from coindcx_feed.feed.stage import ReplayRing, ReplayState, Stage, state_digest

EVENTS = stored_account()[0].events


def new_stage() -> Stage:
    return Stage(ReplayRing(1_000, "epoch-0"), ReplayState(), KeptApart())


def test_cleared_stage_knows_nothing_and_its_numbers_go_on() -> None:
    """A reader that stands behind the end is told what it missed; one at the end goes on."""
    stage = new_stage()
    for event in EVENTS[:10]:
        stage.show(event)
    stage.clear()
    assert len(stage.ring) == 0
    assert stage.ring.epoch_of(11) == stage.ring.epoch != "epoch-0"
    assert (stage.state.orders(), stage.state.positions(), stage.state.balances()) == ([], [], [])
    shown = stage.show(EVENTS[0])
    assert shown is not None
    assert shown.seq == 11
    assert [event.seq for event in stage.ring.since(10, 10)] == [11]
    with pytest.raises(PositionLost) as lost:
        stage.ring.since(5, 10)
    assert (lost.value.missed_from, lost.value.missed_to) == (6, 10)


def test_digest_is_of_the_account_and_not_of_the_numbers() -> None:
    """The same events after a clear, with other numbers; one event more makes another."""
    stage = new_stage()
    for event in EVENTS[:20]:
        stage.show(event)
    first = state_digest(stage.state)
    stage.clear()
    for event in EVENTS[:20]:
        stage.show(event)
    assert state_digest(stage.state) == first
    for event in EVENTS[20:22]:
        stage.show(event)
    assert state_digest(stage.state) != first


def test_what_was_known_before_the_window_has_no_number() -> None:
    """It is part of the account but not of the ring; its late events change nothing."""
    stage = new_stage()
    for event in EVENTS:
        stage.know(event)
    assert len(stage.ring) == 0
    assert {entity.seq for entity in stage.state.orders()} == {0}
    shown = new_stage()
    for event in EVENTS:
        shown.show(event)
    assert state_digest(stage.state) == state_digest(shown.state)
