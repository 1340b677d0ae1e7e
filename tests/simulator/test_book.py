"""Books around the touch, and changes that a client can apply."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.helpers import START_MS

from coindcx_feed.simulator.book import BookMaker, Level, changes, level_texts
from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.market import Market

MARKET = Market(1, instruments())
MAKER = BookMaker(MARKET)


def apply_and_trim(window: list[Level], changed: list[Level], depth: int, *, is_bid: bool) -> list[Level]:
    """Do what a client does with an update: set, delete, sort, trim."""
    levels = dict(window)
    for tick, lots in changed:
        if lots:
            levels[tick] = lots
        else:
            levels.pop(tick, None)
    return [Level(tick, levels[tick]) for tick in sorted(levels, reverse=is_bid)][:depth]


@pytest.mark.parametrize("pair", list(instruments()))
@pytest.mark.parametrize("depth", [10, 20, 50])
def test_book_has_exactly_the_depth_best_first(pair: str, depth: int) -> None:
    """Both sides are sorted, positive, and do not cross."""
    book = MAKER.book(pair, START_MS, depth)
    bids, asks = [level.tick for level in book.bids], [level.tick for level in book.asks]
    assert len(bids) == len(asks) == depth
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert asks[0] == bids[0] + 1 == MARKET.best_bid(pair, START_MS) + 1
    assert all(level.lots > 0 for level in (*book.bids, *book.asks))


def test_deeper_book_continues_the_shallow_one() -> None:
    """The same levels at every depth."""
    shallow, deep = (MAKER.book("B-ETH_USDT", START_MS, depth) for depth in (10, 50))
    assert deep.bids[:10] == shallow.bids
    assert deep.asks[:10] == shallow.asks


def test_sizes_live_for_a_while_and_then_change() -> None:
    """Most levels are the same half a second later, few after ten."""
    sides = [set(MAKER.book("B-BTC_USDT", START_MS + ms, 50).bids) for ms in (0, 500, 10_000)]
    assert sides[0] != sides[1]
    assert len(sides[0] & sides[2]) < len(sides[0])


def test_same_seed_same_book() -> None:
    """No hash of the process is in it."""
    again = BookMaker(Market(1, instruments()))
    assert again.book("B-SOL_USDT", START_MS, 20) == MAKER.book("B-SOL_USDT", START_MS, 20)


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0, max_value=120), st.sampled_from([500, 1_000, 60_000]), st.booleans())
def test_changes_lead_from_one_window_to_the_next(step: int, gap_ms: int, with_extra: bool) -> None:
    """Applied and trimmed, an update gives the new window, with levels beyond it or without."""
    start = START_MS + step * 500
    before = MAKER.book("B-ETH_USDT", start, 10)
    wide = MAKER.book("B-ETH_USDT", start + gap_ms, 12)
    for old, new, is_bid in ((before.bids, wide.bids, True), (before.asks, wide.asks, False)):
        changed = changes(old, new[:10], new[10:] if with_extra else ())
        assert apply_and_trim(old, changed, 10, is_bid=is_bid) == new[:10]


def test_unchanged_window_has_no_changes() -> None:
    """Nothing to say."""
    bids = MAKER.book("B-ETH_USDT", START_MS, 10).bids
    assert changes(bids, bids) == []


def test_whole_prices_come_first_as_in_a_javascript_object() -> None:
    """Clients must not rely on the order of keys."""
    texts = level_texts(MARKET, "B-ETH_USDT", [(277_691, 12_065), (277_700, 548), (277_600, 0), (277_692, 16)])
    assert list(texts.items()) == [("2776", "0"), ("2777", "0.548"), ("2776.91", "12.065"), ("2776.92", "0.016")]
