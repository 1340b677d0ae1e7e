"""Rules as data: what is a rule, and the one line that says why something is none."""

from decimal import Decimal
from typing import Any

import pytest
from alerts.helpers import condition, rule
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.alerts.fields import FIELDS, OPS, SUBJECTS
from coindcx_feed.alerts.rules import BUILT_IN, SEVERITIES, Condition, Rule, describe, parse_rule
from coindcx_feed.errors import BadRequest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({name for fields in FIELDS.values() for name in fields})
NEARLY: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["own-1", "A b", ""]) | JSON,
        "name": st.text(max_size=70) | JSON,
        "subject": st.sampled_from(SUBJECTS) | JSON,
        "filter": st.sampled_from([{}, {"pairs": ["B-ETH_USDT"]}, {"types": ["order"]}, {"types": ["x"]}]) | JSON,
        "condition": st.none()
        | JSON
        | st.fixed_dictionaries(
            {
                "field": st.sampled_from(NAMES),
                "op": st.sampled_from([*OPS["number"], "is", "=="]),
                "value": st.decimals(allow_nan=True).map(str) | JSON,
            },
            optional={"within_s": st.integers(-1, 9_000) | JSON},
        ),
        "hold_s": st.integers(-1, 10**6) | JSON,
        "cooldown_s": st.integers(-1, 10**6) | JSON,
        "severity": st.sampled_from(SEVERITIES) | JSON,
        "channels": st.lists(st.sampled_from(["toast", "sound", "webhook:ops", "webhook:"]), max_size=14) | JSON,
        "enabled": st.booleans() | JSON,
        "code": JSON,
    },
)


@given(JSON | NEARLY)
def test_any_json_is_a_rule_or_one_clear_refusal(raw: Any) -> None:
    """Nothing else comes out: a rule that writes itself back alike, or one line."""
    refusal = ""
    try:
        made = parse_rule(raw)
    except BadRequest as error:
        refusal = str(error)
    if refusal:
        assert refusal.startswith("rule")
        assert len(refusal.splitlines()) == 1
        assert len(refusal) < 600
    else:
        assert parse_rule(made.to_mapping()) == made
        assert describe(made)


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda rule: rule.id)
def test_built_in_rules_are_data_like_any_other(built_in: Rule) -> None:
    """They pass through the same door."""
    assert parse_rule(built_in.to_mapping()) == built_in


def test_built_in_rules_cover_what_hurts() -> None:
    """Fill, rejection, liquidation, margin, PnL and balance, a missing stop, a dead feed, a new quirk."""
    looked_at = {(rule.subject, rule.condition.field if rule.condition else None) for rule in BUILT_IN}
    assert looked_at == {
        ("event", None),
        ("position", "liquidation_distance"),
        ("position", "margin_ratio"),
        ("position", "pnl_move"),
        ("balance", "total_move_percent"),
        ("position", "stop_missing"),
        ("feed", "not_live_s"),
        ("quirk", "total"),
    }


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"filter": {"types": ["nonsense"]}}, "filter: types: expected some of"),
        ({"filter": {"code": "1"}}, "filter: filter: expected only"),
        ({"subject": "feed"}, "condition: expected one for a feed rule"),
        ({"subject": "feed", "condition": condition("price", "above", 1)}, "condition.field: expected one of not_live"),
        ({"subject": "feed", "condition": condition("not_live_s", "is", 1)}, "condition.op: expected one of below"),
        ({"subject": "feed", "condition": condition("not_live_s", "above", "1e9")}, "expected a plain number"),
        ({"subject": "feed", "condition": condition("not_live_s", "above", 1, 5)}, "within_s: expected nothing"),
        ({"subject": "balance", "condition": condition("total_move", "beyond", 1)}, "within_s: expected the seconds"),
        ({"subject": "position", "condition": condition("stop_missing", "is", 2)}, "expected 1 for yes or 0 for no"),
        (
            {"subject": "position", "filter": {"sides": ["buy"]}, "condition": condition("size", "above", 1)},
            "expected only pairs",
        ),
        ({"hold_s": 5, "condition": condition("price", "above", 1)}, "hold_s: expected 0 for an event rule"),
        ({"channels": ["https://example.org/x"]}, "expected toast, browser, sound, telegram:NAME or webhook:NAME"),
        ({"id": "../x"}, "id: "),
        ({"name": "\x07"}, "name: expected a name of printable characters"),
        ({"eval": "1"}, "eval: "),
    ],
)
def test_refusal_names_the_part_and_what_was_expected(fields: dict[str, Any], line: str) -> None:
    """One line that leads to the place."""
    with pytest.raises(BadRequest) as caught:
        rule(**fields)
    assert line in str(caught.value)


@pytest.mark.parametrize(
    ("op", "value", "holding", "failing"),
    [
        ("below", "5", "4.999", "5"),
        ("at_most", "5", "5", "5.001"),
        ("at_least", "5", "5", "4.999"),
        ("above", "5", "5.001", "5"),
        ("beyond", "5", "-5", "4.9"),
        ("is", "1", "1", "0"),
    ],
)
def test_operators_compare_exactly(op: Any, value: str, holding: str, failing: str) -> None:
    """On decimals; what is unknown fulfils nothing."""
    checked = Condition(field="x", op=op, value=Decimal(value))
    assert checked.holds(Decimal(holding))
    assert not checked.holds(Decimal(failing))
    assert not checked.holds(None)


def test_rule_is_told_in_one_line() -> None:
    """Filter, comparison, times."""
    made = rule(subject="balance", filter={"pairs": ["INR"]}, condition=condition("total_move", "at_most", -500, 60))
    assert describe(made) == "INR: move of the total at most -500 within 60 s"
    held = rule(subject="position", condition=condition("stop_missing", "is", 1), hold_s=120)
    assert describe(held) == "every position: stop is missing, for 120 s"
