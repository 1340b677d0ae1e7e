"""What the events of one slice do to the state before they are stored."""

from fakes.frames import order

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import OrderRecord
from coindcx_feed.feed.pending import Pending
from coindcx_feed.feed.state import AccountState

ORDER = EventType.ORDER


def _record(**fields: object) -> OrderRecord:
    return OrderRecord.model_validate(order("a", **fields))


def test_C2_the_next_record_is_judged_by_what_nobody_sees_yet() -> None:
    """Known at once in the slice, in the state only when it is settled."""
    state = AccountState()
    pending = Pending(state)
    first = _record(status="open")
    pending.take(ORDER, first, 7, 1, is_late=False, key="a")
    assert (pending.known(ORDER, "a"), pending.last_seq(ORDER, "a")) == (first, 7)
    assert (state.known(ORDER, "a"), state.last_seq(ORDER, "a")) == (None, 0)
    pending.settle()
    assert (state.known(ORDER, "a"), state.last_seq(ORDER, "a")) == (first, 7)


def test_F09_a_late_record_counts_as_the_last_event_and_changes_nothing() -> None:
    """As in the state itself."""
    pending = Pending(AccountState())
    present, late = _record(status="filled", updated_at=9), _record(status="open", updated_at=8)
    pending.take(ORDER, present, 1, 1, is_late=False, key="a")
    pending.take(ORDER, late, 2, 2, is_late=True, key="a")
    assert (pending.known(ORDER, "a"), pending.last_seq(ORDER, "a")) == (present, 2)
