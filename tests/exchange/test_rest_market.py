"""Public reads: what is asked, and answers about something else."""

from collections.abc import AsyncIterator

import pytest
from fakes.clock import START_MS, FakeClock
from fakes.frames import FIXTURES
from fakes.rest_api import FakeApi, Say, fake_api

from coindcx_feed.errors import BadReply, RequestRefused, RestError, ServerTrouble, UnknownPair
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.rest import NO_RETRY, RestReader
from coindcx_feed.exchange.rest_market import RESOLUTIONS, MarketReads
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.demo import demo_exchange
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.exchange import build_exchange_server

HOUR_MS = 3_600_000


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with fake_api() as running:
        yield running


@pytest.fixture
async def market(api: FakeApi) -> AsyncIterator[MarketReads]:
    clock = FakeClock(is_automatic=True)
    async with RestReader(api.url, public_url=api.url, retry=NO_RETRY, clock=clock) as reader:
        yield MarketReads(reader)


def _fixture(name: str) -> str:
    return (FIXTURES / "rest" / name).read_text(encoding="utf-8")


async def test_current_prices_keep_every_pair_and_field(api: FakeApi, market: MarketReads) -> None:
    """The documented reply, value for value."""
    text = _fixture("current_prices.docs.json")
    api.answer("current_prices", Say(text))
    row = await market.current_prices()
    assert row.record.prices == parse_exact(text)["prices"]
    assert (row.record.ts, row.asked_ms) == (1_720_429_586_580, START_MS)


async def test_book_is_read_at_the_asked_depth(api: FakeApi, market: MarketReads) -> None:
    """Price text to size text, with the number that frames continue from."""
    api.answer("book", Say(_fixture("public_orderbook.docs.json")))
    row = await market.book("B-ETH_USDT", 20)
    assert row.record.asks["2001"] == "2.145"
    assert row.record.vs == 27_570_132
    assert api.calls[0].query == {"pair": "B-ETH_USDT", "depth": "20"}


async def test_empty_book_of_no_time_means_an_unknown_pair(api: FakeApi, market: MarketReads) -> None:
    """Captured: status 200 for a name that does not exist."""
    api.answer("book", Say(_fixture("public_orderbook.unknown-pair.captured.json")))
    with pytest.raises(UnknownPair, match="expected the book of B-NONE_USDT, was an empty one"):
        await market.book("B-NONE_USDT")


async def test_empty_book_of_a_known_pair_is_a_book(api: FakeApi, market: MarketReads) -> None:
    """A halted market has a time."""
    api.answer("book", Say({"ts": 5, "vs": 1, "asks": {}, "bids": {}}))
    assert (await market.book("B-ETH_USDT")).record.asks == {}


async def test_instrument_is_read_for_its_margin_currency(api: FakeApi, market: MarketReads) -> None:
    """The captured INR contract, tiers included."""
    api.answer("instrument", Say(_fixture("instrument.B-SOL_USDT.INR.captured.json")))
    row = await market.instrument("B-SOL_USDT", "INR")
    assert str(row.record.maker_fee) == "0.0236"
    assert row.record.dynamic_safety_margin_details is not None
    assert str(row.record.dynamic_safety_margin_details["3250000"]) == "1.2"
    assert api.calls[0].query == {"pair": "B-SOL_USDT", "margin_currency_short_name": "INR"}


async def test_another_instrument_in_the_answer_is_noticed(api: FakeApi, market: MarketReads) -> None:
    """The exchange answers an unknown pair with 200 and some other contract."""
    api.answer("instrument", Say({"instrument": {"pair": "B-LAB_USDT"}}))
    with pytest.raises(UnknownPair, match="expected B-NONE_USDT, was B-LAB_USDT: check the pair's name"):
        await market.instrument("B-NONE_USDT")


async def test_terms_of_another_margin_currency_are_noticed(api: FakeApi, market: MarketReads) -> None:
    """Leverage and safety tiers differ per currency."""
    api.answer("instrument", Say(_fixture("instrument.B-SOL_USDT.INR.captured.json")))
    with pytest.raises(BadReply, match="terms for USDT margin, was INR"):
        await market.instrument("B-SOL_USDT")


async def test_instruments_are_names(api: FakeApi, market: MarketReads) -> None:
    """The captured list, names with digits too."""
    text = _fixture("active_instruments.INR.captured-partial.json")
    api.answer("instruments", Say(text))
    assert await market.instruments("INR") == parse_exact(text)
    assert api.calls[0].query == {"margin_currency_short_name[]": "INR"}


async def test_candles_are_asked_for_in_seconds_and_come_in_milliseconds(api: FakeApi, market: MarketReads) -> None:
    """Bounds are widened to whole seconds; the resolution has another name here than on the socket."""
    api.answer("candles", Say(_fixture("public_candlesticks.docs.json")))
    reading = await market.candles("B-ETH_USDT", "1h", 1_704_153_600_900, 1_704_240_000_001)
    assert [record.time for record in reading.records] == [1_704_153_600_000, 1_704_240_000_000]
    assert str(reading.records[0].volume) == "114433.544"
    assert api.calls[0].query == {
        "pair": "B-ETH_USDT", "from": "1704153600", "to": "1704240001", "resolution": "60", "pcode": "f",
    }  # fmt: skip


