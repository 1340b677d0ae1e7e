"""Commands that read the same from the sidecar: to be pasted into a shell, without any secret in them. Pure."""

import shlex
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

HEADER: Final = '-H "Authorization: Bearer $COINDCX_SIDECAR_TOKEN"'
"""The shell puts the token in; double quotes keep it one word whatever it holds."""
STATES: Final = {"order": "orders", "position": "positions", "balance": "balances"}
"""The part of the account's present state that events of a type belong to."""

Sidecar = dict[str, Any]


def event_command(sidecar: Sidecar, seq: int, epoch: str) -> str | None:
    """Return the command that reads one event, ``None`` while the sidecar does not run.

    Args:
        sidecar: As in the service's status: ``url``, and ``has_login`` when it asks for a token.
        epoch: The series that ``seq`` belongs to.
    """
    return _command(sidecar, "events", {"since": seq - 1, "epoch": epoch, "limit": 1})


def state_command(sidecar: Sidecar, kind: str) -> str | None:
    """Return the command that reads what is known now of the kind of record that an event is about."""
    return _command(sidecar, f"state/{STATES[kind]}", {}) if kind in STATES else None


def _command(sidecar: Sidecar, route: str, query: dict[str, Any]) -> str | None:
    parts = urlsplit(sidecar["url"] or "")
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme)
    if scheme is None:
        return None
    asked = f"?{urlencode(query)}" if query else ""
    address = shlex.quote(f"{scheme}://{parts.netloc}/api/v1/{route}{asked}")
    # Quoted also where a shell would take it as it is: the reader sees one word.
    quoted = address if address.startswith("'") else f"'{address}'"
    return " ".join(part for part in ("curl", HEADER if sidecar.get("has_login") else "", quoted) if part)
