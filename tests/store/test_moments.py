"""The state at a number: the nearest snapshot and the rest are as good as folding everything."""

import hashlib
import random
from collections.abc import Collection
from functools import lru_cache

import pytest
from store.made import EPOCH, event, fill, made, opened

from coindcx_feed.events import Event, EventType
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.state import AccountState
from coindcx_feed.store import EventStore

MODELS = {EventType.ORDER: OrderRecord, EventType.POSITION: PositionRecord, EventType.BALANCE: BalanceRecord}
STATUSES = ("open", "partially_filled", "filled", "cancelled", "rejected")


def take(state: AccountState, each: Event) -> None:
    if model := MODELS.get(each.type):
        record = model.model_validate_json(each.record)
        state.apply(each.type, record, each.seq, each.received_ns, is_late=each.is_late)


def digest(events: list[Event]) -> str:
    """Fold events and name the state they make."""
    state = AccountState()
    for each in events:
        take(state, each)
    return digest_of(state)


def digest_of(state: AccountState) -> str:
    """Name a state by every record in its order."""
    entities = [*state.orders(), *sorted(state.positions(), key=str), *sorted(state.balances(), key=str)]
    working = sorted(entity.seq for entity in state.working_orders())
    text = repr([(entity.seq, entity.record) for entity in entities]) + repr(working)
    return hashlib.sha256(text.encode()).hexdigest()


def story(count: int, orders: int, seed: int = 7) -> list[Event]:
    """Return a made-up account: orders that come and go, two wallets, late events."""
    chance = random.Random(seed)
    found = []
    for seq in range(1, count + 1):
        is_late = chance.random() < 0.05
        if chance.random() < 0.2:
            key = f"wallet-{chance.randrange(2)}"
            amount = f'"{chance.uniform(0, 1e6):.10f}"'
            record = f'{{"id":"{key}","currency_short_name":"USDT","balance":{amount},"locked_balance":"0"}}'
            found.append(event(seq, EventType.BALANCE, record.encode(), key=key, is_late=is_late))
        else:
            key, status = f"order-{chance.randrange(orders)}", chance.choice(STATUSES)
            record = f'{{"id":"{key}","status":"{status}","price":{seq}}}'
            found.append(event(seq, EventType.ORDER, record.encode(), key=key, status=status, is_late=is_late))
    return found


SEQS = (1, 100, 9_999, 10_000, 10_001, 17_345, 20_000, 23_999, 24_000)
TOLD = story(24_000, 1_500)


def folds(source: list[Event], seqs: Collection[int]) -> dict[int, str]:
    """Fold all events once and name the state at each number asked for."""
    state, names = AccountState(), {}
    for each in source:
        take(state, each)
        if each.seq in seqs:
            names[each.seq] = digest_of(state)
    return names


@lru_cache(maxsize=1)
def full_folds() -> dict[int, str]:
    return folds(TOLD, SEQS)


@pytest.fixture(scope="module")
def told(module_store: EventStore) -> EventStore:
    """The story of 24,000 events, stored."""
    fill(module_store, TOLD, group=900)
    return module_store


@pytest.mark.parametrize("seq", SEQS)
def test_the_state_at_a_number_equals_the_full_fold(told: EventStore, seq: int) -> None:
    """Hashes of both states are the same, in segments and after them."""
    assert digest(told.state_at(seq)) == full_folds()[seq]


def test_the_state_after_the_end_is_the_newest(told: EventStore) -> None:
    """A number that is still to come means now."""
    assert told.state_at(10**9) == told.state_at(24_000)


def test_recorded_events_make_the_same_state(store: EventStore) -> None:
    """Real records with positions, by number and by fold; only orders beyond the limit are left out."""
    source = made(12_000)
    fill(store, source, group=1_000)
    newest: dict[tuple[EventType, str], Event] = {(each.type, each.facts.key): each for each in source[:11_111]}
    wanted = sorted(each.seq for each in newest.values() if each.type in MODELS)
    found = [each.seq for each in store.state_at(11_111)]
    assert set(found) <= set(wanted)
    assert [seq for seq in found if source[seq - 1].type is not EventType.ORDER] == [
        seq for seq in wanted if source[seq - 1].type is not EventType.ORDER
    ]


def test_working_orders_are_never_left_out(store: EventStore) -> None:
    """Beyond the limit only ended orders go, those that were touched first."""
    working = [event(seq, EventType.ORDER, b"{}", key=f"w{seq}", status="open") for seq in range(1, 2_501)]
    ended = [event(seq, EventType.ORDER, b"{}", key=f"e{seq}", status="FILLED") for seq in range(2_501, 2_511)]
    store.append(working + ended, EPOCH)
    assert [each.seq for each in store.state_at(2_510)] == list(range(1, 2_501))
    first = [
        event(seq, EventType.ORDER, b"{}", key=f"w{seq - 2_510}", status="cancelled") for seq in range(2_511, 5_007)
    ]
    store.append(first, EPOCH)
    assert [each.seq for each in store.state_at(5_006, max_orders=10)] == [*range(2_497, 2_501), *range(5_001, 5_007)]


def test_the_state_survives_a_restart_and_a_rebuild(url: str) -> None:
    """Neither a clean stop nor making everything anew changes what was."""
    store = opened(url)
    fill(store, story(12_345, 300), group=1_000)
    before = [digest(store.state_at(seq)) for seq in (5_000, 10_000, 12_345)]
    store.close()
    again = opened(url)
    assert [digest(again.state_at(seq)) for seq in (5_000, 10_000, 12_345)] == before
    told: list[tuple[int, int]] = []
    again.rebuild(lambda done, total: told.append((done, total)))
    assert told == [(10_000, 12_345), (12_345, 12_345)]
    assert [digest(again.state_at(seq)) for seq in (5_000, 10_000, 12_345)] == before
    again.close()