async def test_C1_odd_bar_is_returned_apart(api: FakeApi, market: MarketReads) -> None:
    """The others are used."""
    bar = {"open": 1, "high": 1, "low": 1, "volume": 0, "close": 1}
    api.answer("candles", Say({"s": "ok", "data": [bar | {"time": 5}, bar]}))
    reading = await market.candles("B-ETH_USDT", "1m", 0, 1)
    assert (len(reading.rows), len(reading.rejected), reading.is_complete) == (1, 1, False)


async def test_conversions_are_rows_with_their_time(api: FakeApi, market: MarketReads) -> None:
    """A zero rate would turn every rupee figure into nonsense: it is rejected."""
    good = parse_exact(_fixture("conversions.captured.json"))
    api.answer("conversions", Say([*good, {**good[0], "symbol": "X", "conversion_price": 0}]))
    reading = await market.conversions()
    assert [(record.symbol, str(record.conversion_price)) for record in reading.records] == [("USDTINR", "102.0")]
    assert len(reading.rejected) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("book", []),
        ("book", {"ts": 1, "vs": 1, "asks": {"1": 2}, "bids": {}}),
        ("current_prices", {"prices": []}),
        ("instrument", {}),
        ("instrument", {"instrument": []}),
        ("instrument", "7"),
        ("instruments", {"names": []}),
        ("instruments", ["B-ETH_USDT", 7]),
        ("instruments", ["<script>"]),
        ("candles", {"s": "no_data"}),
        ("candles", {"s": "ok", "data": {}}),
        ("conversions", {}),
    ],
)
async def test_F11_answer_of_another_shape_is_an_error(
    api: FakeApi, market: MarketReads, name: str, content: object
) -> None:
    """Never taken for an empty market."""
    api.answer(name, Say(content))
    arguments = {"book": ("B-ETH_USDT",), "instrument": ("B-ETH_USDT",), "candles": ("B-ETH_USDT", "1m", 0, 1)}
    with pytest.raises(BadReply, match=r"expected|field"):
        await getattr(market, name)(*arguments.get(name, ()))


async def test_F28_failed_read_is_an_error(api: FakeApi, market: MarketReads) -> None:
    """Not an empty list."""
    api.answer("conversions", Say("", 503))
    with pytest.raises(ServerTrouble):
        await market.conversions()


async def test_misspelt_arguments_are_refused_before_they_are_sent(api: FakeApi, market: MarketReads) -> None:
    """One line each: what was expected, what came."""
    with pytest.raises(RequestRefused, match="book: expected a pair like"):
        await market.book("ETHUSDT")
    with pytest.raises(RequestRefused, match="depth of 10, 20 or 50, was 7"):
        await market.book("B-ETH_USDT", 7)  # type: ignore[arg-type]
    with pytest.raises(RequestRefused, match="instrument: expected a pair like"):
        await market.instrument("../orders")
    with pytest.raises(RequestRefused, match=r"expected one of 1m, .* was '3d'"):
        await market.candles("B-ETH_USDT", "3d", 0, 1)
    assert api.calls == []


@pytest.fixture(scope="module")
def history() -> Exchange:
    """Half an hour of the demo."""
    return demo_exchange(3, START_MS)[0]


@pytest.fixture
async def demo(history: Exchange) -> AsyncIterator[MarketReads]:
    """The simulator's public reads, its clock standing still."""
    server = build_exchange_server(history, port=0, behaviour=instant(), clock_ms=lambda: START_MS)
    async with server, RestReader(server.url, public_url=server.url, clock=FakeClock(is_automatic=True)) as reader:
        yield MarketReads(reader)


async def test_simulated_market_answers_every_read(demo: MarketReads) -> None:
    """One after the other, each about what was asked for."""
    pairs = await demo.instruments()
    assert (await demo.current_prices()).record.prices.keys() >= set(pairs)
    for pair in pairs:
        assert (await demo.instrument(pair)).record.pair == pair
        assert (await demo.book(pair, 10)).record.bids
    assert (await demo.conversions()).records[0].symbol == "USDTINR"


@pytest.mark.parametrize("resolution", RESOLUTIONS)
async def test_simulated_candles_know_every_resolution(demo: MarketReads, resolution: str) -> None:
    """Each name of the table is accepted by the path."""
    reading = await demo.candles("B-ETH_USDT", resolution, START_MS - HOUR_MS, START_MS)
    assert reading.is_complete


async def test_simulated_exchange_answers_unknown_pairs_like_the_real_one(demo: MarketReads) -> None:
    """And both answers are noticed."""
    for read in (demo.book, demo.instrument):
        with pytest.raises(UnknownPair):
            await read("B-NONE_USDT")
    with pytest.raises(RestError, match="400"):
        await demo.candles("B-NONE_USDT", "1m", 0, 1)
