"""The pages in the past, through the entry: what the address names is shown, or why not."""

from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of, opened
from ui.fake_service import HOSTILE, ROOT, FakeService, install

from coindcx_feed.errors import StoreError
from coindcx_feed.ui import time_cursor

PAGES = ("orders", "positions", "balances")


def _at(test: AppTest) -> Any:
    found: Any = test.query_params.get("at")
    return found[0] if isinstance(found, list) else found


def _assert_whole(test: AppTest) -> None:
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("page", PAGES)
def test_page_shows_the_moment_of_the_address(page: str) -> None:
    """The past answers, the mark of the past is there, the status line of now is not."""
    service = FakeService()
    test = opened(page, service, at="30")
    _assert_whole(test)
    assert set(service.moments.asked) == {(page, 30)}
    shown = nodes_of(test)
    assert "PAST, NOT NOW" in shown
    assert "proof of life" not in shown
    assert '"since"' not in shown
    assert any("PAST" in element.proto.body for element in test.get("html"))


@pytest.mark.parametrize("page", PAGES)
def test_page_of_now_offers_to_look_back(page: str) -> None:
    """One press leads to the newest stored event; nothing of the past was asked before."""
    service = FakeService()
    test = opened(page, service)
    assert service.moments.asked == []
    test.button(key="look-back").click().run()
    _assert_whole(test)
    assert _at(test) == "40"
    assert "PAST, NOT NOW" in nodes_of(test)
    test.button(key="cursor-leave").click().run()
    assert _at(test) is None
    assert "PAST, NOT NOW" not in nodes_of(test)
    assert "proof of life" in nodes_of(test)


def test_T23_nothing_can_be_ordered_in_the_past() -> None:
    """Also in the demo: neither placed nor cancelled."""
    test = opened("orders", FakeService(), at="30")
    assert not [button for button in test.button if "order" in button.label.lower()]
    assert [button.key for button in opened("orders", FakeService()).button if "order" in button.label.lower()]


def test_results_without_a_mark_are_unknown() -> None:
    """A dash and the reason, not a zero; no rupees either."""
    shown = nodes_of(opened("positions", FakeService(), at="30"))
    assert "no mark stored of that time" in shown
    assert "INR at" not in shown


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("at", ["abc", "-1", "41", "9999999999999999999999", HOSTILE])
def test_T14_wrong_address_says_why_and_offers_the_nearest(page: str, at: str) -> None:
    """Neither the past nor now is shown under an address that means something else."""
    service = FakeService()
    test = opened(page, service, at=at)
    _assert_whole(test)
    assert "names no moment that can be shown" in nodes_of(test)
    assert service.moments.asked == []
    assert not test.dataframe
    test.button(key="cursor-nearest").click().run()
    assert _at(test) == "40"
    assert "PAST, NOT NOW" in nodes_of(test)


def test_without_a_log_the_past_is_refused_with_the_reason() -> None:
    """COINDCX_STORE_URL=none: the button says what to do, an old link leads back to now."""
    service = FakeService()
    service.moments.has_log = False
    assert opened("orders", service).button(key="look-back").disabled
    test = opened("orders", service, at="30")
    assert "no durable log" in nodes_of(test)
    test.button(key="cursor-leave").click().run()
    assert "proof of life" in nodes_of(test)


def test_steps_go_to_the_neighbours_and_end_at_the_ends() -> None:
    """Over what was lost; the address follows."""
    service = FakeService()
    service.moments.lost = {29, 28}
    test = opened("orders", service, at="30")
    test.button(key="cursor-before").click().run()
    assert _at(test) == "27"
    test.button(key="cursor-after").click().run()
    assert _at(test) == "30"
    assert opened("orders", service, at="40").button(key="cursor-after").disabled
    assert opened("orders", service, at="1").button(key="cursor-before").disabled


def test_slider_scrubs_the_stored_span() -> None:
    """One event per step; a lost one leads to that before it."""
    service = FakeService()
    service.moments.lost = {20}
    test = opened("positions", service, at="30")
    slider = test.slider(key="cursor-seq")
    assert (slider.min, slider.max, slider.step, slider.value) == (1, 40, 1, 30)
    slider.set_value(20).run()
    _assert_whole(test)
    assert _at(test) == "19"
    assert test.slider(key="cursor-seq").value == 19


