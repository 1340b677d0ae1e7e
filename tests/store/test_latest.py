"""Which events make the state, followed without looking at a record."""

from coindcx_feed.store import latest
from coindcx_feed.store.latest import Latest


def _order(followed: Latest, seq: int, key: str, status: str) -> None:
    followed.apply([seq], ["order"], [key], [status], [0])


def test_C8_invented_orders_that_never_end_are_bounded() -> None:
    """Those untouched for longest go first; an order that was touched again stays."""
    followed = Latest()
    _order(followed, 1, "o-0", "open")
    for seq in range(2, latest.MAX_ENTITIES + 2):
        if seq == 3:
            _order(followed, 3, "o-0", "partially_filled")
        else:
            _order(followed, seq, f"o-{seq}", "open")
    _order(followed, latest.MAX_ENTITIES + 2, "o-last", "open")
    kept = followed.seqs()
    assert len(kept) == latest.MAX_ENTITIES
    assert kept[:2] == [3, 4]


def test_ended_orders_are_left_out_first() -> None:
    """What can still change is kept whatever the number asked for."""
    followed = Latest()
    for seq in range(1, 6):
        _order(followed, seq, f"o-{seq}", "open" if seq % 2 else "filled")
    assert followed.seqs(max_orders=3) == [1, 3, 5]
    assert followed.seqs(max_orders=4) == [1, 3, 4, 5]
