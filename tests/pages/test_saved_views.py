"""Saved views on the Events page: named, chosen, deleted."""

from pages.test_pages import _assert_whole
from ui.entry import opened
from ui.fake_service import HOSTILE, FakeService


def test_view_is_named_chosen_and_deleted() -> None:
    """Choosing it sets every filter, the address and the question to the service."""
    service = FakeService(events=100)
    test = opened("events", service, types="order", sides="sell", q="filled")
    test.text_input(key="view-name").set_value("sells").run()
    test.button(key="view-save").click().run()
    assert list(test.session_state["views"]) == ["sells"]
    assert test.text_input(key="view-name").value == ""
    test.session_state["q"] = ""
    test.session_state["sides"] = []
    test.run()
    assert service.asked[-1]["criteria"] == {"types": ["order"]}
    service.count += 1  # else what was asked before is still known
    test.button(key="view-use-0").click().run()
    _assert_whole(test)
    assert service.asked[-1]["criteria"] == {"types": ["order"], "sides": ["sell"], "text": "filled"}
    assert "sell" in str(test.query_params["sides"])
    test.button(key="view-drop-0").click().run()
    assert test.session_state["views"] == {}


def test_T13_name_of_a_view_is_no_markdown() -> None:
    """A label is Markdown: what a browser kept is escaped in it."""
    test = opened("events", FakeService())
    test.text_input(key="view-name").set_value(HOSTILE[:40]).run()
    test.button(key="view-save").click().run()
    _assert_whole(test)
    assert (
        test.button(key="view-use-0").label.startswith(r"\<img src\=")
        or r"\<img" in test.button(key="view-use-0").label
    )


def test_view_without_a_name_is_not_kept() -> None:
    """Nothing happens, and nothing is lost."""
    test = opened("events", FakeService())
    test.button(key="view-save").click().run()
    _assert_whole(test)
    assert "views" not in test.session_state
