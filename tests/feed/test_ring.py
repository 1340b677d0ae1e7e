"""The ring against a plain list, and one writer against many readers."""

import gc
import json
import sys
import threading
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.shown import shown_texts
from coindcx_feed.errors import EpochChanged, PositionLost
from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.feed.columns import Columns, Mask
from coindcx_feed.feed.ring import Ring, Stored

EPOCH = "epoch-1"
TYPES = tuple(EventType)
PAIRS = ("B-BTC_USDT", "B-ETH_USDT", None)
STATUSES = ("open", "filled", "cancelled", None)
START_NS = 1_790_000_000_000_000_000


def made(seq: int, previous: int = 0) -> Event:
    """Build an event all of whose parts follow from its number, so that a torn read shows."""
    kind = TYPES[seq % len(TYPES)]
    price = None if seq % 5 == 0 else seq / 4
    exchange_ms = START_NS // 1_000_000 + seq
    facts = Facts(f"Id-{seq % 97}", PAIRS[seq % 3], "buy", STATUSES[seq % 4], price, f"Message {seq}", exchange_ms)
    names = ("price", "total_quantity", "avg_price", "active_pos", "balance", "quantity", "amount")
    record = json.dumps(dict.fromkeys(names, seq)).encode()
    received_ns = START_NS + seq * 1_000_000
    body, at = encode_envelope(seq, kind, Source.STREAM, received_ns, record)
    return Event(seq, kind, Source.STREAM, received_ns, facts, body, at, len(record), previous, seq % 7 == 0)


def expected(seq: int) -> tuple[object, ...]:
    event = made(seq)
    return seq, event.type, event.facts.pair, event.received_ns, event.facts.exchange_ms, event.is_late, event.record


def cells(seq: int) -> bytes:
    texts = shown_texts(made(seq))
    assert texts is not None
    assert str(seq).encode() in texts
    return texts


def told(stored: Stored) -> tuple[object, ...]:
    assert json.loads(stored.body)["seq"] == stored.seq
    seq, kind, _, pair, received_ns, exchange_ms, _, is_late, *_ = stored
    return seq, kind, pair, received_ns, exchange_ms, is_late, stored.record


def filled(count: int, capacity: int = 10, first_seq: int = 1) -> Ring:
    ring = Ring(capacity, EPOCH, first_seq)
    for seq in range(first_seq, first_seq + count):
        ring.append(made(seq))
    return ring


