"""Where the state from the stream and the last REST snapshot do not agree, as plain data."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.analysis.changes import changes
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.feed.compare import differences
from coindcx_feed.feed.recovery import Outcome
from coindcx_feed.feed.ring import Ring, Stored
from coindcx_feed.feed.state import AccountState
from coindcx_feed.views.account import text
from coindcx_feed.views.rows import of_id

GRAVE: Final = frozenset(
    {
        "status",
        "active_pos",
        "side",
        "balance",
        "locked_balance",
        "remaining_quantity",
        "cancelled_quantity",
        "avg_price",
    }
)
"""Fields whose difference means that one of the two is wrong about money or risk."""
LOOKED_AT: Final = 50
"""Events of a record that are searched for those that moved a field."""
TOUCHED: Final = 3


def board(
    ring: Ring,
    state: AccountState,
    snapshot: Mapping[tuple[EventType, str], tuple[float, Any]],
    last: Outcome,
) -> dict[str, Any]:
    """List every field that differs now.

    A record that the stream updated after the read is newer, not different: it is left out.

    Returns:
        When the snapshot was taken, how many records were compared, what stays unknown, and the rows: grave ones first.
        ``touched`` holds the ``seq`` of the last events that moved the field, newest first; ``read_ms`` and
        ``stream_ms`` are when either side was heard. Unix ms.
    """
    found = []
    for (kind, key), (asked_ms, listed) in snapshot.items():
        known = state.known(kind, key)
        if known is None or _is_newer(known, listed):
            continue
        if kind is EventType.BALANCE and state.received_ns(kind, key) / 1e6 > asked_ms:
            continue  # without a time of its own only the arrival tells
        differing = differences(kind, listed, known)
        touched = _touched(ring, kind, key) if differing else {}
        for item in differing:
            found.append(
                {
                    "type": str(kind),
                    "id": key,
                    "pair": getattr(known, "pair", None) or getattr(known, "currency_short_name", None),
                    "field": item.field,
                    "rest": _shown(item.before),
                    "stream": _shown(item.after),
                    "read_ms": asked_ms,
                    "is_grave": item.field in GRAVE,
                    "stream_ms": state.received_ns(kind, key) / 1e6,
                    "touched": touched.get(item.field) or [state.last_seq(kind, key)],
                }
            )
    found.sort(key=lambda row: (not row["is_grave"], row["type"], row["id"]))
    return {"at_ms": last.at_ns / 1e6, "compared": len(snapshot), "unknown": last.unknown, "rows": found}


def _touched(ring: Ring, kind: EventType, key: str) -> dict[str, list[int]]:
    # Of each field, the events that changed it; the first one kept brought them all.
    found: dict[str, list[int]] = {}
    before: dict[str, Any] | None = None
    for event in of_id(ring, kind, key, LOOKED_AT):
        data = _data(event)
        moved = data if before is None else [change.field for change in changes(before, data, str(kind))]
        for field in moved:
            found[field] = [event.seq, *found.get(field, ())][:TOUCHED]
        before = data
    return found


def _data(event: Stored) -> dict[str, Any]:
    data: dict[str, Any] = parse_exact(event.body)["data"]
    return data


def _is_newer(known: Any, listed: Any) -> bool:
    return (getattr(known, "updated_at", None) or 0) > (getattr(listed, "updated_at", None) or 0)


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return text(value) or ""
    return "none" if value is None else str(value)[:200]
