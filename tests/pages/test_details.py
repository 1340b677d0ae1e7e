"""Details of an order, a position and a wallet: chosen by the address, opened as a drawer."""

import pytest
from pages.test_pages import _assert_whole
from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of, opened
from ui.fake_service import HOSTILE, FakeService

ORDER = "00000003-90f2-4be1"


def _named_in(page: str, service: FakeService, **query: str) -> AppTest:
    test = opened(page, service)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


@pytest.mark.parametrize(
    ("page", "query", "shown"),
    [
        ("orders", {"order": ORDER}, "now 0.0 %, cancelled"),
        ("positions", {"position": "p-btc"}, "size"),
        ("balances", {"currency": "INR"}, "INR history"),
    ],
)
def test_address_names_what_is_chosen(page: str, query: dict[str, str], shown: str) -> None:
    """A shared link shows the same order, position or wallet, with the button for its record."""
    test = _named_in(page, FakeService(), **query)
    _assert_whole(test)
    assert shown in nodes_of(test)
    assert "raw JSON, timeline, related events" in nodes_of(test)
    assert "Expected the id" not in nodes_of(test)


@pytest.mark.parametrize(
    ("page", "name", "what"),
    [("orders", "order", "order"), ("positions", "position", "position"), ("balances", "currency", "wallet")],
)
def test_T13_wrong_id_is_one_clear_line(page: str, name: str, what: str) -> None:
    """The rest of the page is drawn, and the id stays text."""
    test = _named_in(page, FakeService(), **{name: HOSTILE})
    _assert_whole(test)
    assert f"Expected the id of a known {what} in the address, was <img" in nodes_of(test)
    assert not [element for element in test.markdown if "evil" in str(element.value)]


@pytest.mark.parametrize("page", ["orders", "positions", "balances"])
def test_record_opens_as_a_drawer_over_its_page(page: str) -> None:
    """Fields, raw JSON, timeline and related events of the last update."""
    test = opened(page, FakeService())
    assert not test.get("dialog")
    test.session_state["record-seq"], test.session_state["record-page"] = 37, page.capitalize()
    test.run()
    _assert_whole(test)
    assert test.get("dialog")
    assert "Updates of this id" in nodes_of(test) or "Lifecycle" in nodes_of(test)
    assert any("ETH limit buy order filled!" in code.value for code in test.code)


def test_order_is_named_again_after_another_page() -> None:
    """The navigation empties the address; the choice does not go with it."""
    test = _named_in("orders", FakeService(), order=ORDER)
    test.switch_page("pages/feed.py").run()
    test.switch_page("pages/orders.py").run()
    _assert_whole(test)
    assert ORDER in str(test.query_params["order"])
