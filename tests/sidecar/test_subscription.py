"""Messages that change a subscription, and what they make of it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from coindcx_feed.errors import BadRequest
from coindcx_feed.sidecar.contract import Subscription
from coindcx_feed.sidecar.protocol import parse_message
from coindcx_feed.sidecar.query import ACCOUNT_TYPES, MARKET_TYPES, NAMES, Query, Wants
from coindcx_feed.sidecar.subscription import ANSWERS, Change

ORDERS = Wants(frozenset({"order"}))
ETH, BTC = "B-ETH_USDT", "B-BTC_USDT"


def change(action: str, **parts: Any) -> Change:
    said = parse_message(msgspec.json.encode({"action": action, **parts}).decode())
    assert isinstance(said, Change)
    return said


@pytest.mark.parametrize(
    ("action", "parts", "types", "pairs"),
    [
        ("subscribe", {}, {"order"}, {ETH}),
        ("subscribe", {"types": ["fill", "trade"]}, {"order", "fill", "trade"}, {ETH}),
        ("subscribe", {"types": "fill,balance"}, {"order", "fill", "balance"}, {ETH}),
        ("subscribe", {"types": ["all"]}, ACCOUNT_TYPES | MARKET_TYPES, {ETH}),
        ("subscribe", {"pairs": [BTC]}, {"order"}, {ETH, BTC}),
        ("subscribe", {"pairs": None}, {"order"}, set()),
        ("unsubscribe", {"types": ["fill"]}, {"order"}, {ETH}),
        ("unsubscribe", {"types": ["all"]}, set(), {ETH}),
        ("unsubscribe", {}, {"order"}, {ETH}),
    ],
)
def test_types_and_pairs_are_added_and_removed(action: str, parts: dict[str, Any], types: Any, pairs: Any) -> None:
    """What is not named stays as it is."""
    assert change(action, **parts).applied(ORDERS._replace(pairs=frozenset({ETH}))) == Wants(types, frozenset(pairs))


def test_the_first_pairs_take_the_place_of_all() -> None:
    """As in the address: naming pairs is asking for these."""
    assert change("subscribe", pairs=[ETH]).applied(ORDERS).pairs == {ETH}


def test_parts_of_the_filter_are_set_and_cleared_one_by_one() -> None:
    """A list replaces a list, ``null`` takes it away, the others stay."""
    wants = change("subscribe", sides=["buy"], price_min="2887.60", text="ETH").applied(ORDERS)
    assert wants.to_mapping() == {
        "types": ["order"],
        "pairs": [],
        "sides": ["buy"],
        "statuses": [],
        "text": "eth",
        "price_min": "2887.60",
        "price_max": None,
    }
    wants = change("subscribe", sides=["sell"], price_min=None, price_max=3000.5).applied(wants)
    assert (wants.to_mapping()["sides"], wants.to_mapping()["price_max"]) == (["sell"], "3000.5")
    assert change("subscribe", sides=[], text=None, price_max=None).applied(wants) == ORDERS


def test_resume_names_a_place() -> None:
    """The words of the address, numbers as numbers or as text."""
    assert change("resume", since=5, epoch="E").position(ORDERS) == Query(ORDERS, 5, "E")
    assert change("resume", since="5", epoch="E").position(ORDERS) == Query(ORDERS, 5, "E")
    assert change("resume", since="earliest").position(ORDERS) == Query(ORDERS, "earliest", None)


@pytest.mark.parametrize(
    ("action", "parts", "expected"),
    [
        ("subscribe", {"type": "order"}, "subscribe: expected only types, pairs, .*, was type: leave it out"),
        ("subscribe", {"__proto__": {"admin": True}}, "subscribe: expected only .*, was __proto__"),
        ("subscribe", {"since": 5}, "subscribe: expected only .*, was since"),
        ("subscribe", {"types": None}, "types: expected a list of names"),
        ("subscribe", {"types": []}, "types: expected a list of names"),
        ("subscribe", {"types": [["order"]]}, "types: expected a list of names"),
        ("subscribe", {"types": ["order"] * 201}, "types: expected at most 200 names"),
        ("subscribe", {"types": ["orders"]}, "types: expected some of order, .*, was orders"),
        ("subscribe", {"pairs": ["BTC\n"]}, "pairs: expected pairs like"),
        ("subscribe", {"pairs": [f"B-A{n}_USDT" for n in range(200)]}, "pairs: expected at most 200, was 201"),
        ("subscribe", {"sides": {"a": [[[]]]}}, "sides: expected a list of texts"),
        ("subscribe", {"statuses": [1]}, "statuses: expected a list of texts"),
        ("subscribe", {"text": ["a"]}, "text: expected words"),
        ("subscribe", {"price_min": "2", "price_max": "1"}, "price range: "),
        ("subscribe", {"price_min": -1e300}, "price_min: expected a plain number"),
        ("unsubscribe", {"sides": ["buy"]}, "unsubscribe: expected only types, pairs, was sides"),
        ("unsubscribe", {"pairs": [ETH]}, "pairs: expected one to stay, was none"),
        ("resume", {}, "resume: expected since"),
        ("resume", {"since": 5}, "since: expected epoch"),
        ("resume", {"since": -5, "epoch": "E"}, "since: expected a seq or earliest, was -5"),
        ("resume", {"since": 10**25, "epoch": "E"}, "since: expected a seq or earliest"),
        ("resume", {"since": True, "epoch": "E"}, "since: expected a seq or earliest"),
        ("resume", {"since": 1.5, "epoch": "E"}, "since: expected a seq or earliest"),
        ("resume", {"since": 5, "epoch": 5}, "epoch: expected the epoch of a greeting"),
        ("resume", {"since": 5, "epoch": "E", "types": ["order"]}, "resume: expected only since, epoch, was types"),
    ],
)
def test_T10_a_change_that_is_not_understood_is_one_clear_line(
    action: str, parts: dict[str, Any], expected: str
) -> None:
    """What was expected, what came, what to do; nothing is changed."""
    wants = ORDERS._replace(pairs=frozenset({ETH}))
    with pytest.raises(BadRequest, match=f"^{expected}") as caught:
        served(action, parts, wants)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_pairs_cannot_be_taken_from_all() -> None:
    """It would need a list of all pairs there are."""
    with pytest.raises(BadRequest, match="pairs: expected some that were subscribed, was all pairs"):
        change("unsubscribe", pairs=[ETH]).applied(ORDERS)


def served(action: str, parts: dict[str, Any], wants: Wants) -> Wants:
    """Do what a session does with a message."""
    said = change(action, **parts)
    return said.position(wants).wants if action == "resume" else said.applied(wants)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=30) | st.just("order"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.dictionaries(st.sampled_from((*NAMES, "token", "__proto__", "type")), VALUES, max_size=5)


@given(st.sampled_from((*ANSWERS, "auth", "create_order")), MESSAGES)
def test_T10_generated_messages_are_understood_or_one_clear_line(action: str, message: dict[str, Any]) -> None:
    """Nothing but the one kind of error escapes; what is understood can be served and named."""
    try:
        said = parse_message(msgspec.json.encode(message | {"action": action}).decode())
        wants = Wants()
        if isinstance(said, Change):
            wants = said.position(Wants()).wants if said.action == "resume" else said.applied(Wants())
    except BadRequest as problem:
        line = str(problem)
        assert line.isprintable()
        assert len(line) < 300
    else:
        assert hash(wants) == hash(Wants(*wants))
        assert msgspec.json.encode(wants.to_mapping())


@pytest.mark.parametrize(
    "message",
    [
        {"text": "\u0130" * 100},
        {"price_min": "0." + "1" * 38},
        {"price_max": "9" * 40, "price_min": 1e-38},
        {"statuses": ["s" * 100] * 2, "sides": "buy", "pairs": ["B-BTC_USDT"]},
    ],
)
def test_what_was_understood_is_understood_again(message: dict[str, Any]) -> None:
    """The next change keeps the other parts of the filter as they are; the answer names them within the contract."""
    wants = change("subscribe", **message).applied(Wants())
    assert change("subscribe").applied(wants) == wants
    told = {**wants.to_mapping(), "seq": 0, "epoch": "E"}
    TypeAdapter(Subscription).validate_python(told)


@pytest.mark.parametrize(
    "message", [{"text": "\u0130" * 101}, {"price_min": "1e40"}, {"price_max": "1e-39"}, {"statuses": ["s" * 101]}]
)
def test_T10_what_would_not_be_understood_again_is_refused_at_once(message: dict[str, Any]) -> None:
    """It was taken and echoed, and then every later change of the subscription failed for it."""
    with pytest.raises(BadRequest, match=f"^{next(iter(message))}: expected "):
        change("subscribe", **message).applied(Wants())


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("utf-8", "replace")))
def test_T10_generated_texts_are_understood_or_one_clear_line(text: str) -> None:
    """Whatever a client sends."""
    line = ""
    try:
        parse_message(text)
    except BadRequest as problem:
        line = str(problem)
    assert line.isprintable()
