"""The filter against a loop over dictionaries, and its one-line answers to nonsense."""

from decimal import Decimal
from typing import Any

import pytest
from analysis.helpers import new_event, new_ring
from fakes.frames import balance, order, position
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.filters import MAX_TEXT, MAX_VALUES, EventFilter
from coindcx_feed.errors import BadRequest
from coindcx_feed.feed.columns import Looked
from coindcx_feed.feed.ring import Ring

PAIRS = ("B-BTC_USDT", "B-ETH_USDT", "B-SOL_USDT")
SIDES = ("buy", "sell")
STATUSES = ("open", "filled", "Weird, new")
MESSAGES = (None, "ETH limit buy order placed!", "İstanbul FILLED", "x")
PRICES = ("0", "0.1", "0.3", "2900.50", "64443.1", "8.893e-05")

Made = tuple[str, dict[str, Any]]


def _order(seq: int, pair: str, side: str, status: str, price: str, message: str | None) -> Made:
    fields = {"pair": pair, "side": side, "status": status, "display_message": message, "updated_at": seq}
    return "order", order(f"O-{seq}", price=float(price), **fields)


@st.composite
def records(draw: st.DrawFn) -> list[Made]:
    """Orders, positions and balances in any mix."""
    made: list[Made] = []
    for seq in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from(("order", "order", "position", "balance")))
        pair = draw(st.sampled_from(PAIRS))
        if kind == "order":
            texts = (draw(st.sampled_from(values)) for values in (SIDES, STATUSES, PRICES, MESSAGES))
            side, status, price, message = texts
            made.append(_order(seq, pair, str(side), str(status), str(price), message))
        elif kind == "position":
            price = draw(st.sampled_from(PRICES))
            made.append(("position", position(f"P-{seq}", pair=pair, avg_price=float(price))))
        else:
            made.append(("balance", balance(f"W-{seq}")))
    return made


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from((*values, "never seen")), max_size=3)


CRITERIA = st.fixed_dictionaries(
    {},
    optional={
        "types": st.lists(st.sampled_from(("order", "position", "balance", "system")), max_size=3),
        "pairs": some(PAIRS),
        "sides": st.lists(st.sampled_from(SIDES), max_size=2),
        "statuses": some(STATUSES),
        "text": st.sampled_from(("", "ORDER eth", "o-1", "filled", "x", "w- 2", "i̇stanbul")),
        "price_min": st.sampled_from(PRICES),
        "price_max": st.just("64443.1"),
    },
)


def naive(made: Made, criteria: dict[str, Any]) -> bool:
    """Say the same as the filter, slowly and one record at a time."""
    kind, record = made
    price = record.get("price") if kind == "order" else record.get("avg_price") or None
    searched = f"{record['id']}\n{record.get('display_message') or ''}".lower()
    lists = (
        (criteria.get("types"), kind),
        (criteria.get("pairs"), record.get("pair")),
        (criteria.get("sides"), record.get("side")),
        (criteria.get("statuses"), record.get("status")),
    )
    if any(wanted and value not in wanted for wanted, value in lists):
        return False
    if any(word not in searched for word in criteria.get("text", "").lower().split()):
        return False
    low, high = criteria.get("price_min"), criteria.get("price_max")
    if (low or high) and price is None:
        return False
    return (not low or Decimal(str(price)) >= Decimal(low)) and (not high or Decimal(str(price)) <= Decimal(high))


def matching(ring: Ring, wanted: EventFilter) -> list[int]:
    found: list[int] = ring.numbers(wanted.column_test(), wanted.text_test()).tolist()
    return found


@given(records(), CRITERIA)
def test_filter_equals_a_loop(made: list[Made], criteria: dict[str, Any]) -> None:
    """Any combination of parts finds exactly the events that a loop over the records finds."""
    wanted = EventFilter.from_mapping(criteria)
    expected = [seq for seq, one in enumerate(made, 1) if naive(one, criteria)]
    assert matching(new_ring(*made), wanted) == expected


@given(records(), CRITERIA)
def test_one_event_passes_alone_as_it_does_in_columns(made: list[Made], criteria: dict[str, Any]) -> None:
    """The sidecar tests events one by one, pages by columns: the same ones pass, kept in the ring or not."""
    wanted = EventFilter.from_mapping({name: part for name, part in criteria.items() if name not in ("types", "pairs")})
    test = wanted.row_test() or (lambda looked: True)
    ring = new_ring(*made)
    assert [seq for seq, one in enumerate(ring.looked_since(0, 100), 1) if test(one)] == matching(ring, wanted)
    events = [new_event(seq, kind, record) for seq, (kind, record) in enumerate(made, 1)]
    assert [event.seq for event in events if test(Looked.of(event.facts))] == matching(ring, wanted)


