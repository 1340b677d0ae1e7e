"""Price paths: they follow the recorded bars, are continuous, and depend on seed and time only."""

import itertools
from decimal import Decimal as D

import pytest
from simulator.helpers import START_MS

from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.market import MINUTE_MS, STEP_MS, STEPS, Market, recorded_bars

MINUTE = START_MS // MINUTE_MS
PAIRS = list(instruments())


@pytest.fixture(scope="module")
def market() -> Market:
    """The market of seed 1."""
    return Market(1, instruments())


def test_bars_are_the_recorded_ones() -> None:
    """39 minutes of BTC and 40 of SOL."""
    bars = recorded_bars()
    assert {pair: len(rows) for pair, rows in bars.items()} == {"B-BTC_USDT": 39, "B-SOL_USDT": 40}
    assert bars["B-BTC_USDT"][0] == (83567.9, 83612.6, 83536.5, 83536.5, 953, 90.184)


@pytest.mark.parametrize("pair", PAIRS)
def test_path_touches_its_outline_and_stays_inside(market: Market, pair: str) -> None:
    """Open, high, low and close of the detail are those of the outline."""
    for minute in range(MINUTE, MINUTE + 5):
        line, tape = market.outline(pair, minute), market.tape(pair, minute)
        assert len(tape.bids) == STEPS
        assert (tape.bids[0], max(tape.bids), min(tape.bids), tape.bids[-1]) == line[:1] + line[1:4]


@pytest.mark.parametrize("pair", PAIRS)
def test_minutes_join_without_jumps_and_prices_stay_real(market: Market, pair: str) -> None:
    """Across two rounds of the recording: gaps below 0.2 %, range within 3 % of the first price."""
    lines = [market.outline(pair, minute) for minute in range(MINUTE, MINUTE + 160)]
    for before, after in itertools.pairwise(lines):
        assert abs(after.open - before.close) <= max(2, before.close * 0.002)
    assert max(line.high for line in lines) < lines[0].open * 1.03
    assert min(line.low for line in lines) > lines[0].open * 0.97


def test_prices_are_near_the_recorded_anchors(market: Market) -> None:
    """BTC and SOL as recorded, ETH and the rest at their given levels."""
    anchors = {"B-BTC_USDT": 83_500, "B-ETH_USDT": 2_777, "B-SOL_USDT": 119, "B-XRP_USDT": 1.42, "B-DOGE_USDT": 0.0962}
    for pair, anchor in anchors.items():
        assert float(market.last_price(pair, START_MS)) == pytest.approx(anchor, rel=0.03)


def test_same_seed_same_market_whatever_was_asked_before() -> None:
    """Order of questions does not matter; another seed is another market."""
    first, second, other = (Market(seed, instruments()) for seed in (1, 1, 2))
    for minute in range(MINUTE, MINUTE + 3):
        first.tape("B-SOL_USDT", minute)
    assert first.tape("B-BTC_USDT", MINUTE) == second.tape("B-BTC_USDT", MINUTE)
    assert first.tape("B-BTC_USDT", MINUTE) != other.tape("B-BTC_USDT", MINUTE)


def test_cut_of_time_does_not_change_the_trades(market: Market) -> None:
    """Intervals are half open: after, up to and including."""
    whole = market.trades("B-BTC_USDT", START_MS, START_MS + 2 * MINUTE_MS)
    cuts = [START_MS, START_MS + 1, whole[5].at_ms, START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS]
    parts = [trade for a, b in itertools.pairwise(cuts) for trade in market.trades("B-BTC_USDT", a, b)]
    assert parts == whole
    assert [t.at_ms for t in whole] == sorted(t.at_ms for t in whole)
    assert market.trades("B-BTC_USDT", START_MS, START_MS) == []


@pytest.mark.parametrize("pair", PAIRS)
def test_trades_are_at_the_touch_and_sum_to_the_volume(market: Market, pair: str) -> None:
    """A sell aggressor hits the bid, a buyer the ask; a minute's volume is the outline's, within its lots."""
    line, tape = market.outline(pair, MINUTE), market.tape(pair, MINUTE)
    for trade in tape.trades:
        bid = tape.bids[trade.at_ms % MINUTE_MS // STEP_MS]
        assert trade.tick == (bid if trade.buyer_is_maker else bid + 1)
        assert trade.lots >= 1
    volume = sum(trade.lots for trade in tape.trades) * float(instruments()[pair].quantity_increment)
    assert len(tape.trades) == line.trades
    assert volume == pytest.approx(line.volume, rel=0.05)


def test_mark_is_near_the_last_price_with_finer_digits(market: Market) -> None:
    """Within a tenth of a percent, two digits more than a tick."""
    last, mark = market.last_price("B-ETH_USDT", START_MS), market.mark_price("B-ETH_USDT", START_MS)
    assert abs(mark - last) < last * D("0.001")
    assert mark % D("0.0001") == 0


def test_cache_of_minutes_is_bounded(market: Market) -> None:
    """Asking for a thousand minutes keeps two hundred."""
    for minute in range(MINUTE, MINUTE + 300):
        market.tape("B-DOGE_USDT", minute)
    assert len(market._tapes) == 200
