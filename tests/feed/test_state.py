"""The fold over account events: same events, same state."""

from decimal import Decimal
from typing import Any

import pytest
from fakes.frames import balance, order, position
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.normalize import AccountRecord
from coindcx_feed.feed.state import AccountState

MODELS: dict[EventType, type[AccountRecord]] = {
    EventType.ORDER: OrderRecord,
    EventType.POSITION: PositionRecord,
    EventType.BALANCE: BalanceRecord,
}


def _apply(state: AccountState, kind: EventType, record: dict[str, Any], seq: int, *, is_late: bool = False) -> None:
    state.apply(kind, MODELS[kind].model_validate(record), seq, seq * 1_000, is_late=is_late)


def _shown(state: AccountState) -> tuple[list[Any], ...]:
    return state.orders(), state.positions(), state.balances()


def test_newest_record_of_an_id_is_the_present_one() -> None:
    """With the event that brought it."""
    state = AccountState()
    _apply(state, EventType.ORDER, order("a"), 1)
    _apply(state, EventType.ORDER, order("b"), 2)
    _apply(state, EventType.ORDER, order("a", status="filled"), 3)
    found = state.order("a")
    assert found is not None
    assert (found.record.status, found.seq, found.received_ns) == ("filled", 3, 3_000)
    assert [entity.record.id for entity in state.orders()] == ["b", "a"]


def test_unknown_ids_are_none() -> None:
    """Nothing is invented."""
    state = AccountState()
    assert state.order("a") is None
    assert state.position("a") is None
    assert state.last_seq(EventType.ORDER, "a") == 0


def test_F09_late_event_leaves_the_state_alone_but_is_the_last_of_its_id() -> None:
    """The chain of events goes on through it."""
    state = AccountState()
    _apply(state, EventType.POSITION, position("p", active_pos=0), 1)
    _apply(state, EventType.POSITION, position("p", active_pos=5), 2, is_late=True)
    _apply(state, EventType.BALANCE, balance("w", "9"), 3, is_late=True)
    found = state.position("p")
    assert found is not None
    assert (found.record.active_pos, found.seq) == (Decimal(0), 1)
    assert state.last_seq(EventType.POSITION, "p") == 2
    assert state.balances() == []


def test_open_pairs_are_those_of_positions_that_are_not_flat() -> None:
    """Short ones count, closed ones do not."""
    state = AccountState()
    _apply(state, EventType.POSITION, position("a", active_pos=-1), 1)
    _apply(state, EventType.POSITION, position("b", pair="B-BTC_USDT", active_pos=1), 2)
    _apply(state, EventType.POSITION, position("b", pair="B-BTC_USDT", active_pos=0), 3)
    assert state.open_pairs() == {"B-ETH_USDT"}


def test_lists_are_copies() -> None:
    """A page that holds a list is not surprised by the next event."""
    state = AccountState()
    _apply(state, EventType.BALANCE, balance("w"), 1)
    before = state.balances()
    _apply(state, EventType.BALANCE, balance("v"), 2)
    assert len(before) == 1


def test_C8_ended_orders_are_forgotten_first() -> None:
    """An open order stays although older ones than the ended exist."""
    state = AccountState(max_orders=2)
    _apply(state, EventType.ORDER, order("open"), 1)
    _apply(state, EventType.ORDER, order("ended", status="cancelled"), 2)
    _apply(state, EventType.ORDER, order("new"), 3)
    assert [entity.record.id for entity in state.orders()] == ["open", "new"]
    assert state.last_seq(EventType.ORDER, "ended") == 0


def test_C8_without_ended_orders_the_longest_untouched_goes() -> None:
    """The bound holds whatever the exchange sends."""
    state = AccountState(max_orders=2)
    for seq, order_id in enumerate(["a", "b", "a", "c"], start=1):
        _apply(state, EventType.ORDER, order(order_id), seq)
    assert [entity.record.id for entity in state.orders()] == ["a", "c"]


@pytest.mark.parametrize("kind", [EventType.POSITION, EventType.BALANCE])
def test_C8_nothing_is_kept_of_a_forgotten_position_or_wallet(kind: EventType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the record, not its last number, not the amount that was locked before."""
    monkeypatch.setattr("coindcx_feed.feed.state.MAX_ENTITIES", 2)
    state = AccountState()
    for seq in range(1, 6):
        record = position(f"made-{seq}") if kind is EventType.POSITION else balance(f"made-{seq}")
        _apply(state, kind, record, seq)
    known = state.positions() if kind is EventType.POSITION else state.balances()
    assert [entity.record.id for entity in known] == ["made-4", "made-5"]
    assert [state.last_seq(kind, f"made-{seq}") for seq in range(1, 6)] == [0, 0, 0, 4, 5]
    assert len(state._last) == 2
    assert len(state._locked_before) <= 2


def test_C8_late_event_of_a_forgotten_order_is_not_remembered() -> None:
    """Else an exchange that repeats old updates would fill memory with their ids."""
    state = AccountState(max_orders=1)
    _apply(state, EventType.ORDER, order("old", status="filled"), 1)
    _apply(state, EventType.ORDER, order("new"), 2)
    _apply(state, EventType.ORDER, order("old"), 3, is_late=True)
    assert state.last_seq(EventType.ORDER, "old") == 0
    assert len(state._last) == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just(EventType.ORDER), st.builds(order, st.sampled_from("abc"), remaining_quantity=st.integers(0, 3))
        ),
        st.tuples(
            st.just(EventType.POSITION), st.builds(position, st.sampled_from("ab"), active_pos=st.integers(-2, 2))
        ),
        st.tuples(st.just(EventType.BALANCE), st.builds(balance, st.sampled_from("ab"), st.sampled_from(["1", "2"]))),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(STEPS, st.data())
def test_same_events_give_the_same_state_and_late_ones_change_nothing(
    steps: list[tuple[EventType, dict[str, Any]]], data: st.DataObject
) -> None:
    """Pure fold: two runs agree, and a run without the late events shows the same."""
    late = [data.draw(st.booleans()) for _ in steps]
    once, again, without = AccountState(), AccountState(), AccountState()
    for seq, ((kind, record), is_late) in enumerate(zip(steps, late, strict=True), start=1):
        _apply(once, kind, record, seq, is_late=is_late)
        _apply(again, kind, record, seq, is_late=is_late)
        if not is_late:
            _apply(without, kind, record, seq)
    assert _shown(once) == _shown(again) == _shown(without)
