"""Numbers inside the records and the list of what was emitted."""

from typing import Any

import msgspec
import pytest

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.emissions import Emissions
from coindcx_feed.simulator.jstext import socket_text

ORDER = {"id": "a", "status": "open", "updated_at": 7}
BALANCE = {"id": "w", "balance": "1"}


def numbers(data: str) -> list[Any]:
    return [row.get("x_number") for row in msgspec.json.decode(data)]


@pytest.fixture
def emissions() -> Emissions:
    """With numbers."""
    return Emissions(Behaviour(numbered=True))


def test_each_record_counts_up(emissions: Emissions) -> None:
    """Through all events, several records in a frame included; the rest of the record is untouched."""
    first = emissions.number(wire.ORDER_EVENT, socket_text([ORDER, ORDER | {"id": "b"}]))
    second = emissions.number(wire.POSITION_EVENT, socket_text([{"id": "p", "updated_at": 7}]))
    assert (numbers(first), numbers(second)) == ([1, 2], [3])
    assert first.startswith('[{"id":"a","status":"open","updated_at":7,"x_number":1},')


def test_repetition_keeps_its_number(emissions: Emissions) -> None:
    """The same text with the same time is the same record; another time is another one."""
    data = [emissions.number(wire.ORDER_EVENT, socket_text([ORDER | {"updated_at": at}])) for at in (7, 7, 8)]
    assert [numbers(text) for text in data] == [[1], [1], [2]]


def test_balance_is_new_each_time(emissions: Emissions) -> None:
    """It has no time to be told by: A, B, A are three records."""
    data = [emissions.number(wire.BALANCE_EVENT, socket_text([BALANCE | {"balance": b}])) for b in ("1", "2", "1")]
    assert [numbers(text) for text in data] == [[1], [2], [3]]


def test_number_that_is_there_stays(emissions: Emissions) -> None:
    """What was numbered earlier on its way, or by the test itself."""
    once = emissions.number(wire.BALANCE_EVENT, socket_text([BALANCE]))
    assert emissions.number(wire.BALANCE_EVENT, once) == once
    assert emissions.number(wire.ORDER_EVENT, '[{"x_number":99}]') == '[{"x_number":99}]'


@pytest.mark.parametrize("data", ["", "[", '[{"id":', "[1,2]", "null", '"x"', "[]"])
def test_malformed_data_passes_untouched(emissions: Emissions, data: str) -> None:
    """What a test breaks on purpose is not repaired, and has no records to list."""
    assert emissions.number(wire.ORDER_EVENT, data) == data
    emissions.note(wire.ORDER_EVENT, data, "delivered")
    assert emissions.rows == []


def test_empty_object_and_single_object(emissions: Emissions) -> None:
    """Both become a list of one, with a number."""
    assert emissions.number(wire.ORDER_EVENT, "[{}]") == '[{"x_number":1}]'
    assert emissions.number(wire.ORDER_EVENT, '{"id":"a"}') == '[{"id":"a","x_number":2}]'


def test_list_says_what_became_of_each_record(emissions: Emissions) -> None:
    """Number, event, id, time, fate and text; a delivered one is told from a lost one."""
    data = emissions.number(wire.ORDER_EVENT, socket_text([ORDER]))
    emissions.note(wire.ORDER_EVENT, data, "delivered")
    emissions.note("order-update", data, "dropped")
    first, second = emissions.rows
    assert (first.number, first.event, first.id, first.updated_at) == (1, wire.ORDER_EVENT, "a", 7)
    assert (first.is_delivered, second.is_delivered, second.fate, second.number) == (True, False, "dropped", 1)
    assert msgspec.json.decode(first.text) == ORDER | {"x_number": 1}
    assert first.mono_s <= second.mono_s


def test_list_without_numbers() -> None:
    """``listed`` alone leaves the records as they are."""
    emissions = Emissions(Behaviour(listed=True))
    data = socket_text([BALANCE])
    assert emissions.number(wire.BALANCE_EVENT, data) == data
    emissions.note(wire.BALANCE_EVENT, data, "nobody")
    assert [(row.number, row.id, row.updated_at) for row in emissions.rows] == [(None, "w", None)]


@pytest.mark.parametrize(
    ("behaviour", "event"), [(Behaviour(), wire.ORDER_EVENT), (Behaviour(numbered=True), "new-trade")]
)
def test_nothing_is_numbered_or_listed_unasked(behaviour: Behaviour, event: str) -> None:
    """By default, and never for market data."""
    emissions, data = Emissions(behaviour), socket_text([ORDER])
    assert emissions.number(event, data) == data
    emissions.note(event, data, "delivered")
    assert emissions.rows == []


def test_memory_of_texts_is_bounded(emissions: Emissions, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repetition that comes too late gets a new number."""
    monkeypatch.setattr("coindcx_feed.simulator.emissions._REMEMBERED", 3)
    for at in range(5):
        emissions.number(wire.ORDER_EVENT, socket_text([ORDER | {"updated_at": at}]))
    assert numbers(emissions.number(wire.ORDER_EVENT, socket_text([ORDER | {"updated_at": 4}]))) == [5]
    assert numbers(emissions.number(wire.ORDER_EVENT, socket_text([ORDER | {"updated_at": 0}]))) == [6]
