"""The History page through the entry: counts before rows, pages, details, and what it says without a log."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of, opened
from ui.fake_past import FakePast
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.errors import BadRequest, StoreGone


def _run(service: FakeService, **query: str) -> AppTest:
    return opened("history", service, **query)


def test_matches_are_counted_and_shown_newest_first() -> None:
    """All matches are counted; 500 rows are sent."""
    test = _run(FakeService(events=1_200))
    assert not test.exception
    assert "1,200" in nodes_of(test)
    assert len(test.dataframe[0].value) == 500
    assert test.dataframe[0].value["time"].is_monotonic_decreasing


def test_older_and_newer_turn_pages() -> None:
    """The next page begins after the last row of this one; Newest goes back at once."""
    test = _run(FakeService(events=1_200))
    first = test.dataframe[0].value["time"].iloc[-1]
    test.button(key="past-older").click().run()
    assert test.dataframe[0].value["time"].iloc[0] < first
    assert "501 to 1,000" in nodes_of(test)
    test.button(key="past-older").click().run()
    assert len(test.dataframe[0].value) == 200
    test.button(key="past-newer").click().run()
    assert "501 to 1,000" in nodes_of(test)
    test.button(key="past-newest").click().run()
    assert "1 to 500" in nodes_of(test)


def test_another_filter_begins_at_the_newest_again() -> None:
    """A page of the filter before is no place in this one."""
    test = _run(FakeService(events=1_200))
    test.button(key="past-older").click().run()
    test.segmented_control(key="sides").set_value(["sell"]).run()
    assert "1 to " in nodes_of(test)


def test_range_and_filter_come_from_the_address() -> None:
    """A shared link asks the log for the same."""
    service = FakeService(events=50)
    test = _run(service, span="Custom", **{"from": "2026-11-20T10:00Z", "to": "2026-11-21T10:30Z"})
    test.text_input(key="q").set_value("filled").run()
    asked = service.past.asked[-1]
    assert asked["range"] == (1_795_168_800_000.0, 1_795_257_000_000.0)
    assert asked["criteria"]["text"] == "filled"


def test_chosen_event_shows_its_details() -> None:
    """Details come from the log, also of an event that memory has forgotten."""
    test = _run(FakeService(events=60))
    test.session_state["seq"] = 37
    test.run()
    assert not test.exception
    assert "seq 37" in nodes_of(test)


def test_details_open_as_a_drawer_on_wish() -> None:
    """The whole width then belongs to the table."""
    test = _run(FakeService(events=60), details="drawer")
    assert "price" in test.dataframe[0].value
    test.session_state["seq"] = 37
    test.run()
    assert test.get("dialog")


def test_without_a_log_the_page_says_what_to_do() -> None:
    """Events live in memory only."""
    service = FakeService()
    service.past = FakePast(service, is_kept=False)
    test = _run(service)
    assert "There is no durable log" in nodes_of(test)
    assert not test.dataframe


def test_follower_has_no_log_and_says_where_it_is() -> None:
    """No setting would help."""
    service = FakeService(following={"address": "ws://127.0.0.1:8000", "owner": None, "is_up": True, "serves": True})
    service.past = FakePast(service, is_kept=False)
    text = nodes_of(_run(service))
    assert "follows another process" in text
    assert "COINDCX_STORE_URL" not in text


def test_an_empty_log_is_not_an_error() -> None:
    """The first event starts it."""
    assert "The log is empty" in nodes_of(_run(FakeService(events=0)))


@pytest.mark.parametrize(
    "error", [StoreGone("read the log: expected the file, was gone"), BadRequest("range: expected an end after <b>")]
)
def test_what_cannot_be_answered_is_one_line(error: Any) -> None:
    """A log that is gone, or a range that ends before it starts: words as text, no traceback, no table."""
    service = FakeService()
    service.past = FakePast(service, error)
    test = _run(service)
    assert not test.exception
    assert str(error) in test.code[0].value
    assert not test.dataframe


def test_nothing_in_the_range_and_nothing_by_the_filter_differ() -> None:
    """The way out of a filter is beside the words."""
    test = _run(FakeService(events=50))
    test.text_input(key="q").set_value("nowhere").run()
    assert "No event matches" in nodes_of(test)
    test.button(key="past-clear").click().run()
    assert len(test.dataframe[0].value) == 50


def test_T13_hostile_texts_of_the_past_are_never_parsed() -> None:
    """Tables get pairs and messages as text."""
    test = _run(FakeService(events=50, text=HOSTILE))
    assert not test.exception
    parsed = [*test.markdown, *test.caption, *test.warning, *test.info]
    assert not [element for element in parsed if "evil" in str(element.value)]


def test_too_many_for_a_download_name_the_command() -> None:
    """The server would have to hold the file: the command line writes it a slice at a time."""
    service = FakeService(events=50)
    service.past.count = lambda *_, **__: {"matching": 1_000_000, "newest": 50}  # type: ignore[method-assign]
    test = _run(service, span="All")
    test.segmented_control(key="types").set_value(["order"]).run()
    assert [block.value for block in test.code] == ["coindcx-feed export --types order"]
    assert json.dumps("1,000,000")[1:-1] in nodes_of(test)
