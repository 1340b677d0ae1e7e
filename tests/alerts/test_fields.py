"""The closed table of fields."""

from coindcx_feed.alerts.fields import FIELDS, FORMULAS, OP_WORDS, OPS, SUBJECTS


def test_every_field_has_operators_and_words() -> None:
    """No field is offered that cannot be compared."""
    assert tuple(FIELDS) == SUBJECTS
    for fields in FIELDS.values():
        for field in fields.values():
            assert field.label
            assert all(op in OP_WORDS for op in OPS[field.kind])


def test_formulas_explain_fields_that_exist() -> None:
    """A tooltip of nothing is left over."""
    assert set(FORMULAS) <= {name for fields in FIELDS.values() for name in fields}
