"""What happened after an event, from columns: each thing once, and unknown where it is unknown."""

from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coindcx_feed.analysis.part import Part
from coindcx_feed.events import EventType
from coindcx_feed.views import since
from coindcx_feed.views.since import KINDS

Row = tuple[str, int, str | None, bool]
"""Type, key, status, has a price."""


def _part(*rows: Row, first: int = 1, late: Collection[int] = ()) -> Part:
    statuses = [None, *dict.fromkeys(status for _, _, status, _ in rows if status)]

    def codes(words: Collection[str]) -> list[int]:
        return [code for code, text in enumerate(statuses) if (text or "").lower() in words]

    return Part(
        np.arange(first, first + len(rows), dtype=np.int64),
        np.array([KINDS.index(EventType(kind)) for kind, *_ in rows], dtype=np.uint8),
        np.array([key for _, key, *_ in rows], dtype=np.int64),
        np.array([price for *_, price in rows], dtype=np.bool_),
        np.array([place not in late for place in range(len(rows))], dtype=np.bool_),
        np.array([statuses.index(status) for _, _, status, _ in rows], dtype=np.uint16),
        codes,
    )


def _flat(_seq: int) -> bool | None:
    return False


def _order(key: int, status: str) -> Row:
    return "order", key, status, True


def _position(key: int, held: bool) -> Row:
    return "position", key, None, held


def test_orders_end_once_and_by_any_spelling() -> None:
    """A repeated status is no second end; partially cancelled is cancelled."""
    told = since.tell(
        [
            _part(_order(1, "open"), _order(1, "filled"), _order(1, "Filled"), _order(2, "partially_cancelled")),
            _part(_order(1, "filled"), _order(3, "rejected"), first=5),
        ],
        _flat,
    )
    assert told.ended == {"filled": 1, "cancelled": 1, "rejected": 1}
    assert told.events == {"order": 6}


def test_positions_open_and_close_across_parts() -> None:
    """Growing is no opening; what a segment before left held is closed in the next."""
    parts = [
        _part(_position(7, True), _position(8, False), _position(7, True)),
        _part(_position(7, False), _position(8, True), _position(8, False), first=4),
    ]
    told = since.tell(parts, _flat)
    assert (told.opened, told.closed, told.unknown) == (2, 2, 0)


@pytest.mark.parametrize(("before", "expected"), [(True, (0, 1, 0)), (False, (0, 0, 0)), (None, (0, 0, 1))])
def test_the_first_event_is_compared_with_what_was_before(before: bool | None, expected: tuple[int, int, int]) -> None:
    """Where that is not known nothing is claimed."""
    told = since.tell([_part(_position(7, False))], lambda _seq: before)
    assert (told.opened, told.closed, told.unknown) == expected


def test_late_updates_moved_nothing() -> None:
    """They are counted as events only."""
    told = since.tell([_part(_position(7, True), _position(7, False), _order(1, "filled"), late=(1, 2))], _flat)
    assert (told.opened, told.closed, told.ended["filled"]) == (1, 0, 0)
    assert told.events == {"order": 1, "position": 2}


def test_liquidations_are_ledger_rows_of_that_stage() -> None:
    """By either word of the documents; an order of that name is none."""
    rows: list[Row] = [("ledger", 1, "liquidation", False), ("ledger", 2, "exit", False), _order(3, "liquidation")]
    assert since.tell([_part(*rows)], _flat).liquidations == 1


def _events(**bodies: Any) -> Callable[[int], Any]:
    kept = {
        int(name[1:]): SimpleNamespace(previous=before, body=f'{{"data":{{"avg_price":{price}}}}}'.encode())
        for name, (before, price) in bodies.items()
    }
    return kept.get


def test_whether_a_position_was_held() -> None:
    """By the average price of the event before; none before it means flat."""
    get = _events(e5=(3, "0"), e3=(0, "12.5"), e9=(5, "1"), e8=(2, "1"), e7=(6, "1"), e6=(0, '"0.0"'))
    assert since.was_held(get, 5) is True
    assert since.was_held(get, 3) is False
    assert since.was_held(get, 9) is False
    assert since.was_held(get, 7) is False
    assert since.was_held(get, 8) is None
    assert since.was_held(get, 99) is None


def test_times_away_are_cut_at_the_mark_and_last_until_now() -> None:
    """What nobody wanted to watch is no gap."""
    gaps = [
        {"from_ms": 90_000.0, "to_ms": None},
        {"from_ms": 1_000.0, "to_ms": 12_000.0},
        {"from_ms": 1_000.0, "to_ms": 9_000.0},
        {"from_ms": 20_000.0, "to_ms": 30_000.0, "is_on_demand": True},
    ]
    assert since.away(gaps, 10_000.0, 100_000.0) == {"count": 2, "away_s": 12.0}
