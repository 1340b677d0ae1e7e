"""Filters over segments and the rest, compared with looking at every event."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from store.made import EPOCH, event, fill, made

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import Event, EventType
from coindcx_feed.store import EventStore

COUNT = 23_000
"""Two segments and some events that are in none."""

WANTED = [
    EventFilter(),
    EventFilter(types=("order",)),
    EventFilter(types=("order", "balance"), pairs=("B-BTC_USDT", "B-ETH_USDT")),
    EventFilter(statuses=("filled",), sides=("buy",)),
    EventFilter(statuses=("no such",)),
    EventFilter(price_min=Decimal("1000"), price_max=Decimal("30000")),
    EventFilter(text="FILLED"),
    EventFilter(text="limit buy", types=("order",)),
    EventFilter(text="nothing has this"),
]


@pytest.fixture(scope="module")
def full(module_store: EventStore) -> Iterator[EventStore]:
    """A log of recorded events, in groups that do not end where segments do."""
    fill(module_store, made(COUNT), group=700)
    return module_store


def _passes(wanted: EventFilter) -> Callable[[Event], bool]:
    words = wanted.text.lower().split()

    def test(event: Event) -> bool:
        facts = event.facts
        searched = f"{facts.key}\n{facts.message or ''}".lower()
        price = facts.price
        return (
            (not wanted.types or event.type.value in wanted.types)
            and (not wanted.pairs or facts.pair in wanted.pairs)
            and (not wanted.sides or facts.side in wanted.sides)
            and (not wanted.statuses or facts.status in wanted.statuses)
            and (wanted.price_min is None or (price is not None and price >= float(wanted.price_min)))
            and (wanted.price_max is None or (price is not None and price <= float(wanted.price_max)))
            and all(word in searched for word in words)
        )

    return test


@pytest.mark.parametrize("wanted", WANTED, ids=EventFilter.describe)
def test_filters_find_what_looking_at_all_events_finds(full: EventStore, wanted: EventFilter) -> None:
    """The newest, the count and the stream agree with a plain loop."""
    matching = list(filter(_passes(wanted), made(COUNT)))
    assert full.select(wanted, limit=500) == matching[::-1][:500]
    assert full.count(wanted) == len(matching)
    assert [each for part in full.stream(wanted, slice_size=3_000) for each in part] == matching


@pytest.mark.parametrize(("after", "upto"), [(0, 9_000), (9_500, 10_500), (19_999, 20_001), (21_000, 22_500)])
def test_numbers_bound_a_question(full: EventStore, after: int, upto: int) -> None:
    """A segment may be cut by either end."""
    wanted = EventFilter(types=("order",))
    matching = list(filter(_passes(wanted), made(COUNT)[after:upto]))
    assert full.select(wanted, limit=100_000, after=after, upto=upto) == matching[::-1]
    assert full.count(wanted, after=after, upto=upto) == len(matching)
    assert [each for part in full.stream(wanted, after=after, upto=upto) for each in part] == matching


def test_times_bound_a_question(full: EventStore) -> None:
    """The beginning is included, the end is not."""
    source = made(COUNT)
    from_ns, to_ns = source[9_990].received_ns, source[20_010].received_ns
    found = full.select(EventFilter(), limit=100_000, from_ns=from_ns, to_ns=to_ns)
    assert [found[-1].seq, found[0].seq] == [9_991, 20_010]
    assert full.count(EventFilter(), from_ns=from_ns, to_ns=to_ns) == 10_020
    assert sum(map(len, full.stream(EventFilter(), from_ns=from_ns, to_ns=to_ns))) == 10_020


def test_a_stream_ends_with_what_was_newest_when_it_began(store: EventStore) -> None:
    """Events that arrive while somebody reads are left to the next stream; nothing is repeated."""
    fill(store, made(9_000), group=1_000)
    seen = []
    stream = store.stream(EventFilter(), slice_size=1_000)
    for number, part in enumerate(stream):
        seen += [each.seq for each in part]
        store.append(made(1_000, first=9_001 + number * 1_000), EPOCH)
    assert seen == list(range(1, 9_001))


def test_the_history_of_one_id_is_found(full: EventStore) -> None:
    """All events of a type and key, oldest first; the newest ones when there are too many."""
    key = made(COUNT)[0].facts.key
    kind = made(COUNT)[0].type
    wanted = [each for each in made(COUNT) if (each.type, each.facts.key) == (kind, key)]
    assert len(wanted) > 3
    assert full.of_key(kind, key) == wanted
    assert full.of_key(kind, key, limit=2) == wanted[-2:]
    assert full.of_key(kind, key, upto=wanted[-2].seq) == wanted[:-1]
    assert full.of_key(kind, "unheard-of") == []


def test_a_time_leads_to_the_newest_number_before_it(full: EventStore) -> None:
    """Exact to the nanosecond, in a segment and in none."""
    for seq in (1, 9_999, 10_000, 10_001, 22_999):
        at_ns = made(COUNT)[seq - 1].received_ns
        assert full.seq_at(at_ns) == seq
        assert full.seq_at(at_ns + 1) == seq
    assert full.seq_at(made(1)[0].received_ns - 1) is None


def test_the_span_covers_all(full: EventStore, store: EventStore) -> None:
    """First and last receive time; nothing of an empty log."""
    assert full.span() == (made(1)[0].received_ns, made(COUNT)[-1].received_ns)
    assert store.span() is None


def test_a_clock_that_steps_back_loses_nobody(store: EventStore) -> None:
    """Receive times are a wall clock's: the newest number before a time may stand before later ones."""
    times = [100, 200, 150, 300, 120]
    store.append([event(seq, received_ns=at) for seq, at in enumerate(times, 1)], EPOCH)
    assert store.seq_at(160) == 5
    assert store.span() == (100, 300)
    assert store.count(EventFilter(), from_ns=120, to_ns=200) == 2


def test_words_in_any_alphabet_are_found_whatever_their_case(store: EventStore) -> None:
    """Upper and lower case are Unicode's, not only those of the Latin alphabet."""
    store.append([event(1, message="НЕДОСТАТОЧНО средств"), event(2, message="Straße ₹\uffff odd"), event(3)], EPOCH)
    for text, seqs in [
        ("недостаточно СРЕДСТВ", [1]),
        ("STRASSE", []),
        ("straße", [2]),
        ("₹", [2]),
        ("key-", [3, 2, 1]),
    ]:
        assert [each.seq for each in store.select(EventFilter(text=text), limit=10)] == seqs


def test_the_day_ends_a_segment(store: EventStore) -> None:
    """Retention goes by segments: one of a quiet account must not span a year."""
    day_ns = 86_400_000_000_000
    source = [event(seq, EventType.SYSTEM, received_ns=seq * day_ns // 4) for seq in range(1, 41)]
    fill(store, source, group=7)
    assert store.read(0, 100) == source
    assert store.count(EventFilter(), from_ns=2 * day_ns, to_ns=4 * day_ns) == 8
    assert store.status()["segments"] == 10
