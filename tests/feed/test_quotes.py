"""Figures of chosen pairs, merged from frames that carry any part of them."""

from decimal import Decimal

import pytest

from coindcx_feed.feed.quotes import FIELDS, Quotes

PAIR = "B-ETH_USDT"
WHOLE = dict.fromkeys(FIELDS, Decimal(2))


def _texts(quotes: Quotes) -> dict[str, str]:
    return {name: str(figure.value) for name, figure in quotes.row(PAIR).items()}


def test_update_changes_what_it_carries_and_leaves_the_rest() -> None:
    """Mark-only and ticker-only frames take turns: each figure has an age of its own."""
    quotes = Quotes([PAIR])
    quotes.update({PAIR: {"mp": Decimal("2941.5"), "bmST": 1}}, 10)
    quotes.update({PAIR: {"ls": Decimal("2941.8"), "pc": Decimal("-0.4")}}, 20)
    assert _texts(quotes) == {"mp": "2941.5", "ls": "2941.8", "pc": "-0.4"}
    assert {name: figure.received_ns for name, figure in quotes.row(PAIR).items()} == {"mp": 10, "ls": 20, "pc": 20}


def test_other_pairs_are_not_kept() -> None:
    """Hundreds come with every frame; the chosen ones are shown."""
    quotes = Quotes([PAIR])
    quotes.update({"B-BTC_USDT": WHOLE}, 10)
    assert quotes.row("B-BTC_USDT") == {}


@pytest.mark.parametrize("value", [None, "x", True, [1], Decimal("NaN"), Decimal("1e900"), Decimal(0), Decimal(-1)])
def test_what_is_no_price_is_left_out(value: object) -> None:
    """0 stands for none on this exchange."""
    quotes = Quotes([PAIR])
    quotes.update({PAIR: {"ls": value}}, 10)
    assert quotes.row(PAIR) == {}


def test_change_and_funding_may_be_nothing_or_negative() -> None:
    """They are no prices."""
    quotes = Quotes([PAIR])
    quotes.update({PAIR: {"pc": 0, "fr": Decimal("-0.00005")}}, 10)
    assert _texts(quotes) == {"pc": "0", "fr": "-0.00005"}


def test_row_that_is_no_object_is_left_out() -> None:
    """The frame is checked outside, its rows are not."""
    quotes = Quotes([PAIR])
    quotes.update({PAIR: [1]}, 10)
    quotes.fill({PAIR: "x"}, 10)
    assert quotes.row(PAIR) == {}


def test_read_fills_only_what_the_stream_has_not_said() -> None:
    """A read may be older than the stream."""
    quotes = Quotes([PAIR])
    quotes.update({PAIR: {"ls": Decimal(1)}}, 10)
    assert quotes.lacking() == [PAIR]
    quotes.fill({PAIR: WHOLE}, 20)
    assert quotes.row(PAIR)["ls"].value == 1
    assert quotes.row(PAIR)["h"].value == 2
    assert quotes.lacking() == []


def test_choosing_keeps_the_figures_of_pairs_that_stay() -> None:
    """And forgets the others."""
    quotes = Quotes([PAIR, "B-BTC_USDT"])
    quotes.update({PAIR: WHOLE, "B-BTC_USDT": WHOLE}, 10)
    quotes.choose([PAIR, "B-SOL_USDT"])
    assert (len(quotes.row(PAIR)), quotes.row("B-BTC_USDT"), quotes.lacking()) == (len(FIELDS), {}, ["B-SOL_USDT"])
