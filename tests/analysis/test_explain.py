"""Where the money went: parts and residue of every change, by example and against the simulator's own books."""

from decimal import Decimal as D

import pytest
from fakes.notes import balance, ledger, order
from fakes.traded import traded, wallet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coindcx_feed.analysis.causes import Causes
from coindcx_feed.analysis.explain import SLACK_MS, Explained, explain, step_of
from coindcx_feed.analysis.noted import Noted, noted
from coindcx_feed.events import EventType
from coindcx_feed.feed.pipeline import Pipeline


def explained(*events: Noted, currency: str = "USDT") -> list[Explained]:
    causes = Causes()
    for event in events:
        causes.take(event)
    steps = [step_of(event) for event in events if event.kind is EventType.BALANCE and event.currency == currency]
    return explain([step for step in steps if step is not None], causes.of(currency))


def all_of(pipeline: Pipeline) -> list[Noted]:
    read = (noted(event) for event in pipeline.ring.since(0, 1_000_000))
    return [event for event in read if event is not None]


def test_change_is_its_ledger_rows() -> None:
    """Two fills of one moment: 5 − 1 and 0 − 2 are the 2 that came."""
    rows = ledger(4, 2_000, "exit", "5", "1"), ledger(5, 2_001, "default", "0", "2")
    (found,) = explained(balance(1, 1_000, "100"), balance(2, 2_100, "102"), *rows)
    assert found.parts == {"realised": D(5), "fee": D(-3)}
    assert (found.change, found.residue, found.is_whole) == (D(2), 0, True)


def test_row_that_is_read_later_explains_what_was_unexplained() -> None:
    """Fills are read a second after their balance: until then the change has no cause."""
    steps = balance(1, 1_000, "100"), balance(2, 2_100, "99")
    assert explained(*steps)[0].residue == D(-1)
    assert explained(*steps, ledger(3, 2_000, "default", "0", "1"))[0].is_whole


def test_what_cannot_be_proven_is_unexplained() -> None:
    """A deposit has no event: it is the residue, exactly, and stays in the running total."""
    events = balance(1, 1_000, "100"), balance(2, 2_100, "149.5"), balance(3, 3_100, "148.5")
    found = explained(*events, ledger(4, 2_000, "default", "0", "0.5"), ledger(5, 3_000, "default", "0", "1"))
    assert [one.residue for one in found] == [D(50), 0]
    assert [one.unexplained for one in found] == [D(50), D(50)]
    assert found[0].parts == {"fee": D("-0.5")}


def test_lock_moves_leave_the_total_and_take_no_cause() -> None:
    """An order locks 30; the fee booked meanwhile belongs to the balance that shows it."""
    events = balance(1, 1_000, "100"), balance(2, 2_100, "70", "30"), balance(3, 2_500, "69", "30")
    found = explained(*events, ledger(4, 2_050, "default", "0", "1"))
    assert [(one.change, one.moved, len(one.causes)) for one in found] == [(0, D(30), 0), (D(-1), 0, 1)]


@pytest.mark.parametrize(("ahead_ms", "is_whole"), [(SLACK_MS - 100, True), (SLACK_MS + 100, False)])
def test_exchange_clock_may_be_ahead(ahead_ms: float, is_whole: bool) -> None:
    """When the amounts fit, some seconds of the clocks do not matter; any more would be a guess."""
    events = balance(1, 1_000, "100"), balance(2, 2_000, "99")
    (found,) = explained(*events, ledger(3, 2_060 + ahead_ms, "default", "0", "1"))
    assert found.is_whole is is_whole


def test_balance_that_trails_takes_its_cause_later() -> None:
    """A balance that does not show a booking yet leaves it to the next; the running total ends at 0."""
    events = balance(1, 1_000, "100"), balance(2, 2_100, "98"), balance(3, 2_600, "95")
    rows = ledger(4, 2_000, "default", "0", "2"), ledger(5, 2_050, "default", "0", "3")
    found = explained(*events, *rows)
    assert [one.parts for one in found] == [{"fee": D(-2)}, {"fee": D(-3)}]
    assert found[-1].unexplained == 0


def test_causes_before_the_first_balance_explain_nothing() -> None:
    """They are in it already."""
    events = ledger(1, 900, "default", "0", "7"), balance(2, 1_000, "100"), balance(3, 2_000, "99")
    (found,) = explained(*events)
    assert (found.causes, found.residue) == ((), D(-1))


def test_steps_of_orders_explain_where_no_row_was_read() -> None:
    """Its fee is the exchange's own figure."""
    filled = order(2, 2_000, "filled", "1", avg_price="100", fee_amount="0.059")
    (found,) = explained(balance(1, 1_000, "100"), filled, balance(3, 2_100, "99.941"))
    assert (found.parts["fee"], found.is_whole, found.causes[0].source) == (D("-0.059"), True, "order")


def test_nothing_to_explain() -> None:
    """One balance is no change; one without amounts is no balance."""
    assert explained() == explained(balance(1, 1_000, "100")) == []
    assert step_of(order(1, 1_000, "open")) is None


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), minutes=st.floats(1.5, 4.0))
def test_residue_of_the_simulated_account_is_zero(seed: int, minutes: float) -> None:
    """For a run without gaps every change of both wallets is explained to the last digit, and ends at the books."""
    exchange, pipeline = traded(seed, minutes)
    events = all_of(pipeline)
    for currency in ("USDT", "INR"):
        found = explained(*events, currency=currency)
        assert found
        assert all(one.residue == 0 for one in found)
        assert found[-1].step.total == wallet(exchange, currency)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), lost=st.sets(st.integers(0, 400), max_size=200), with_rows=st.booleans())
def test_parts_always_add_up_to_the_change(seed: int, lost: set[int], with_rows: bool) -> None:
    """Whatever is missing, parts and residue are the change, and each cause is used once."""
    _, pipeline = traded(seed, 1.5, with_rows=with_rows)
    events = [event for number, event in enumerate(all_of(pipeline)) if number not in lost]
    for currency in ("USDT", "INR"):
        found = explained(*events, currency=currency)
        assert all(sum(one.parts.values(), D(0)) + one.residue == one.change for one in found)
        assert sum((one.residue for one in found), D(0)) == (found[-1].unexplained if found else 0)
        used = [cause.seq for one in found for cause in one.causes]
        assert len(used) == len(set(used))
