"""A book is equal to the exchange's, or says that it is not: whatever of the stream is lost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed.feed.books import BEHIND, CONNECTION, HELD, MOST_LEVELS, Book, BookFrame, BookState

DEPTH = 3


def _frame(
    vs: int, bids: Mapping[str, str], asks: Mapping[str, str] | None = None, *, is_snapshot: bool = False
) -> BookFrame:
    return BookFrame(is_snapshot, vs, bids, asks or {}, vs * 500, vs * 1_000)


def _snapshot(vs: int) -> BookFrame:
    return _frame(vs, {"10": "1", "9.5": "2", "9": "3"}, {"10.5": "1", "11": "2", "12": "3"}, is_snapshot=True)


def _synced(vs: int = 7) -> Book:
    book = Book(DEPTH)
    book.apply(_snapshot(vs))
    return book


def _texts(book: Book) -> tuple[list[str], list[str]]:
    view = book.view
    return tuple([f"{level.price}:{level.size}" for level in side] for side in (view.bids, view.asks))  # type: ignore[return-value]


def test_snapshot_makes_a_book_with_the_best_levels_first() -> None:
    """Key order means nothing: whole prices come first on the wire."""
    assert _texts(_synced()) == (["10:1", "9.5:2", "9:3"], ["10.5:1", "11:2", "12:3"])


def test_update_sets_deletes_and_is_trimmed_to_the_depth() -> None:
    """A size of 0 deletes; a level beyond the window falls off, one that moves up comes in."""
    book = _synced(7)
    book.apply(_frame(8, {"9.7": "5", "10": "0"}, {"10.2": "4"}))
    assert _texts(book) == (["9.7:5", "9.5:2", "9:3"], ["10.2:4", "10.5:1", "11:2"])
    assert (book.view.vs, book.view.exchange_ms, book.view.received_ns) == (8, 4_000, 8_000)


def test_same_price_spelled_otherwise_is_the_same_level() -> None:
    """``10`` and ``10.0`` are one price."""
    book = _synced(7)
    book.apply(_frame(8, {"10.0": "4"}))
    assert _texts(book)[0][0] == "10.0:4" or _texts(book)[0][0] == "10:4"
    assert len(book.view.bids) == DEPTH


def test_first_frame_that_is_an_update_waits_for_a_seed() -> None:
    """Most streams begin with one: nothing is shown before the REST book is there."""
    book = Book(DEPTH)
    book.apply(_frame(8, {"9.7": "5"}))
    assert (book.view.state, book.has_held) == (BookState.WAITING, True)
    assert book.seed(_snapshot(7))
    assert (book.view.vs, _texts(book)[0]) == (8, ["10:1", "9.7:5", "9.5:2"])


def test_seed_that_is_newer_than_what_waits_stands_and_the_stream_continues_it() -> None:
    """Frames up to the seed's number are in it already: they change nothing."""
    book = Book(DEPTH)
    book.apply(_frame(8, {"1": "5"}))
    assert book.seed(_snapshot(9))
    book.apply(_frame(9, {"10": "0"}))
    assert (book.view.vs, book.view.bids[0].price) == (9, Decimal(10))
    book.apply(_frame(10, {"10": "0"}))
    assert (book.view.vs, book.view.bids[0].price) == (10, Decimal("9.5"))


def test_seed_that_is_too_old_is_refused() -> None:
    """Between it and the first update that waits a frame is missing."""
    book = Book(DEPTH)
    book.apply(_frame(9, {"9.7": "5"}))
    assert not book.seed(_snapshot(7))
    assert book.view.state is BookState.WAITING
    assert book.seed(_snapshot(8))


def test_missing_update_makes_the_book_unsynced_until_it_is_seeded() -> None:
    """The levels are gone at once, the reason names both numbers, and the update waits."""
    book = _synced(7)
    book.apply(_frame(9, {"10": "0"}))
    view = book.view
    assert (view.state, view.bids, view.asks, book.gaps) == (BookState.UNSYNCED, (), (), 1)
    assert view.reason == "expected update 8, was 9"
    assert book.seed(_snapshot(8))
    assert (book.view.vs, book.view.bids[0].price) == (9, Decimal("9.5"))


