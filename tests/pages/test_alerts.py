"""The Alerts page through the entry: rules are switched, changed, rehearsed and refused; hostile text stays text."""

from typing import Any

from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of
from ui.fake_service import HOSTILE, ROOT, FakeService, install

from coindcx_feed.alerts.rules import BUILT_IN


def _run(service: FakeService, **state: Any) -> AppTest:
    install(service)
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in state.items():
        test.session_state[name.replace("_", "-")] = value
    test.run()
    return test.switch_page("pages/alerts.py").run()


def _edit(service: FakeService, rule: dict[str, Any]) -> AppTest:
    return _run(service, alert_draft=rule, alert_loaded=True)


def test_notices_rules_and_destinations_are_listed() -> None:
    """And the title of the window counts what is unread."""
    shown = nodes_of(_run(FakeService()))
    for part in ("Liquidation is near", "distance to liquidation below 5", "webhook:ops", '"title": "(3) '):
        assert part in shown


def test_reading_all_empties_the_badge() -> None:
    """On every page."""
    test = _run(FakeService())
    test.button(key="alert-read").click().run()
    assert '"title": "(3) ' not in nodes_of(test)
    assert not test.exception


def test_rule_is_changed_and_saved() -> None:
    """What the form holds goes to the service, and the form closes."""
    service = FakeService()
    test = _edit(service, service.alerts.state()["rules"][2])
    test.text_input(key="rule-value").set_value("7.5")
    test.button(key="alert-save").click().run()
    assert not test.exception
    (what, saved), *_ = service.alerts.told
    assert (what, saved["id"], saved["condition"]["value"]) == ("save", "liquidation-near", "7.5")
    assert saved["channels"] == list(BUILT_IN[2].channels)
    assert not [field for field in test.text_input if field.key == "rule-value"]


def test_new_rule_of_another_subject() -> None:
    """The choices follow the subject."""
    service = FakeService()
    test = _run(service)
    test.button(key="alert-new").click().run()
    test.selectbox(key="rule-subject").set_value("balance").run()
    test.selectbox(key="rule-field").set_value("total_move").run()
    test.text_input(key="rule-value").set_value("500").run()
    test.button(key="alert-save").click().run()
    assert not test.exception
    (_, saved), *_ = service.alerts.told
    assert saved["condition"] == {"field": "total_move", "op": "at_most", "value": "500", "within_s": 300}
    assert saved["filter"] == {}


def test_refusal_is_shown_as_text_and_the_form_stays() -> None:
    """It may repeat what was typed."""
    service = FakeService()
    service.alerts.refusal = f"rule: {HOSTILE}"
    test = _edit(service, service.alerts.state()["rules"][0])
    test.button(key="alert-save").click().run()
    assert not test.exception
    assert "evil" in test.code[0].value
    assert test.text_input(key="rule-name").value == "Order filled"


def test_rehearsal_says_how_often_it_would_have_fired() -> None:
    """Of the rule as it stands in the form, over the chosen days."""
    service = FakeService()
    test = _edit(service, service.alerts.state()["rules"][0])
    test.button(key="alert-rehearse").click().run()
    assert not test.exception
    (what, rule, days), *_ = service.alerts.told
    assert (what, rule["id"], days) == ("rehearse", "fill", 7)
    assert "Would have fired 14 times in the last 7 days." in nodes_of(test)


def test_own_rule_can_be_deleted_and_a_built_in_one_reset() -> None:
    """The button says which."""
    service = FakeService()
    test = _edit(service, service.alerts.state()["rules"][-1])
    assert test.button(key="alert-remove").label == "Delete"
    test.button(key="alert-remove").click().run()
    assert service.alerts.told == [("remove", "own-1")]
    again = _edit(service, service.alerts.state()["rules"][0])
    assert again.button(key="alert-remove").label == "Reset"


def test_locked_page_offers_no_change() -> None:
    """A replay, or another process owns the feed."""
    service = FakeService()
    service.alerts.changes = {"locked": "a replay raises no alerts", "is_running": False}
    test = _run(service)
    assert "A replay raises no alerts." in nodes_of(test)
    assert not [button for button in test.button if button.key == "alert-new"]