def test_slider_stays_while_events_come() -> None:
    """Nothing moves under the thumb; what is newer is one step beyond."""
    service = FakeService()
    test = opened("orders", service, at="30")
    service.count = 60
    test.slider(key="cursor-seq").set_value(40).run()
    assert test.slider(key="cursor-seq").max == 40
    test.button(key="cursor-after").click().run()
    assert _at(test) == "41"
    assert test.slider(key="cursor-seq").max == 60


def test_reach_narrows_the_slider() -> None:
    """Of a long log a pixel is many events."""
    test = opened("orders", FakeService(events=5_000), at="3000")
    test.segmented_control(key="cursor-reach").set_value("±50").run()
    slider = test.slider(key="cursor-seq")
    assert (slider.min, slider.max, slider.value) == (2_950, 3_050, 3_000)
    slider.set_value(3_010).run()
    assert (test.slider(key="cursor-seq").min, _at(test)) == (2_950, "3010")


def test_bounds_stay_until_the_moment_leaves_them() -> None:
    """Or what they began with was removed."""
    moment = {"seq": 500, "first_seq": 1, "newest_seq": 1_000}
    assert time_cursor.bounds(moment, 0, None) == (1, 1_000)
    assert time_cursor.bounds(moment, 50, ("±50", 480, 580)) == (480, 580)
    assert time_cursor.bounds(moment, 50, ("±50", 100, 200)) == (450, 550)
    assert time_cursor.bounds(moment, 50, ("All", 1, 1_000)) == (450, 550)
    assert time_cursor.bounds(moment | {"first_seq": 400}, 0, ("All", 1, 900)) == (400, 900)


def test_time_leads_to_the_last_event_up_to_it() -> None:
    """And says so; the field is empty again."""
    service = FakeService()
    test = opened("balances", service, at="30")
    at_ms = service.row(25)["received_ms"] + 300
    typed = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
    test.text_input(key="cursor-time").set_value(typed).run()
    _assert_whole(test)
    assert _at(test) == "25"
    assert "The last event up to" in nodes_of(test)
    assert test.text_input(key="cursor-time").value == ""
    test.text_input(key="cursor-time").set_value("2001-01-01 00:00").run()
    assert _at(test) == "1"
    assert "Nothing is stored from before" in nodes_of(test)


def test_T14_time_that_is_none_changes_nothing_and_is_said() -> None:
    """What was expected, what was typed."""
    test = opened("orders", FakeService(), at="30")
    test.text_input(key="cursor-time").set_value("noonish").run()
    assert _at(test) == "30"
    assert "Expected a time like 14:02:11" in nodes_of(test)


def test_moment_goes_along_to_other_pages() -> None:
    """The navigation empties the address; the moment stays until the reader goes back to now."""
    test = opened("orders", FakeService(), at="30")
    del test.query_params["at"]
    test.switch_page("pages/positions.py").run()
    _assert_whole(test)
    assert _at(test) == "30"
    assert "PAST, NOT NOW" in nodes_of(test)
    test.button(key="cursor-leave").click().run()
    test.switch_page("pages/balances.py").run()
    assert "PAST, NOT NOW" not in nodes_of(test)


def test_order_that_was_not_known_then_is_said() -> None:
    """The one that was chosen now."""
    service = FakeService()
    service.moments.order_at = lambda order_id, seq: None  # type: ignore[method-assign]
    assert "was not known then" in nodes_of(opened("orders", service, at="30"))


def test_log_that_cannot_be_read_leaves_the_page_of_now_whole() -> None:
    """The way into the past is closed, nothing else."""
    service = FakeService()

    def broken() -> None:
        raise StoreError("the log's file is gone")

    service.moments.span = broken  # type: ignore[method-assign]
    test = opened("orders", service)
    _assert_whole(test)
    assert test.button(key="look-back").disabled


def test_event_leads_to_its_moment() -> None:
    """From the details: to the page of its kind; not when the log does not hold it."""
    service = FakeService()
    install(service)
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    test.session_state["seq"] = 38
    test.run()
    (link,) = test.get("page_link")
    assert (link.proto.label, link.proto.query_string) == ("Show positions at this moment", "at=38")
    service.moments.first = 39
    test.run()
    assert not test.get("page_link")