class Case(NamedTuple):
    """A ring, every number it was given, and those it should still hold."""

    ring: Ring
    given: list[int]
    kept: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Rings of any fill, wrapped several times or not at all."""
    capacity, first, count = draw(st.integers(1, 12)), draw(st.integers(1, 30)), draw(st.integers(0, 40))
    numbers = list(range(first, first + count))
    return Case(filled(count, capacity, first), numbers, numbers[-capacity:])


def open_ones(columns: Columns, rows: slice) -> Mask:
    return columns.mask_of_statuses(rows, ("open",))


def is_open(seq: int) -> bool:
    return STATUSES[seq % 4] == "open"


def text_of(seq: int) -> str:
    return f"id-{seq % 97}\nmessage {seq}"


@given(cases())
def test_kept_events_are_the_newest_without_a_hole(case: Case) -> None:
    """Size, bounds and content follow a list that drops its oldest."""
    ring, _, kept = case
    assert len(ring) == len(kept)
    assert [told(event) for event in reversed(ring.latest(100))] == [expected(seq) for seq in kept]
    if kept:
        assert (ring.oldest, ring.version) == (kept[0], kept[-1])
    else:
        assert ring.oldest == ring.version + 1


@given(cases(), st.integers(0, 80), st.integers(0, 50))
def test_since_gives_the_next_events_or_says_what_is_lost(case: Case, seq: int, limit: int) -> None:
    """A cursor reads on densely; one that was overtaken learns the exact range it lost."""
    ring, given_numbers, kept = case
    lost = [number for number in given_numbers if number > seq and number not in kept]
    if lost:
        for read in (ring.since, ring.bodies_since):
            with pytest.raises(PositionLost) as caught:
                read(seq, limit)
            assert (caught.value.missed_from, caught.value.missed_to) == (lost[0], lost[-1])
        return
    events = ring.since(seq, limit)
    assert [event.seq for event in events] == [number for number in kept if number > seq][:limit]
    assert ring.bodies_since(seq, limit) == [event.body for event in events]


@given(cases(), st.integers(0, 12))
def test_latest_is_newest_first(case: Case, count: int) -> None:
    """The newest events come first, never more than are kept."""
    wanted = case.kept[::-1][:count]
    assert [event.seq for event in case.ring.latest(count)] == wanted


@given(cases(), st.integers(0, 60), st.none() | st.integers(0, 60), st.integers(0, 15), st.sampled_from(["", "1", "2"]))
def test_select_equals_a_walk_over_the_list(case: Case, after: int, upto: int | None, limit: int, word: str) -> None:
    """Column test, text test and both bounds give what a loop over all events gives, with the same counts."""
    ring, _, kept = case
    wanted = [
        seq for seq in kept if is_open(seq) and after < seq <= (seq if upto is None else upto) and word in text_of(seq)
    ]

    def has_word(searched: str) -> bool:
        return word in searched

    found = ring.select(open_ones, has_word if word else None, limit, upto, after)
    assert [event.seq for event in found.events] == wanted[::-1][:limit]
    assert (found.matching, found.kept) == (len(wanted), len(kept))
    assert found.newest == (ring.version if upto is None else min(upto, ring.version))
    numbers = ring.numbers(open_ones, has_word if word else None, upto, after)
    assert numbers.tolist() == wanted
    assert [event.seq for event in ring.fetch(numbers.tolist())] == wanted


@given(cases(), st.integers(0, 60), st.integers(0, 60))
def test_part_equals_a_walk_over_the_list(case: Case, after: int, upto: int) -> None:
    """Whatever was overwritten or never came is left out, across the end of the slots too."""
    part = case.ring.part(after, upto)
    wanted = [made(seq) for seq in case.kept if after < seq <= upto]
    assert part.seqs.tolist() == [event.seq for event in wanted]
    assert [TYPES[kind] for kind in part.kinds.tolist()] == [event.type for event in wanted]
    assert part.has_price.tolist() == [event.facts.price is not None for event in wanted]
    assert part.counts.tolist() == [not event.is_late for event in wanted]
    assert part.says(("filled",)).tolist() == [event.facts.status == "filled" for event in wanted]


@given(cases())
def test_no_test_selects_everything(case: Case) -> None:
    """Without a filter all kept events match."""
    found = case.ring.select(None, limit=100)
    assert [event.seq for event in found.events] == case.kept[::-1]
    assert case.ring.numbers(None).tolist() == case.kept


@given(cases(), st.sets(st.integers(1, 70)))
def test_slices_leave_out_what_was_overwritten(case: Case, chosen: set[int]) -> None:
    """An export that asks for numbers gets those that are still kept, in order, bodies and columns alike."""
    ring, given_numbers, kept = case
    seqs = np.array(sorted(chosen & set(given_numbers)), dtype=np.int64)
    wanted = [seq for seq in seqs.tolist() if seq in kept]
    assert [json.loads(body)["seq"] for body in ring.bodies(seqs)] == wanted
    block, odd = ring.block(seqs)
    assert block.seqs.tolist() == wanted
    assert block.texts == [cells(seq) for seq in wanted]
    assert block.received_ns.tolist() == [START_NS + seq * 1_000_000 for seq in wanted]
    assert (block.odd, odd) == ([], [])


def test_a_hole_is_refused() -> None:
    """An event that is not the next one raises and changes nothing."""
    ring = filled(3)
    with pytest.raises(ValueError, match="expected seq 4, was 5"):
        ring.append(made(5))
    assert ring.version == 3


def test_another_epoch_is_refused() -> None:
    """A cursor of another series never reads this one's numbers."""
    ring = filled(3)
    with pytest.raises(EpochChanged, match="expected epoch epoch-1, was epoch-0"):
        ring.since(1, 10, epoch="epoch-0")
    assert [event.seq for event in ring.since(1, 10, epoch=EPOCH)] == [2, 3]


def test_get_returns_only_what_is_kept() -> None:
    """Overwritten and future numbers give nothing."""
    ring = filled(15, capacity=10)
    assert ring.get(5) is None
    assert ring.get(16) is None
    event = ring.get(6)
    assert event is not None
    assert told(event) == expected(6)


def test_history_follows_the_chain_of_one_id() -> None:
    """The events of an id are found from newest to oldest and end where the ring has forgotten."""
    ring = Ring(6, EPOCH)
    for seq in range(1, 13):
        ring.append(made(seq, previous=max(0, seq - 3)))
    assert [event.seq for event in ring.history(12)] == [12, 9]
    assert [event.seq for event in ring.history(12, limit=1)] == [12]
    assert ring.history(99) == []


