"""What the fields of a record mean: complete for each type, and called as people call them."""

from coindcx_feed.analysis.fields import (
    DERIVED_FIELDS,
    ID_FIELDS,
    MESSAGE_FIELDS,
    MONEY_FIELDS,
    PRICE_FIELDS,
    QUANTITY_FIELDS,
    RECORD_FIELDS,
    STATUS_FIELDS,
    TIME_FIELDS,
    label,
)
from coindcx_feed.events import EventType


def test_every_type_but_system_has_a_full_list() -> None:
    """An export of one type can hold all its documented fields."""
    assert set(RECORD_FIELDS) == {kind.value for kind in EventType} - {"system"}


def test_named_fields_are_documented() -> None:
    """Price, quantity, id, status, message and time of a type are fields of its record."""
    for names in (ID_FIELDS, MESSAGE_FIELDS, PRICE_FIELDS, QUANTITY_FIELDS, STATUS_FIELDS, TIME_FIELDS):
        for kind, name in names.items():
            assert kind == "system" or name in RECORD_FIELDS[kind]


def test_derived_fields_are_not_the_exchanges() -> None:
    """What this package adds is never one of the documented fields."""
    assert not [name for kind, names in DERIVED_FIELDS.items() for name in names if name in RECORD_FIELDS[kind]]


def test_money_is_every_amount_and_no_text() -> None:
    """Amounts may come as text and are numbers then; ids, statuses and messages never are."""
    amounts = {"balance", "locked_balance", "price", "active_pos", "fee_amount", "filled_quantity", "unrealized_pnl"}
    assert amounts <= MONEY_FIELDS
    assert not MONEY_FIELDS & {"id", "status", "pair", "display_message", "group_id", "created_at", "trades"}


def test_labels_are_words() -> None:
    """Known fields have their short name, unknown ones lose their underscores."""
    assert [label(name) for name in ("fee_amount", "avg_price", "locked_balance", "brand_new_field")] == [
        "fee",
        "avg price",
        "locked",
        "brand new field",
    ]