def test_snapshot_ends_the_doubt() -> None:
    """A full book needs no read."""
    book = _synced(7)
    book.apply(_frame(12, {"10": "0"}))
    book.apply(_snapshot(13))
    assert (book.view.state, book.view.vs, book.has_held) == (BookState.SYNCED, 13, False)


def test_repeated_update_changes_nothing() -> None:
    """The same number once more."""
    book = _synced(7)
    book.apply(_frame(7, {"10": "0"}))
    assert book.view.bids[0].price == 10


def test_update_from_before_is_no_book() -> None:
    """The counter ran +1 in 69,100 frames: one that goes back is another count."""
    book = _synced(7)
    book.apply(_frame(5, {"10": "0"}))
    assert book.view.state is BookState.UNSYNCED


def test_counter_that_begins_anew_below_a_seed_is_noticed() -> None:
    """For some frames it looks like the seed's past; then it does not any more."""
    book = Book(DEPTH)
    book.apply(_frame(900, {"1": "5"}))
    assert book.seed(_snapshot(1_000))
    for vs in range(1, BEHIND + 1):
        book.apply(_frame(vs, {"10": "0"}))
    assert book.view.state is BookState.SYNCED
    book.apply(_frame(BEHIND + 1, {"10": "0"}))
    assert (book.view.state, book.has_held) == (BookState.UNSYNCED, True)


def test_lost_connection_forgets_the_book_and_what_waited() -> None:
    """Another session may have missed anything."""
    book = _synced(7)
    book.lose(CONNECTION)
    assert (book.view.state, book.view.reason, book.view.bids) == (BookState.UNSYNCED, CONNECTION, ())
    book.apply(_frame(8, {"10": "0"}))
    assert book.view.state is BookState.UNSYNCED


def test_lost_connection_before_the_first_frame_stays_a_book_on_its_way() -> None:
    """Nothing was known, so nothing was lost."""
    book = Book(DEPTH)
    book.lose(CONNECTION)
    assert book.view.state is BookState.WAITING


@pytest.mark.parametrize("price", ["x", "", "-1", "NaN", "Infinity", "1e999", "1e-999"])
def test_text_that_is_no_price_makes_no_book(price: str) -> None:
    """Also one that would take a gigabyte to write."""
    book = _synced(7)
    book.apply(_frame(8, {price: "1"}))
    assert book.view.state is BookState.UNSYNCED
    assert "expected a price or size" in (book.view.reason or "")


def test_book_whose_sides_cross_is_none() -> None:
    """A bid at the lowest ask would have traded."""
    book = _synced(7)
    book.apply(_frame(8, {"10.5": "1"}))
    assert "expected bids below asks" in (book.view.reason or "")


def test_frame_of_thousands_of_levels_is_refused() -> None:
    """The exchange sends about a hundred."""
    book = Book(DEPTH)
    book.apply(_frame(1, {str(number): "1" for number in range(1, MOST_LEVELS + 2)}, is_snapshot=True))
    assert book.view.state is BookState.UNSYNCED


def test_updates_that_wait_are_bounded() -> None:
    """A seed that never comes costs no memory; what is kept has no hole."""
    book = Book(DEPTH)
    for vs in range(1, 3 * HELD):
        book.apply(_frame(vs, {"9": str(vs)}))
    assert not book.seed(_snapshot(1))
    assert book.seed(_snapshot(2 * HELD))
    assert book.view.vs == 3 * HELD - 1


class Moment(NamedTuple):
    """The exchange at one number: its window, and the frame that leads to it from the one before."""

    bids: dict[int, int]
    asks: dict[int, int]
    frame: BookFrame

    def rest(self) -> BookFrame:
        return _frame(
            self.frame.vs,
            {str(price): str(size) for price, size in self.bids.items()},
            {str(price): str(size) for price, size in self.asks.items()},
            is_snapshot=True,
        )


