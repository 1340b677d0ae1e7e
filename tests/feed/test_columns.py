"""Columns and interned codes: what a filter reads instead of the events."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.figures import NONE, ODD
from coindcx_feed.events import Event, EventType, Facts, Source
from coindcx_feed.feed import columns as module
from coindcx_feed.feed.columns import OVERFLOW, Codes, Columns, Seqs, pick, run

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
        facts = event(seq, kind, side=side, pair=pair, status=f"s{seq}", price=float(seq), message=f"M{seq}")
        filled.write(seq, facts, (b"1,2,3", None))
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
    columns.write(4, event(4), (NONE, None))
    assert np.isnan(columns.price[4])


def test_read_gives_back_what_was_written(columns: Columns) -> None:
    """The facts of a row return from codes to values."""
    columns.write(5, event(5, EventType.BALANCE, exchange_ms=77)._replace(is_late=True, previous=3), (NONE, "INR"))
    assert columns.read(5) == (EventType.BALANCE, Source.REST, None, 50, 77, 3, True)
    assert columns.read(1) == (EventType.POSITION, Source.REST, "B-B_USDT", 10, None, 0, False)


def test_block_copies_texts_and_codes(columns: Columns) -> None:
    """A block tells keys, messages and figures of its rows and does not change with them."""
    block = columns.block(slots(0, 1), slots(0, 1))
    columns.write(0, event(8, key="later"), (NONE, None))
    assert block.keys == ["k-0", "k-1"]
    assert block.messages == ["M0", "M1"]
    assert block.figures == [b"1,2,3", b"1,2,3"]
    assert block.received_ns.tolist() == [0, 10]
    assert [columns.pairs.text(code) for code in block.pair.tolist()] == ["B-A_USDT", "B-B_USDT"]


def test_block_names_the_rows_it_cannot_tell(columns: Columns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown sides, figures that are no numbers and texts beyond the codes are left to the event itself."""
    columns.write(4, event(4, side="buy", status="s0"), (ODD, None))
    monkeypatch.setattr(module, "MAX_CODES", 0)
    columns.write(5, event(5, side="buy", status="one too many"), (NONE, None))
    columns.write(6, event(6, side="buy", status="s0"), (NONE, "one too many"))
    columns.write(7, event(7, side="buy", status="s0"), (NONE, None))
    # Slot 2 has the side "short".
    assert columns.block(slots(*range(8)), slots(*range(8))).odd == [2, 4, 5, 6]


@given(st.integers(1, 9), st.data())
def test_pick_equals_indexing(size: int, data: st.DataObject) -> None:
    """Runs and scattered slots, wrapped or not, give the values of these slots in their order."""
    values = [f"v{number}" for number in range(size)]
    start = data.draw(st.integers(0, size))
    seqs = sorted(data.draw(st.sets(st.integers(start, start + size - 1))))
    places = np.array([seq % size for seq in seqs], dtype=np.int64)
    assert pick(values, run(places)) == [values[place] for place in places.tolist()]


def test_search_text_without_a_message_is_the_id() -> None:
    """Nothing but the id is searched when the exchange sent no message."""
    columns = Columns(2)
    columns.write(0, event(0, key="ABC"), (NONE, None))
    columns.write(1, event(1, key="ABC", message="Filled!"), (NONE, None))
    assert [columns.searched(0), columns.searched(1)] == ["abc", "abc\nfilled!"]
