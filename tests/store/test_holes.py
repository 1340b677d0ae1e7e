"""Numbers that were given and are not stored."""

import pytest
from store.made import EPOCH, fill, made

from coindcx_feed.store import EventStore


def _without(store: EventStore, *lost: int, upto: int) -> None:
    fill(store, [each for each in made(upto) if each.seq not in lost], group=500)


def test_a_dense_log_has_no_hole(store: EventStore) -> None:
    """Nor has one that is empty, or asked before its beginning or beyond its end."""
    assert store.holes_before(5) is None
    fill(store, made(30))
    assert [store.holes_before(seq) for seq in (0, 1, 17, 30)] == [None] * 4


def test_events_lost_since_the_snapshot_are_counted_up_to_the_moment(store: EventStore) -> None:
    """The newest run of them is named; a moment before it does not know of it."""
    _without(store, 5, 11, 12, 13, upto=20)
    assert store.holes_before(4) is None
    assert store.holes_before(6) == (1, 5, 5)
    assert store.holes_before(14) == (4, 11, 13)
    assert store.holes_before(20) == (4, 11, 13)


@pytest.mark.timeout(120)
def test_events_lost_before_a_snapshot_are_not_forgotten(store: EventStore) -> None:
    """Inside a segment, and between two; a restart, too, knows."""
    _without(store, 77, 9_000, 9_001, upto=10_050)
    store.wait_summed()
    for seq in (9_500, 10_049, 10_050):
        assert store.holes_before(seq) == (3, 9_000, 9_001)
    assert store.holes_before(5_000) == (1, 77, 77)


def test_what_is_older_than_the_log_is_no_hole(store: EventStore) -> None:
    """A log may begin with any number: another file had what was before."""
    store.append(made(10, first=501), EPOCH)
    assert store.holes_before(505) is None
    store.append(made(5, first=513), EPOCH)
    assert store.holes_before(515) == (2, 511, 512)
