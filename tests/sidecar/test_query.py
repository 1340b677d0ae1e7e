"""What the address may ask for."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import BadRequest
from coindcx_feed.sidecar.query import ACCOUNT_TYPES, MARKET_TYPES, NAMES, Query, Wants, parse_query


def test_default_is_the_account_feed_from_now_on() -> None:
    """No parameter at all is the seed's way to connect."""
    assert parse_query([]) == Query(Wants(ACCOUNT_TYPES, frozenset()), None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order", {"order"}),
        ("order,position,balance,fill,ledger,system", ACCOUNT_TYPES),
        ("price,trade,candle,book", MARKET_TYPES),
        ("all", ACCOUNT_TYPES | MARKET_TYPES),
        ("order,all", ACCOUNT_TYPES | MARKET_TYPES),
    ],
)
def test_types(text: str, expected: set[str]) -> None:
    """Names are joined by commas; ``all`` is both feeds."""
    assert parse_query([("types", text)]).wants.types == expected


def test_pairs_and_position() -> None:
    """A full query."""
    query = parse_query([("pairs", "B-ETH_USDT,B-BTC_USDT"), ("since", "12"), ("epoch", "20260101T000000-0badcafe")])
    assert query.wants.pairs == {"B-ETH_USDT", "B-BTC_USDT"}
    assert (query.since, query.epoch) == (12, "20260101T000000-0badcafe")
    assert parse_query([("since", "earliest")]).since == "earliest"
    assert parse_query([("since", "0"), ("epoch", "E")]).since == 0


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("types", "orders")], "types: expected some of order, position"),
        ([("types", "")], "types: .* was \\(empty\\)"),
        ([("types", "order,")], "types: .* was \\(empty\\)"),
        ([("types", "Order")], "types: .* was Order"),
        ([("types", "order;DROP TABLE")], "types: .* was order;DROP TABLE"),
        ([("types", "__proto__")], "types: "),
        ([("pairs", "BTCUSDT")], "pairs: expected pairs like B-BTC_USDT, .* was BTCUSDT"),
        ([("pairs", "")], "pairs: "),
        ([("pairs", ",".join(["B-A_B"] * 201))], "pairs: expected at most 200"),
        ([("since", "5")], "since: expected epoch"),
        ([("since", "-1"), ("epoch", "E")], "since: expected a seq"),
        ([("since", "1e3"), ("epoch", "E")], "since: expected a seq"),
        ([("since", "\u0665"), ("epoch", "E")], "since: expected a seq"),
        ([("since", "9" * 400), ("epoch", "E")], "since: expected a seq"),
        ([("since", ""), ("epoch", "E")], "since: expected a seq .* was \\(empty\\)"),
        ([("since", "latest")], "since: expected a seq"),
        ([("epoch", "E")], "epoch: expected together with since"),
        ([("since", "earliest"), ("epoch", "E")], "epoch: expected together with since=SEQ"),
        ([("since", "5"), ("epoch", "")], "epoch: expected the epoch of a greeting"),
        ([("since", "5"), ("epoch", "E" * 65)], "epoch: expected the epoch"),
        ([("since", "5"), ("epoch", "a\nb")], "epoch: expected the epoch"),
        ([("limit", "5")], "expected only types, pairs, sides, .*, since, epoch in the address, was limit"),
        ([("sides", "long")], "sides: expected some of buy, sell, was 'long'"),
        ([("sides", "\u202e")], "sides: "),
        ([("text", "x" * 201)], "text: expected at most 200 characters"),
        ([("price_min", "1_000")], "price_min: expected a plain number"),
        ([("price_min", "9" * 5000)], "price_min: expected a plain number"),
        ([("price_min", "2"), ("price_max", "1")], "price range: "),
        ([("statuses", ",".join("x" * 201))], "statuses: expected at most 200 values"),
        ([("types", "order"), ("types", "fill")], "types: expected once, was twice"),
    ],
)
def test_T10_anything_else_is_one_clear_line(items: list[tuple[str, str]], expected: str) -> None:
    """Parameter, what was expected, what came; one printable line."""
    with pytest.raises(BadRequest, match=expected) as caught:
        parse_query(items)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", ["token", "access_token", "TOKEN", "auth", "key", "unheard_of"])
def test_T04_values_of_foreign_parameters_are_never_repeated(name: str) -> None:
    """They may be secrets that landed in the address by mistake."""
    with pytest.raises(BadRequest) as caught:
        parse_query([(name, "canary-9f3c1b7a5e2d4860")])
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "pair", "passes"),
    [
        ("order", "B-BTC_USDT", True),
        ("order", "B-ETH_USDT", False),
        ("position", "B-ETH_USDT", False),
        ("balance", "USDT", True),
        ("system", None, True),
        ("ledger", None, True),
        ("price", None, True),
        ("trade", "B-ETH_USDT", False),
    ],
)
def test_pairs_filter_only_types_that_have_a_pair(kind: str, pair: str | None, passes: bool) -> None:
    """A balance's currency and a message about nothing in particular are not pairs."""
    wants = parse_query([("types", "all"), ("pairs", "B-BTC_USDT")]).wants
    assert wants.passes(kind, pair) is passes


def test_parts_of_the_pages_filter_make_one_filter() -> None:
    """In whatever order and case: clients that ask for the same are served together."""
    one = parse_query(
        [("sides", "buy,sell"), ("statuses", "open,filled"), ("text", "ETH  Limit"), ("price_min", "1.0")]
    )
    two = parse_query([("price_min", "1"), ("text", "eth limit"), ("statuses", "filled,open"), ("sides", "sell,buy")])
    assert one == two
    assert hash(one.wants) == hash(two.wants)
    assert one.wants.only is not None
    assert parse_query([("sides", ""), ("text", " "), ("price_max", "")]).wants == Wants()


def test_sql_in_a_text_is_a_text() -> None:
    """T10: nothing is built from it; it is looked for as it stands."""
    wants = parse_query([("text", "'; DROP TABLE events; --"), ("statuses", "x' OR '1'='1")]).wants
    assert wants.only == EventFilter(statuses=("x' OR '1'='1",), text="'; drop table events; --")


@given(st.lists(st.tuples(st.sampled_from((*NAMES, "limit", "__proto__")), st.text(max_size=300)), max_size=6))
def test_T10_generated_parameters_are_understood_or_one_clear_line(items: list[tuple[str, str]]) -> None:
    """Nothing but the one kind of error escapes, and what passes can be hashed and named."""
    try:
        wants = parse_query(items).wants
    except BadRequest as problem:
        line = str(problem)
        assert line.isprintable()
        assert len(line) < 300
    else:
        assert hash(wants) == hash(Wants(*wants))
        assert msgspec.json.encode(wants.to_mapping())


def test_wants_know_which_feeds_they_touch() -> None:
    """The fan-out skips what nobody asked for."""
    market = parse_query([("types", "trade")]).wants
    assert (market.is_account, market.is_market, market.is_whole_account) == (False, True, False)
    assert parse_query([]).wants.is_whole_account
    assert parse_query([("types", "all")]).wants.is_whole_account
    assert not parse_query([("pairs", "B-BTC_USDT")]).wants.is_whole_account
    assert not parse_query([("sides", "buy")]).wants.is_whole_account
    assert not market.passes("order", None)
