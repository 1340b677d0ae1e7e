"""Where two records of one id differ by value: 10 and 10.0 are alike, a field that only one has is no difference."""

from typing import Any, Final, NamedTuple

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import Record

VOLATILE: Final = {
    EventType.ORDER: frozenset({"trades", "display_message", "group_status", "metatags"}),
    # A read shows the mark of its moment, the stream the one of the last update.
    EventType.POSITION: frozenset({"mark_price", "maintenance_margin", "cumulative_funding_fee"}),
    EventType.BALANCE: frozenset({"cross_order_margin", "cross_user_margin"}),
}
"""Fields that move without an update, or that one of the two sources never carries."""

_NONE: Final = ("", "None", 0)


class Difference(NamedTuple):
    """One field of two records."""

    field: str
    before: Any
    after: Any


def differences(kind: EventType, before: Record, after: Record) -> list[Difference]:
    """List the fields that both records carry with unlike values.

    Null, zero, empty text and the text ``None`` all mean "none" to the exchange and are alike.
    """
    common = (before.model_fields_set & after.model_fields_set) - VOLATILE.get(kind, frozenset()) - {"updated_at"}
    found = []
    for field in sorted(common):
        old, new = getattr(before, field), getattr(after, field)
        if old != new and not (_is_none(old) and _is_none(new)):
            found.append(Difference(field, old, new))
    return found


def _is_none(value: Any) -> bool:
    return value is None or (not isinstance(value, list | dict) and value in _NONE)
