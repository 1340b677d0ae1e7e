"""The live tape as pages use it: a component with a WebSocket of its own, so that new cards need no run of a script."""

import hashlib
from collections.abc import Callable
from datetime import tzinfo
from functools import cache
from typing import Any, Final

from coindcx_feed.tickets import LIFETIME_S, process_tickets
from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import scripts
from coindcx_feed.ui.nodes import Node
from coindcx_feed.ui.tape_socket import MOST, PATH, PROTOCOL

SPARE_S: Final = LIFETIME_S - 5.0
"""How old a ticket may be when the browser presents it; an older one is asked for anew."""


def show(
    criteria: dict[str, Any],
    *,
    key: str,
    zone: tzinfo,
    empty: Node,
    after: int = 0,
    paused_at: int | None = None,
    chosen: int | None = None,
    on_pressed: Callable[[], None] | None = None,
) -> None:
    """Render the tape. Each call mints a ticket, so call it from a part that no timer runs.

    Args:
        criteria: The service's filter; it must be one that the service understands.
        empty: Stands where cards would be while there is none.
        after: Leave out events up to this ``seq`` (a cleared view).
        paused_at: Paint nothing after this ``seq``; ``None`` paints on.
        chosen: ``seq`` of the card that is marked.
        on_pressed: Called after a press on a card; ``st.session_state[key]["pressed"]`` has its ``seq``.
    """
    is_indian = fmt.is_indian("INR")
    data = {
        "path": PATH,
        "protocol": PROTOCOL,
        "most": MOST,
        "ticket": process_tickets().mint(grant(criteria, after, paused_at, zone, is_indian=is_indian)),
        "spare_s": SPARE_S,
        "view": view_name(criteria, after, zone, is_indian=is_indian),
        "is_paused": paused_at is not None,
        "chosen": chosen,
        "empty": empty,
    }
    _component()(key=key, data=data, on_pressed_change=on_pressed or _nothing, on_ask_change=_nothing)


def grant(
    criteria: dict[str, Any], after: int, paused_at: int | None, zone: tzinfo, *, is_indian: bool
) -> dict[str, Any]:
    """Return what a ticket allows to see: this view and nothing else."""
    return {"criteria": criteria, "after": after, "upto": paused_at, "zone": str(zone), "is_indian": is_indian}


def view_name(criteria: dict[str, Any], after: int, zone: tzinfo, *, is_indian: bool) -> str:
    """Name a view: with another name the browser begins anew, with the same it goes on where it was."""
    parts = (sorted((name, repr(part)) for name, part in criteria.items()), after, str(zone), is_indian)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _nothing() -> None:
    """Stand in for a callback: the run that follows mints the new ticket that was asked for."""


@cache
def _component() -> Callable[..., Any]:
    return scripts.component("tape")
