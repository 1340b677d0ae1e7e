"""Former states of orders, positions and wallets, so that REST can trail behind the socket."""

import copy
from collections.abc import Hashable
from typing import Final, TypeVar

State = TypeVar("State")

KEPT_MS: Final = 60_000
"""How far back a list may trail."""


class Versions:
    """Copies of what was published, by key; of each key the last minute and the state before it."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, list[tuple[int, object]]] = {}

    def note(self, key: Hashable, at_ms: int, state: object) -> None:
        """Keep a shallow copy of a state that was just published."""
        rows = self._rows.setdefault(key, [])
        rows.append((at_ms, copy.copy(state)))
        while len(rows) > 1 and rows[1][0] <= at_ms - KEPT_MS:
            del rows[0]

    def at(self, key: Hashable, at_ms: int, kind: type[State]) -> State | None:
        """Return the state of that time, or ``None`` if nothing had been published by then."""
        found: object = None
        for noted_ms, state in self._rows.get(key, []):
            if noted_ms > at_ms:
                break
            found = state
        return found if isinstance(found, kind) else None

    def forget(self, key: Hashable) -> None:
        """Drop a key for good."""
        self._rows.pop(key, None)
