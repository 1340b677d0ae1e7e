"""Former states: what was published by a time, for a minute."""

from simulator.helpers import START_MS, new_order

from coindcx_feed.simulator.orders import Order
from coindcx_feed.simulator.versions import KEPT_MS, Versions


def test_state_of_a_time_is_a_copy() -> None:
    """Later changes of the object do not reach it."""
    versions, order = Versions(), new_order()
    versions.note(order.id, START_MS, order)
    order.status = "open"
    versions.note(order.id, START_MS + 300, order)
    before, after = (versions.at(order.id, START_MS + ms, Order) for ms in (299, 300))
    assert before is not None
    assert after is not None
    assert (before.status, after.status) == ("initial", "open")


def test_nothing_is_known_before_the_first_publication() -> None:
    """Nor of another key, nor as another kind of thing."""
    versions, order = Versions(), new_order()
    versions.note(order.id, START_MS, order)
    assert versions.at(order.id, START_MS - 1, Order) is None
    assert versions.at("other", START_MS, Order) is None
    assert versions.at(order.id, START_MS, str) is None


def test_only_the_last_minute_and_one_state_before_are_kept() -> None:
    """Memory is bounded, and a state that did not change is known for ever."""
    versions = Versions()
    for number in range(500):
        versions.note("key", START_MS + number * 1_000, f"state {number}")
    end_ms = START_MS + 499_000
    assert versions.at("key", end_ms - KEPT_MS, str) == f"state {499 - KEPT_MS // 1000}"
    assert versions.at("key", START_MS, str) is None
    assert versions.at("key", end_ms + 10**9, str) == "state 499"


def test_forgotten_key_is_gone() -> None:
    """Also one that was never there."""
    versions = Versions()
    versions.note("key", START_MS, "state")
    versions.forget("key")
    versions.forget("key")
    assert versions.at("key", START_MS, str) is None