@given(CRITERIA)
def test_mapping_round_trip(criteria: dict[str, Any]) -> None:
    """A filter survives an address: what was written is read back as the same filter."""
    wanted = EventFilter.from_mapping(criteria)
    assert EventFilter.from_mapping(wanted.to_mapping()) == wanted


def test_an_empty_filter_asks_for_nothing() -> None:
    """No criteria, empty lists and blank texts pass everything and cost no pass over the columns."""
    blank: dict[str, object] = {"types": [], "pairs": None, "text": "  ", "price_min": "", "price_max": None}
    for criteria in ({}, blank):
        wanted = EventFilter.from_mapping(criteria)
        assert (wanted.column_test(), wanted.text_test()) == (None, None)
        assert (wanted.to_mapping(), wanted.describe()) == ({}, "all events")


def test_price_range_is_inclusive() -> None:
    """Both ends belong to the range, also where binary floats are not exact."""
    ring = new_ring(*(_order(seq, PAIRS[0], "buy", "open", price, None) for seq, price in enumerate(PRICES)))
    assert matching(ring, EventFilter.from_mapping({"price_min": "0.1", "price_max": "0.3"})) == [2, 3]
    assert matching(ring, EventFilter.from_mapping({"price_min": "2900.5"})) == [4, 5]
    assert matching(ring, EventFilter.from_mapping({"price_max": Decimal("0.00008893")})) == [1, 6]


def test_lists_may_come_as_text() -> None:
    """An address carries a list as one text with commas."""
    wanted = EventFilter.from_mapping({"types": "order, position", "pairs": "B-BTC_USDT"})
    assert wanted.types == ("order", "position")
    assert wanted.pairs == ("B-BTC_USDT",)


def test_description_is_one_line() -> None:
    """The head of a table says what is shown."""
    criteria = {"types": ["order"], "pairs": ["B-ETH_USDT"], "sides": ["buy"], "text": "filled", "price_min": "1E+2"}
    assert EventFilter.from_mapping(criteria).describe() == "order · B-ETH_USDT · buy · text 'filled' · price from 100"
    between = EventFilter.from_mapping({"price_min": "1.50", "price_max": "2"})
    assert between.describe() == "price 1.50 to 2"
    assert EventFilter.from_mapping({"price_max": "2"}).describe() == "price up to 2"


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"type": ["order"]}, "filter: expected only types, pairs, sides, statuses, text, price_min, price_max, was"),
        ({"types": ["orders"]}, "types: expected some of order, position, balance, fill, ledger, system, was 'orders'"),
        ({"sides": ["long"]}, "sides: expected some of buy, sell, was 'long'"),
        ({"pairs": [1]}, r"pairs: expected a list of texts, was \[1\]"),
        ({"statuses": {"a": 1}}, "statuses: expected a list of texts, was"),
        ({"pairs": ["x"] * (MAX_VALUES + 1)}, f"pairs: expected at most {MAX_VALUES} values, was {MAX_VALUES + 1}"),
        ({"text": 5}, "text: expected words to search for, was 5"),
        ({"text": "x" * (MAX_TEXT + 1)}, f"text: expected at most {MAX_TEXT} characters, was {MAX_TEXT + 1}"),
        ({"price_min": "2,900"}, "price_min: expected a plain number such as 2887.60, was '2,900'"),
        ({"price_max": "nan"}, "price_max: expected a plain number such as 2887.60, was 'nan'"),
        ({"price_max": "-Infinity"}, "price_max: expected a plain number"),
        ({"price_max": "1e999999999"}, "price_max: expected a plain number"),
        ({"price_max": "٣"}, "price_max: expected a plain number"),
        ({"price_max": "1_000"}, "price_max: expected a plain number"),
        ({"price_min": True}, "price_min: expected a plain number"),
        ({"price_min": "2", "price_max": "1"}, "price range: expected price_min up to price_max, was 2 to 1: swap"),
    ],
)
def test_nonsense_is_one_clear_line(criteria: dict[str, object], message: str) -> None:
    """What was expected, what came and, where it helps, what to do."""
    with pytest.raises(BadRequest, match=f"^{message}") as caught:
        EventFilter.from_mapping(criteria)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
