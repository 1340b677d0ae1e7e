"""Forgetting by age and size: what stays is whole, what is known of the state stays known."""

import threading

from store.made import EPOCH, START_NS, event, fill, made, opened
from store.test_moments import digest, folds, story

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import EventType
from coindcx_feed.store import EventStore


def test_old_segments_are_forgotten(store: EventStore) -> None:
    """Cursors begin after them, filters and figures no longer know them, numbers go on."""
    source = made(25_000)
    fill(store, source, group=1_000)
    assert store.prune(older_than_ns=source[20_500].received_ns, max_bytes=None) == 20_000
    assert store.oldest_seq == 20_001
    assert [each.seq for each in store.read(0, 3)] == [20_001, 20_002, 20_003]
    assert store.bodies(0, 1)[0][0] == 20_001
    assert store.count(EventFilter()) == 5_000
    assert store.select(EventFilter(), limit=10_000)[-1].seq == 20_001
    assert sum(map(len, store.stream(EventFilter()))) == 5_000
    assert sum(each.number for each in store.figures("events")) == 5_000
    assert store.span() == (source[20_000].received_ns, source[-1].received_ns)
    assert (store.last_seq, store.status()["pruned_upto"]) == (25_000, 20_000)
    assert store.prune(older_than_ns=source[20_500].received_ns, max_bytes=None) == 0


def test_the_state_after_a_cut_is_whole(store: EventStore) -> None:
    """An order that was last touched before the cut is still known after it, also after the next cut."""
    source = story(23_000, 1_500)
    wanted = folds(source, (10_000, 15_000, 20_000, 23_000))
    fill(store, source, group=1_000)
    for cut in (10_000, 20_000):
        store.prune(older_than_ns=source[cut].received_ns, max_bytes=None)
        assert store.oldest_seq == cut + 1
        assert {seq: digest(store.state_at(seq)) for seq in wanted if seq >= cut} == {
            seq: name for seq, name in wanted.items() if seq >= cut
        }
        assert store.state_at(cut - 1) == []
    store.rebuild()
    assert digest(store.state_at(23_000)) == wanted[23_000]


def test_size_is_bounded(store: EventStore) -> None:
    """The oldest go until about so much is left, and the space can be used again."""
    fill(store, made(30_000), group=1_000)
    before = store.reader.used_bytes()
    forgotten = store.prune(older_than_ns=None, max_bytes=before * 6 // 10)
    assert forgotten == 20_000
    assert store.reader.used_bytes() < before * 6 // 10
    assert store.oldest_seq == 20_001


def test_a_file_gives_space_back(url: str) -> None:
    """A limit that was lowered later shrinks the file, not only what is in it."""
    store = opened(url)
    fill(store, made(30_000), group=1_000)
    before = store.reader.used_bytes()
    store.prune(older_than_ns=START_NS * 2, max_bytes=None)
    store.close()
    if store.engine_name == "sqlite":
        again = opened(url)
        assert again.size_bytes() < before / 2
        again.close()


def test_numbers_go_on_when_everything_was_forgotten(url: str) -> None:
    """A number is never given twice, though no event tells of it any more."""
    store = opened(url)
    fill(store, [event(seq, EventType.SYSTEM) for seq in range(1, 10_001)], group=1_000)
    assert store.prune(older_than_ns=START_NS * 2, max_bytes=None) == 10_000
    store.close()
    again = opened(url)
    assert (again.last_seq, again.oldest_seq, again.span()) == (10_000, 0, None)
    assert [(each.first_seq, each.last_seq) for each in again.epochs()] == [(1, 10_000)]
    again.append([event(10_001)], EPOCH)
    assert again.oldest_seq == 10_001
    again.close()


def test_old_marks_go_with_their_events(store: EventStore) -> None:
    """Marks have no segment: they go by their second."""
    store.append_marks([(second, pair, "1") for second in range(0, 8_000, 10) for pair in ("A", "B")])
    store.prune(older_than_ns=7_990 * 1_000_000_000, max_bytes=None)
    assert store.marks("A", 0, 9_000) == [(7_990, "1")]
    assert store.marks("B", 0, 9_000) == [(7_990, "1")]


def test_appends_go_on_while_the_log_is_pruned(store: EventStore) -> None:
    """Another thread may prune; every appended event is there afterwards, in order."""
    source = made(26_000)
    fill(store, source[:22_000], group=1_000)
    pruning = threading.Thread(target=store.prune, kwargs={"older_than_ns": START_NS * 2, "max_bytes": None})
    pruning.start()
    fill(store, source[22_000:], group=40)
    pruning.join(60)
    assert not pruning.is_alive()
    assert store.read(20_000, 10_000) == source[20_000:]


def test_a_pruning_that_was_cut_off_is_finished_by_the_next(store: EventStore) -> None:
    """What is invisible already but not yet deleted does not stay for ever."""
    fill(store, made(10_500), group=1_000)
    with store._writer.transaction("cut off") as connection:
        connection.exec_driver_sql("UPDATE store_header SET pruned_upto = 10000")
    assert store.oldest_seq == 10_001
    assert store.get(1) is not None
    store.prune(older_than_ns=0, max_bytes=None)
    assert store.get(1) is None
    assert len(store.read(0, 1_000)) == 500
