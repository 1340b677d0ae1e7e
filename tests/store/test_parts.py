"""Events as columns, from segments and from what is in none yet: every one once, in order, no body read."""

import numpy as np
from store.made import EPOCH, event, fill, made

from coindcx_feed.events import EventType
from coindcx_feed.store import EventStore


def test_parts_hold_every_event_once_and_in_order(store: EventStore) -> None:
    """Bounds may lie inside a segment; types and prices are those of the events."""
    source = made(12_000)
    fill(store, source, group=1_000)
    parts = list(store.parts(4_321, 11_500))
    wanted = source[4_321:11_500]
    assert np.concatenate([part.seqs for part in parts]).tolist() == [each.seq for each in wanted]
    kinds = [tuple(EventType)[kind] for kind in np.concatenate([part.kinds for part in parts]).tolist()]
    assert kinds == [each.type for each in wanted]
    priced = np.concatenate([part.has_price for part in parts]).tolist()
    assert priced == [each.facts.price is not None for each in wanted]
    assert list(store.parts(12_000, 12_000)) == []


def test_statuses_are_found_in_any_spelling(store: EventStore) -> None:
    """And equal ids share a key."""
    rows = [("o1", "open"), ("o1", "Filled"), ("o2", "filled"), ("o3", None)]
    store.append(
        [event(seq, EventType.ORDER, key=key, status=status) for seq, (key, status) in enumerate(rows, 1)], EPOCH
    )
    (part,) = store.parts(0, 10)
    assert part.says(("filled",)).tolist() == [False, True, True, False]
    assert part.says(("rejected",)).tolist() == [False] * 4
    assert (part.keys[0] == part.keys[1], part.keys[1] == part.keys[2]) == (True, False)
