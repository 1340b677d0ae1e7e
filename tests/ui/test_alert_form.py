"""The form of a rule: what is loaded into it comes out of it again."""

from typing import Any

import pytest

from coindcx_feed.alerts.fields import FIELDS
from coindcx_feed.alerts.rules import BUILT_IN, Rule, parse_rule
from coindcx_feed.ui import alert_form


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.id)
def test_every_built_in_rule_survives_the_form(rule: Rule) -> None:
    """Opened and saved without a change it is the same rule."""
    state: dict[Any, Any] = {}
    alert_form.load(rule.to_mapping(), state)
    assert parse_rule(alert_form.held(state)) == rule


def test_new_rule_is_a_rule() -> None:
    """Saved as it is offered."""
    state: dict[Any, Any] = {}
    alert_form.load(alert_form.NEW, state)
    assert parse_rule({**alert_form.held(state), "id": "own-1"}).subject == "event"


def test_parts_that_the_form_does_not_show_stay() -> None:
    """A price range that was written into the book by hand."""
    state: dict[Any, Any] = {}
    rule = {**alert_form.NEW, "id": "own-1", "filter": {"types": ["order"], "price_min": "2900"}}
    alert_form.load(rule, state)
    assert alert_form.held(state)["filter"] == rule["filter"]


def test_another_subject_takes_only_what_belongs_to_it() -> None:
    """A balance has no sides, and a condition of the old subject is none of the new one."""
    state: dict[Any, Any] = {}
    alert_form.load({**alert_form.NEW, "filter": {"sides": ["buy"], "pairs": ["INR"]}}, state)
    state |= {"rule-subject": "balance", "rule-field": "total_move", "rule-op": "at_most", "rule-value": "-1,000"}
    made = parse_rule({**alert_form.held(state), "id": "own-1"})
    assert made.filter == {"pairs": ["INR"]}
    assert made.condition is not None
    assert (made.condition.value, made.condition.within_s) == (-1000, 300)


def test_choices_have_words() -> None:
    """With their unit."""
    assert alert_form.field_words(FIELDS["position"]["margin_ratio"]) == "margin ratio, %"
    assert alert_form.field_words(None) == "no condition: every match"
