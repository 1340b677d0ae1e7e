"""Columns and interned codes: what a filter reads instead of the events."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.shown import EMPTY
from coindcx_feed.events import Event, EventType, Facts, Source
from coindcx_feed.feed import columns as module
from coindcx_feed.feed.columns import OVERFLOW, Codes, Columns, Seqs, run

SIDES = ("buy", "sell", "short", None)
ALL = slice(0, 8)


def event(seq: int, kind: EventType = EventType.ORDER, **facts: object) -> Event:
    """Build an event of which only the facts matter."""
    return Event(seq, kind, Source.REST, seq * 10, Facts(**{"key": f"k-{seq}", **facts}), b"{}", 0, 2)  # type: ignore[arg-type]


def slots(*numbers: int) -> Seqs:
    return np.array(numbers, dtype=np.int64)


@pytest.fixture
def columns() -> Columns:
    """Eight slots, four of them written."""
    filled = Columns(8)
    for seq, (kind, side) in enumerate(zip(EventType, SIDES, strict=False)):
        pair = f"B-{'AB'[seq % 2]}_USDT"
        written = event(seq, kind, side=side, pair=pair, status=f"s{seq}", price=float(seq))
        filled.write(seq, written, b"cells of %d" % seq, f"k-{seq}\nm{seq}")
    return filled


@given(st.lists(st.none() | st.text(max_size=3), max_size=30))
def test_codes_give_back_every_text(texts: list[str | None]) -> None:
    """Equal texts share a code, different ones never do, and each code tells its text."""
    codes = Codes()
    given_codes = [codes.add(text) for text in texts]
    assert [codes.text(code) for code in given_codes] == texts
    assert len(set(given_codes)) == len(set(texts))
    assert codes.texts() == list(dict.fromkeys(text for text in texts if text is not None))
    assert OVERFLOW not in given_codes


def test_codes_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed that invents endless texts fills one shared code instead of the memory."""
    monkeypatch.setattr(module, "MAX_CODES", 3)
    codes = Codes()
    assert [codes.add(text) for text in ("a", "b", "c", "d", "a")] == [2, 3, OVERFLOW, OVERFLOW, 2]
    assert codes.texts() == ["a", "b"]
    assert codes.find(["b", "c", "d"]) == [3]


def test_masks_mark_the_rows_of_any_of_the_values(columns: Columns) -> None:
    """Types, sides, pairs and statuses: several values mark their union, unknown ones nothing."""
    assert np.flatnonzero(columns.mask_of_types(slice(0, 4), ("order", "fill"))).tolist() == [0, 3]
    assert np.flatnonzero(columns.mask_of_sides(slice(0, 4), ("buy", "sell"))).tolist() == [0, 1]
    assert np.flatnonzero(columns.mask_of_pairs(slice(0, 4), ("B-B_USDT", "B-X_USDT"))).tolist() == [1, 3]
    assert np.flatnonzero(columns.mask_of_statuses(slice(0, 4), ("s3", "s0"))).tolist() == [0, 3]
    assert not columns.mask_of_statuses(slice(0, 4), ("never",)).any()
    assert not columns.mask_of_pairs(slice(0, 4), ()).any()


def test_masks_are_relative_to_their_rows(columns: Columns) -> None:
    """A mask over a part of the slots begins at that part."""
    assert columns.mask_of_statuses(slice(2, 4), ("s3",)).tolist() == [False, True]


def test_key_mask_finds_the_id(columns: Columns) -> None:
    """All rows of an id are marked."""
    assert np.flatnonzero(columns.mask_of_key(slice(0, 4), "k-2")).tolist() == [2]


def test_a_missing_price_is_no_number(columns: Columns) -> None:
    """Rows without a price fail every comparison."""
    columns.write(4, event(4), EMPTY, "")
    assert np.isnan(columns.price[4])


def test_read_gives_back_what_was_written(columns: Columns) -> None:
    """The facts of a row return from codes to values."""
    columns.write(5, event(5, EventType.BALANCE, exchange_ms=77)._replace(is_late=True, previous=3), None, "")
    assert columns.read(5) == (EventType.BALANCE, Source.REST, None, 50, 77, 3, True)
    assert columns.read(1) == (EventType.POSITION, Source.REST, "B-B_USDT", 10, None, 0, False)


def test_block_copies_texts_and_codes(columns: Columns) -> None:
    """A block tells types, times and cells of its rows and does not change with them."""
    block = columns.block(slots(0, 1), slots(0, 1))
    columns.write(0, event(8), b"later", "")
    assert block.seqs.tolist() == [0, 1]
    assert block.texts == [b"cells of 0", b"cells of 1"]
    assert [list(EventType)[code] for code in block.type.tolist()] == [EventType.ORDER, EventType.POSITION]
    assert [list(Source)[code] for code in block.source.tolist()] == [Source.REST, Source.REST]
    assert (block.received_ns.tolist(), block.exchange_ms.tolist()) == ([0, 10], [0, 0])


def test_block_names_the_rows_without_cells(columns: Columns) -> None:
    """Events whose cells were not kept are named by their place, so that they can be asked themselves."""
    columns.write(2, event(2), None, "")
    assert columns.block(slots(1, 2, 3), slots(1, 2, 3)).odd == [1]
    assert columns.block(slots(1, 2, 3), slots(1, 2, 3)).texts[1] == EMPTY


@given(st.integers(1, 9), st.data())
def test_runs_pick_the_same_rows_as_their_slots(size: int, data: st.DataObject) -> None:
    """Runs and scattered slots, wrapped or not, give the values of these slots in their order."""
    values = np.arange(size) * 10
    start = data.draw(st.integers(0, size))
    seqs = sorted(data.draw(st.sets(st.integers(start, start + size - 1))))
    places = np.array([seq % size for seq in seqs], dtype=np.int64)
    assert values[run(places)].tolist() == [place * 10 for place in places.tolist()]


def test_a_text_test_sees_what_was_given_for_search(columns: Columns) -> None:
    """Numbers whose text passes are returned, in their order."""
    found = columns.found(slots(10, 11, 13), slots(0, 1, 3), lambda searched: searched != "k-1\nm1")
    assert found.tolist() == [10, 13]
