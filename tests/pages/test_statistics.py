"""The Statistics page through the entry: figures of a period, tables, the dictionary, and no log at all."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of, opened
from ui.fake_past import FakePast
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.errors import BadRequest, StoreGone


def _run(service: FakeService, **query: str) -> AppTest:
    return opened("statistics", service, **query)


@pytest.mark.parametrize("per", ["Pair", "Day", "Day and pair"])
def test_figures_of_the_period_are_drawn(per: str) -> None:
    """Every figure names its unit; tables follow the grouping that was chosen."""
    test = _run(FakeService(events=900))
    test.segmented_control(key="per").set_value(per).run()
    assert not test.exception
    assert not test.error
    shown = nodes_of(test)
    for words in ("Fill rate", "62.5", "Median time to fill", "4.2 s", "Traded volume", "USDT", "Busiest pairs"):
        assert words in shown
    money, orders = (frame.value for frame in test.dataframe)
    assert ("day" in orders, "pair" in orders) == (per != "Pair", per != "Day")
    assert list(money["currency"])[-1] == "INR"


def test_period_comes_from_the_address_and_pairs_are_chosen() -> None:
    """A shared link asks the log for the same time, and only for the pairs chosen."""
    service = FakeService(events=50)
    test = _run(service, period="30 d")
    test.multiselect(key="pairs").set_value(["B-ETH_USDT"]).run()
    asked = [asked for asked in service.past.asked if asked.get("figures") == "orders"][-1]
    begin_ms, end_ms = asked["range"]
    assert end_ms is None
    assert begin_ms == pytest.approx(service.now_ms - 30 * 86_400_000, abs=120_000)
    assert asked["pairs"] == ("B-ETH_USDT",)


def test_currencies_are_chosen_not_added() -> None:
    """Rupees and dollars have charts of their own."""
    test = _run(FakeService(events=900))
    control = test.segmented_control(key="currency-of")
    assert (list(control.options), control.value) == (["USDT", "INR"], "USDT")
    control.set_value("INR").run()
    assert "No balance in this period" in nodes_of(test)


def test_dictionary_stands_at_the_foot_even_without_events() -> None:
    """What a figure means does not depend on there being one."""
    service = FakeService(events=50)
    service.past.activity = None
    test = _run(service)
    assert not test.exception
    shown = nodes_of(test)
    assert "Nothing was stored in this period" in shown
    assert "Price × quantity of every fill" in shown or "Price \\u00d7 quantity of every fill" in shown


def test_F31_what_an_earlier_version_left_out_is_said() -> None:
    """Only where the period reaches into it."""
    service = FakeService(events=50)
    service.past.lacking_until_ms = service.now_ms - 2 * 86_400_000
    assert "coindcx-feed rebuild while" in nodes_of(_run(service))
    assert "coindcx-feed rebuild while" not in nodes_of(_run(service, period="24 h"))


def test_without_a_log_the_page_says_what_to_do() -> None:
    """Events live in memory only."""
    service = FakeService()
    service.past = FakePast(service, is_kept=False)
    test = _run(service)
    assert "There is no durable log" in nodes_of(test)
    assert not test.dataframe


@pytest.mark.parametrize(
    "error", [StoreGone("read the log: expected the file, was gone"), BadRequest("zone: expected a name, was <b>")]
)
def test_what_cannot_be_answered_is_one_line(error: Any) -> None:
    """Words as text, no traceback, no table."""
    service = FakeService()
    service.past = FakePast(service, error)
    test = _run(service)
    assert not test.exception
    assert str(error) in test.code[0].value
    assert not test.dataframe


def test_T13_hostile_texts_of_the_past_are_never_parsed() -> None:
    """Figures, tables and charts get pairs and currencies as text."""
    test = _run(FakeService(events=50, text=HOSTILE))
    assert not test.exception
    parsed = [*test.markdown, *test.caption, *test.warning, *test.info]
    assert not [element for element in parsed if "evil" in str(element.value)]