def test_search_is_in_lower_case_id_and_message() -> None:
    """The text test sees both texts of an event in lower case."""
    seen: list[str] = []

    def remember(searched: str) -> bool:
        seen.append(searched)
        return False

    filled(2).select(None, remember)
    assert seen == ["id-1\nmessage 1", "id-2\nmessage 2"]


def test_pairs_and_statuses_are_listed_in_order_of_first_sight() -> None:
    """A filter can offer every value that occurred, once."""
    ring = filled(9)
    assert ring.pairs == ["B-ETH_USDT", "B-BTC_USDT"]
    assert ring.statuses == ["filled", "cancelled", "open"]


def test_timings_are_copies_in_order() -> None:
    """Rates and delays are computed from copies: later events do not change them."""
    ring = filled(14, capacity=10)
    timings = ring.timings(START_NS + 8_000_000)
    ring.append(made(15))
    assert timings.received_ns.tolist() == [START_NS + seq * 1_000_000 for seq in range(8, 15)]
    assert timings.exchange_ms.tolist() == [START_NS // 1_000_000 + seq for seq in range(8, 15)]
    assert [TYPES[code] for code in timings.type] == [made(seq).type for seq in range(8, 15)]
    assert timings.late.tolist() == [int(seq % 7 == 0) for seq in range(8, 15)]


def test_events_are_invisible_to_the_garbage_collector() -> None:
    """Keeping more events adds no object that a collection has to visit."""
    gc.collect()
    before = len(gc.get_objects())
    ring = filled(2_000, capacity=2_000)
    gc.collect()
    assert len(gc.get_objects()) - before < 200
    assert len(ring) == 2_000


class Race:
    """One writer and several readers, each of which keeps what went wrong."""

    def __init__(self, total: int, capacity: int) -> None:
        self.ring = Ring(capacity, EPOCH)
        self.total = total
        self.faults: list[str] = []
        self.reads = 0

    def write(self) -> None:
        for seq in range(1, self.total + 1):
            self.ring.append(made(seq))

    def follow(self) -> None:
        """Read every event with a cursor; what was lost must be told, and nothing else may be missing."""
        cursor = 0
        while cursor < self.total:
            try:
                events = self.ring.since(cursor, 64)
            except PositionLost as lost:
                if lost.missed_from != cursor + 1:
                    self.faults.append(f"lost from {lost.missed_from}, cursor {cursor}")
                cursor = lost.missed_to
                continue
            for event in events:
                self.check(event, cursor + 1)
                cursor = event.seq

    def check(self, event: Stored, seq: int) -> None:
        self.reads += 1
        if event.seq != seq or told(event) != expected(seq):
            self.faults.append(f"expected {seq}, was {event}")

    def filter(self) -> None:
        """Filter as a page does, while rows are overwritten."""
        while self.ring.version < self.total:
            found = self.ring.select(open_ones, limit=50)
            numbers = [event.seq for event in found.events]
            if numbers != sorted(numbers, reverse=True) or not all(map(is_open, numbers)):
                self.faults.append(f"wrong rows {numbers}")
            for event in found.events:
                self.check(event, event.seq)

    def export(self) -> None:
        """Copy slices as an export does, while rows are overwritten."""
        while self.ring.version < self.total:
            block, _ = self.ring.block(self.ring.numbers(None))
            seqs = block.seqs.tolist()
            if seqs != list(range(seqs[0], seqs[-1] + 1)) if seqs else False:
                self.faults.append("hole in a block")
            if block.texts != [cells(seq) for seq in seqs]:
                self.faults.append("torn block")
            self.reads += len(seqs)


def test_F13_readers_never_see_torn_or_missing_events() -> None:
    """One writer overwrites a small ring all the time; cursors, filters and exports stay exact and loss is told."""
    race = Race(total=20_000, capacity=300)
    readers = [threading.Thread(target=work) for work in (race.follow, race.follow, race.filter, race.export)]
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)  # many more interleavings in the same time
    for reader in readers:
        reader.start()
    race.write()
    sys.setswitchinterval(usual_s)
    for reader in readers:
        reader.join(60)
        assert not reader.is_alive()
    assert race.faults == []
    assert race.reads > 1_000
