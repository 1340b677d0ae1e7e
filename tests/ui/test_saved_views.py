"""Saved views as a browser keeps them: whatever it answers, the filters hold only what they offer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui.fake_service import HOSTILE

from coindcx_feed.ui import filters, saved_views

OPEN = {
    "types": ["order"],
    "sides": ["buy"],
    "pairs": ["B-ETH_USDT"],
    "statuses": ["open"],
    "q": "ab",
    "min": "2,900",
    "max": "",
}


def test_what_is_written_is_read_again() -> None:
    """Names and filters come back as they were; none is an empty text."""
    assert saved_views.parse(saved_views.written({"open ETH": OPEN})) == {"open ETH": OPEN}
    assert saved_views.written({}) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "none",
        "[]",
        "[" * 100_000,
        '{"a": 1}',
        '{"a": {"types": "order"}}',
        '{"a": {"unknown": []}}',
        '{"a": {"q": 1}}',
    ],
)
def test_what_is_not_understood_is_none(text: str) -> None:
    """Edited by hand, cut, or of another version: no view, no error."""
    assert saved_views.parse(text) == {}


def test_T13_views_are_bounded_and_offer_known_words_only() -> None:
    """Number, names, lists and texts have limits; a type or side that does not exist is left out."""
    many = {f"{HOSTILE}{number}": {"types": ["order", "x"], "sides": ["up"]} for number in range(100)}
    many = {"first": {"pairs": ["x" * 900] * 900, "q": "y" * 900}, " ": {}, **many}
    found = saved_views.parse(json.dumps(many))
    assert len(found) <= saved_views.MOST
    assert all(len(name) <= saved_views.MAX_NAME for name in found)
    assert len(found["first"]["pairs"]) == saved_views.MAX_VALUES
    assert {len(found["first"]["q"]), len(found["first"]["pairs"][0])} == {filters.MAX_TYPED}
    other = next(view for name, view in found.items() if name != "first")
    assert (other["types"], other["sides"]) == (["order"], [])


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    """A browser may answer anything."""
    assert isinstance(saved_views.parse(text), dict)
