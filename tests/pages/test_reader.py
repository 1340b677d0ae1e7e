"""The reader's choices on every page: zone of times and grouping of rupees, from the address and from the browser."""

import pytest
from pages.test_pages import PAGES, _assert_whole
from streamlit.testing.v1 import AppTest
from ui.entry import component_data, nodes_of, opened
from ui.fake_service import FakeService

from coindcx_feed.ui import reader


def _named(test: AppTest, name: str) -> str:
    found = test.query_params[name]
    return found if isinstance(found, str) else found[0]


@pytest.mark.parametrize("page", ["events", "orders", "positions", "balances", "feed"])
@pytest.mark.parametrize(("zone", "name"), [("ist", "times in IST (UTC+05:30)"), ("utc", "times in UTC")])
def test_zone_of_the_address_is_the_zone_of_the_page(page: str, zone: str, name: str) -> None:
    """A shared link shows the same times."""
    test = opened(page, FakeService(), zone=zone)
    test.query_params["zone"] = zone
    test.run()
    _assert_whole(test)
    assert name in nodes_of(test)


@pytest.mark.parametrize("page", PAGES)
def test_choices_are_offered_on_every_page(page: str) -> None:
    """One button, both choices behind it."""
    test = opened(page, FakeService())
    _assert_whole(test)
    assert [test.segmented_control(key=f"choice-{name}").value for name in reader.CHOICES] == ["browser", "thousands"]


def test_rupees_are_grouped_in_lakh_and_crore_if_chosen() -> None:
    """Those in INR only; the address says so and goes along to the next page."""
    test = opened("balances", FakeService())
    assert "1,650,841.59" in nodes_of(test)
    test.segmented_control(key="choice-grouping").set_value("indian").run()
    assert "16,50,841.59" in nodes_of(test)
    assert "72,303.71 INR" in nodes_of(test)
    assert _named(test, "grouping") == "indian"
    test.switch_page("pages/positions.py").run()
    _assert_whole(test)
    assert _named(test, "grouping") == "indian"
    test.segmented_control(key="choice-grouping").set_value("thousands").run()
    assert "grouping" not in test.query_params


def _written(test: AppTest) -> dict[str, str]:
    (write,) = [data["write"] for data in component_data(test) if data.get("name") == reader.SLOT]
    found: dict[str, str] = write
    return found


def test_what_a_browser_is_to_keep_is_told_with_every_run() -> None:
    """One run may be dropped for the next; by its name the browser knows what it has written already."""
    test = opened("feed", FakeService())
    test.segmented_control(key="choice-zone").set_value("utc").run()
    first = _written(test)
    assert first["text"] == "utc thousands"
    assert _written(test.run()) == first
    test.segmented_control(key="choice-zone").set_value("ist").run()
    assert _written(test)["text"] == "ist thousands"
    assert _written(test)["id"] != first["id"]


def test_browser_recalls_what_the_address_does_not_say() -> None:
    """The address goes before what was kept, and nothing unknown is taken over."""
    test = opened("feed", FakeService())
    assert '"is_wanted": true' in nodes_of(test) or '"is_wanted":true' in nodes_of(test)
    test.session_state["reader-zone"] = "utc"
    test.run()
    assert "times in UTC" in nodes_of(test)
    assert '"is_wanted": true' not in nodes_of(test)
    assert _named(test, "zone") == "utc"


def test_unknown_choice_is_left_out() -> None:
    """An address that was mistyped shows the browser's zone."""
    test = opened("events", FakeService(), zone="moon", grouping="<b>")
    _assert_whole(test)
    assert test.segmented_control(key="choice-zone").value == "browser"
