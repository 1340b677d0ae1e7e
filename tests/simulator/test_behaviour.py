"""The measured delays are the defaults; tests can have none."""

from coindcx_feed.simulator.behaviour import Behaviour, instant


def test_defaults_are_the_measured_ones() -> None:
    """Connect 265 ms, refusal 100 ms, pings 25 + 20 s, open 295 ms."""
    behaviour = Behaviour()
    assert (behaviour.connect_ack_s, behaviour.refuse_join_s) == (0.265, 0.1)
    assert (behaviour.ping_interval_s, behaviour.ping_timeout_s) == (25, 20)
    assert behaviour.open_ms == 295
    assert behaviour.initial_repeat == "identical"


def test_instant_keeps_what_is_not_a_connection_delay() -> None:
    """Only the socket's waits are zero."""
    assert instant() == Behaviour(connect_ack_s=0, refuse_join_s=0, malformed_close_s=0)
