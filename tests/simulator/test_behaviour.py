"""The measured delays are the defaults; tests can have none."""

from dataclasses import fields

from coindcx_feed.simulator.behaviour import Behaviour, instant


def test_defaults_are_the_measured_ones() -> None:
    """Connect 265 ms, refusal 100 ms, pings 25 + 20 s, open 295 ms."""
    behaviour = Behaviour()
    assert (behaviour.connect_ack_s, behaviour.refuse_join_s) == (0.265, 0.1)
    assert (behaviour.ping_interval_s, behaviour.ping_timeout_s) == (25, 20)
    assert behaviour.open_ms == 295
    assert behaviour.initial_repeat == "identical"


def test_no_fault_is_on_by_default() -> None:
    """Whatever makes the exchange worse than the recorded one has to be asked for."""
    behaviour = Behaviour()
    shares = [getattr(behaviour, field.name) for field in fields(behaviour) if field.name.endswith("_share")]
    assert shares == [0] * 5
    assert (behaviour.jitter_ms, behaviour.batch_ms, behaviour.terminal_repeats, behaviour.rest_lag_ms) == (0, 0, 0, 0)
    assert (behaviour.rest_failure, behaviour.rest_limit) == (None, None)
    assert not any((behaviour.is_revoked, behaviour.rejects_orders, behaviour.numbered, behaviour.listed))
    assert behaviour.sends_pings
    assert behaviour.reads_pongs


def test_every_field_is_documented() -> None:
    """In the class's own text, where a test author looks."""
    assert all(f" {field.name}: " in (Behaviour.__doc__ or "") for field in fields(Behaviour))


def test_instant_keeps_what_is_not_a_connection_delay() -> None:
    """Only the socket's waits are zero."""
    assert instant() == Behaviour(connect_ack_s=0, refuse_join_s=0, malformed_close_s=0)
