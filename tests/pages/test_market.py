"""The Market page through the entry: cards, choice of pairs, and books that are not good."""

import pytest
from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of, opened
from ui.fake_service import HOSTILE, FakeService


def _run(service: FakeService, **query: str) -> AppTest:
    return opened("market", service, **query)


def _nodes(test: AppTest) -> str:
    assert not test.exception
    assert not test.error
    return nodes_of(test)


def test_every_watched_pair_has_a_card_and_the_first_one_is_shown() -> None:
    """Bars, book and trades are those of the chosen pair, and only those are looked at."""
    service = FakeService()
    text = _nodes(_run(service))
    assert "Market of B-ETH_USDT" in text
    assert "Market of B-BTC_USDT" in text
    assert set(service.market.looked) == {("B-ETH_USDT",), ("B-ETH_USDT", "1m")}


def test_pair_and_resolution_come_from_the_address() -> None:
    """A shared link shows the same market; an unknown pair shows the first."""
    service = FakeService()
    _nodes(_run(service, pair="B-BTC_USDT", resolution="4h"))
    assert set(service.market.looked) == {("B-BTC_USDT",), ("B-BTC_USDT", "4h")}
    service.market.looked.clear()
    _nodes(_run(service, pair="B-NO_USDT"))
    assert ("B-ETH_USDT",) in service.market.looked


def test_pair_is_chosen_from_the_exchanges_list() -> None:
    """Those that are watched already are not offered again."""
    service = FakeService()
    test = _run(service)
    box = test.selectbox(key="market-add")
    assert box.options == ["B-SOL_USDT", "B-XRP_USDT"]
    box.set_value("B-XRP_USDT").run()
    assert service.market.pairs == ["B-ETH_USDT", "B-BTC_USDT", "B-XRP_USDT"]
    assert "B-XRP_USDT" in test.query_params["pair"]
    assert "Market of B-XRP_USDT" in _nodes(test)


def test_refusal_is_shown_as_text() -> None:
    """What the exchange or the disk says reaches a text node only."""
    service = FakeService(text=HOSTILE)
    service.market.watch = lambda _pair: {"ok": False, "message": HOSTILE}  # type: ignore[method-assign]
    test = _run(service)
    test.selectbox(key="market-add").set_value("B-XRP_USDT").run()
    assert "evil.example" in _nodes(test)
    assert not [element for element in (*test.markdown, *test.warning, *test.info) if "evil" in str(element.value)]


def test_without_pairs_the_page_says_what_to_do() -> None:
    """Everything was removed."""
    service = FakeService()
    service.market.pairs = []
    assert "No pair is watched" in _nodes(_run(service))


def test_process_without_a_market_feed_says_so() -> None:
    """A replay, for one."""
    service = FakeService()
    service.market.available = False
    assert "No market feed in this process" in _nodes(_run(service))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("old", "old"),
        ("unsynced", "The order book is not known now"),
        ("waiting", "The order book is on its way"),
    ],
)
def test_book_that_is_not_good_says_so(state: str, words: str) -> None:
    """Never a ladder that looks like the truth."""
    service = FakeService()
    service.market.book_state = state
    text = _nodes(_run(service))
    assert words in text
    assert ("rung middle" in text) == (state == "old")


def test_history_that_cannot_be_read_says_why() -> None:
    """The running bar stays."""
    service = FakeService()
    service.market.error = "candles: expected HTTP 200, was 503"
    assert "was 503" in _nodes(_run(service))
