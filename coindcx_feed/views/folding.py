"""Updates that change nothing, folded into one row. Rows only: counts, exports and the tape keep every event."""

from typing import Any

Row = dict[str, Any]


def fold(rows: list[Row]) -> list[Row]:
    """Fold updates of one id that follow each other and change nothing into the newest of them.

    Rows of other ids between them do not end it; an update with a change does. That is exact for any filter: an update
    that changes nothing passes it exactly when the one before it does.

    Args:
        rows: Newest first, as ``views.rows`` builds them.

    Returns:
        Fewer or as many rows, in the same order. One that stands for more than itself is a copy with ``folded``: the
        ``seq`` of the others, newest first.
    """
    shown: list[Row] = []
    open_at: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = (row["type"], row["id"], row["pair"])
        if not row["is_repeat"]:
            open_at.pop(key, None)
            shown.append(row)
        elif key in open_at:
            at = open_at[key]
            newest = shown[at]
            shown[at] = {**newest, "folded": [*newest.get("folded", ()), row["seq"]]}
        else:
            open_at[key] = len(shown)
            shown.append(row)
    return shown


def stands_for(row: Row, seq: int | None) -> bool:
    """Say whether a row is an event, or has it folded into it."""
    return bool(row["seq"] == seq or seq in row.get("folded", ()))
