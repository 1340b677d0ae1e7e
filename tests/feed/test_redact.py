"""Made-up identifiers: same form, stable, different per key, nothing else touched."""

import json
import re

import msgspec
import pytest
from fakes.frames import rows
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.errors import UnknownShape
from coindcx_feed.feed.redact import Redactor

KEY = b"k" * 32
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ORDER_ID = "15515154-aae3-4535-a47f-8caad551a62d"


def test_identifiers_are_replaced_and_nothing_else() -> None:
    """By name, in lists, in objects, as numbers; blanks and order stay."""
    text = (
        '{ "id":"%s",\n "user_id" : 70012, "userId":"Ab-9", "group_id":null, "order_ids":["a1",["b2"]],"price":2500.10}'
    )
    new = Redactor(KEY).redact(text % ORDER_ID)
    before, after = json.loads(text % ORDER_ID), json.loads(new)
    assert len(new) == len(text % ORDER_ID)
    assert new.endswith('"price":2500.10}')
    assert UUID.fullmatch(after["id"])
    assert re.fullmatch(r"[A-Z][a-z]-\d", after["userId"])
    assert 10_000 <= after["user_id"] <= 99_999
    assert after["group_id"] is None
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"id", "user_id", "userId", "order_ids"}
    assert list(before) == list(after)


def test_uuid_in_any_text_or_name_is_replaced_by_the_same_one() -> None:
    """A message that names the order still names it."""
    new = json.loads(
        Redactor(KEY).redact(json.dumps({"id": ORDER_ID, "display_message": f"order {ORDER_ID} placed", ORDER_ID: 1}))
    )
    assert new["display_message"] == f"order {new['id']} placed"
    assert new["id"] in new
    assert new["id"] != ORDER_ID


def test_replacement_is_stable_within_a_recording_and_different_in_the_next() -> None:
    """The key decides."""
    assert Redactor(KEY).made_up(ORDER_ID) == Redactor(KEY).made_up(ORDER_ID)
    assert Redactor(KEY).made_up(ORDER_ID) != Redactor(b"other" * 6).made_up(ORDER_ID)


@pytest.mark.parametrize("form", ["{:02d}", "{:02d}-Zz", "bot {:02d}"])
def test_short_identifiers_do_not_fall_together(form: str) -> None:
    """A permutation of all texts of the form: there are as many as before, and none is of another form."""
    redactor = Redactor(KEY)
    found = {redactor.made_up(form.format(number)) for number in range(100)}
    assert len(found) == 100
    pattern = re.sub("[a-z]", "[a-z]", re.sub("[A-Z]", "[A-Z]", form)).replace("{:02[a-z]}", r"\d\d")
    assert all(re.fullmatch(pattern, new) for new in found), pattern


def test_numbers_stay_numbers_of_the_same_length_and_do_not_fall_together() -> None:
    """No leading zero, no two the same."""
    redactor = Redactor(KEY)
    found = [json.loads(redactor.redact(f'{{"id":{number}}}'))["id"] for number in range(10, 100)]
    assert sorted(found) == list(range(10, 100))
    assert json.loads(redactor.redact('{"id":0,"uid":-5.5}')) == {"id": 0, "uid": -5.5}


@given(st.text(max_size=60))
def test_any_text_is_an_identifier_of_the_same_length(value: str) -> None:
    """Also with quotes, line ends and other scripts in it."""
    new = json.loads(Redactor(KEY).redact(json.dumps({"client_order_id": value}, ensure_ascii=False)))
    assert len(new["client_order_id"]) == len(value)


def test_text_that_is_no_json_is_refused() -> None:
    """Its identifiers cannot be told apart: it must not be recorded."""
    for text in (f'{{"id":"{ORDER_ID}', "", "[1", "{'id': 1}", "[" * 100_000):
        with pytest.raises(UnknownShape):
            Redactor(KEY).redact(text)


def test_every_account_fixture_keeps_all_but_its_identifiers() -> None:
    """Recorded and constructed frames: amounts, statuses, times and names are untouched."""
    redactor = Redactor(KEY)
    for row in rows("ws/df-*.jsonl", "ws/balance*.jsonl", "scenarios/limit*.jsonl", "scenarios/tpsl*.jsonl"):
        text = row["data"]
        new = redactor.redact(text)
        assert len(new) == len(text)
        for before, after in zip(msgspec.json.decode(text), msgspec.json.decode(new), strict=True):
            for name, value in before.items():
                assert (after[name] == value) is (value is None or not name.endswith("id")), name