def _side(levels: dict[int, int], *, is_bid: bool) -> dict[int, int]:
    return {price: levels[price] for price in sorted(levels, reverse=is_bid)[:DEPTH]}


def _changes(before: dict[int, int], after: dict[int, int], beyond: dict[int, int]) -> dict[str, str]:
    gone = {price: 0 for price in before if price not in after}
    changed = {price: size for price, size in after.items() if before.get(price) != size}
    return {str(price): str(size) for price, size in {**beyond, **gone, **changed}.items()}


LEVELS = st.dictionaries(st.integers(1, 9), st.integers(1, 4), max_size=7)


@st.composite
def streams(draw: st.DrawFn) -> list[Moment]:
    """Draw a true series of books and the frames of the exchange that describe it."""
    moments: list[Moment] = []
    first = draw(st.integers(1, 1_000))
    for number in range(draw(st.integers(1, 14))):
        bids_all = draw(LEVELS)
        asks_all = {price + 10: size for price, size in draw(LEVELS).items()}
        bids, asks = _side(bids_all, is_bid=True), _side(asks_all, is_bid=False)
        is_snapshot = draw(st.integers(0, 3)) == 0
        if is_snapshot or not moments:
            bid_texts, ask_texts = _changes({}, bids, {}), _changes({}, asks, {})
            is_snapshot = True
        else:
            # An update may mention levels beyond the window: a client has to trim.
            beyond = draw(st.booleans())
            bid_texts = _changes(moments[-1].bids, bids, bids_all if beyond else {})
            ask_texts = _changes(moments[-1].asks, asks, asks_all if beyond else {})
        frame = BookFrame(is_snapshot, first + number, bid_texts, ask_texts, number, number)
        moments.append(Moment(bids, asks, frame))
    return moments


def _is_true(book: Book, moments: list[Moment]) -> bool:
    """Whether the book shows nothing, or exactly what the exchange had at its number."""
    view = book.view
    if view.state is not BookState.SYNCED:
        return not view.bids and not view.asks
    there = next(moment for moment in moments if moment.frame.vs == view.vs)
    bids = {int(level.price): int(level.size) for level in view.bids}
    asks = {int(level.price): int(level.size) for level in view.asks}
    return bids == there.bids and asks == there.asks and list(bids) == sorted(bids, reverse=True)


@settings(max_examples=200, deadline=None)
@given(streams(), st.data())
def test_book_fed_by_any_cut_of_frames_is_true_or_says_it_is_not(moments: list[Moment], data: st.DataObject) -> None:
    """Frames are lost, repeated, connections end, and seeds of any age come at any time."""
    book = Book(DEPTH)
    for index, moment in enumerate(moments):
        fate = data.draw(st.sampled_from(["kept", "kept", "kept", "lost", "twice", "cut"]))
        if fate == "cut":
            book.lose(CONNECTION)
        for _ in range({"lost": 0, "twice": 2}.get(fate, 1)):
            book.apply(moment.frame)
            assert _is_true(book, moments)
            assert book.view.state is not BookState.SYNCED or book.view.vs >= moment.frame.vs
        if data.draw(st.booleans()):
            book.seed(moments[data.draw(st.integers(0, index))].rest())
            assert _is_true(book, moments)


@settings(max_examples=100, deadline=None)
@given(streams(), st.integers(0, 13))
def test_book_seeded_in_time_ends_with_the_exchange(moments: list[Moment], start: int) -> None:
    """Joined in the middle and seeded with the book of the frame before: the end is the exchange's end."""
    later = moments[min(start, len(moments) - 1) :]
    book = Book(DEPTH)
    for moment in later:
        book.apply(moment.frame)
    if book.view.state is not BookState.SYNCED:
        before = next(moment for moment in moments if moment.frame.vs == later[0].frame.vs)
        assert book.seed(before.rest())
    assert (book.view.state, book.view.vs) == (BookState.SYNCED, moments[-1].frame.vs)
    assert _is_true(book, moments)
