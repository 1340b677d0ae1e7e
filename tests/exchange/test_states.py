"""The words a user sees."""

from coindcx_feed.exchange.states import State


def test_only_live_and_quiet_are_connected() -> None:
    """C6: coindcx_connected is true in these two and nowhere else."""
    assert {state for state in State if state.is_connected} == {State.LIVE, State.QUIET}


def test_every_state_has_one_of_three_labels() -> None:
    """Live, Reconnecting or Disconnected."""
    assert {state.label for state in State} == {"Live", "Reconnecting", "Disconnected"}
    assert State.STALE.label == "Reconnecting"
    assert State.REJECTED.label == State.STOPPED.label == "Disconnected"
