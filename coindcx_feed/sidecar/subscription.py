"""What a client may change while it is connected: what it gets, and from where. Pure.

A subscription is a set of types, a set of pairs (none means all) and the pages' filter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from coindcx_feed.errors import BadRequest
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.query import (
    FILTER_NAMES,
    MOST_PAIRS,
    Query,
    Wants,
    parse_pairs,
    parse_position,
    parse_rest,
    parse_types,
)

MOST_NAMES: Final = 200
_MOST_SEQ: Final = 10**18
"""Beyond it writing the number down may cost more than the message did."""

Action = Literal["subscribe", "unsubscribe", "resume"]
ANSWERS: Final[Mapping[Action, str]] = {"subscribe": "subscribed", "unsubscribe": "unsubscribed", "resume": "resumed"}
PARTS: Final[Mapping[Action, tuple[str, ...]]] = {
    "subscribe": ("types", "pairs", *FILTER_NAMES),
    "unsubscribe": ("types", "pairs"),
    "resume": ("since", "epoch"),
}
"""What may stand beside ``action``."""


@dataclass(frozen=True)
class Change:
    """A message that asks for something else. ``parts`` are as the client wrote them, their names are known."""

    action: Action
    parts: Mapping[str, Any]

    @classmethod
    def parse(cls, action: Action, message: Mapping[str, Any]) -> "Change":
        """Check the names of a message.

        Raises:
            BadRequest: One line that repeats no value.
        """
        parts = {name: value for name, value in message.items() if name != "action"}
        for name in parts:
            if name not in PARTS[action]:
                expected = ", ".join(PARTS[action])
                raise BadRequest(f"{action}: expected only {expected}, was {printable(name)}: leave it out")
        return cls(action, parts)

    def applied(self, wants: Wants) -> Wants:
        """Return what the client gets after it.

        ``subscribe`` adds types and pairs and sets the parts of the filter that it names; the first pairs take the
        place of all pairs, ``null`` brings all back and clears a part of the filter. ``unsubscribe`` removes types and
        pairs.

        Raises:
            BadRequest: One line; nothing is changed then.
        """
        if self.action == "subscribe":
            return self._added(wants)
        return self._removed(wants) if self.action == "unsubscribe" else wants

    def position(self, wants: Wants) -> Query:
        """Return where a ``resume`` goes on.

        Raises:
            BadRequest: One line.
        """
        since, epoch = self.parts.get("since"), self.parts.get("epoch")
        if since is None:
            raise BadRequest("resume: expected since, was none: name the last seq that you have, or earliest")
        is_number = isinstance(since, int) and not isinstance(since, bool) and abs(since) <= _MOST_SEQ
        if not is_number and not isinstance(since, str):
            raise BadRequest("since: expected a seq or earliest, was another kind of value")
        if epoch is not None and not isinstance(epoch, str):
            raise BadRequest("epoch: expected the epoch of a greeting, was another kind of value")
        return Query(wants, *parse_position(str(since), epoch))

    def _added(self, wants: Wants) -> Wants:
        parts = self.parts
        types, pairs = wants.types, wants.pairs
        if "types" in parts:
            types |= parse_types(_names("types", parts["types"]))
        if "pairs" in parts:
            pairs = pairs | parse_pairs(_names("pairs", parts["pairs"])) if parts["pairs"] is not None else frozenset()
        if len(pairs) > MOST_PAIRS:
            raise BadRequest(f"pairs: expected at most {MOST_PAIRS}, was {len(pairs)}: subscribe with null to get all")
        kept = {} if wants.only is None else wants.only.to_mapping()
        return Wants(types, pairs, parse_rest({**kept, **parts}))

    def _removed(self, wants: Wants) -> Wants:
        parts = self.parts
        types, pairs = wants.types, wants.pairs
        if "types" in parts:
            types -= parse_types(_names("types", parts["types"]))
        if "pairs" in parts:
            gone = parse_pairs(_names("pairs", parts["pairs"]))
            if not pairs:
                raise BadRequest("pairs: expected some that were subscribed, was all pairs: subscribe those you want")
            pairs -= gone
            if not pairs:
                raise BadRequest("pairs: expected one to stay, was none: subscribe with null for all, or remove types")
        return Wants(types, pairs, wants.only)


def _names(name: str, value: Any) -> list[str]:
    names = value.split(",", MOST_NAMES) if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(item, str) for item in names):
        raise BadRequest(f"{name}: expected a list of names, was another kind of value")
    if len(names) > MOST_NAMES:
        raise BadRequest(f"{name}: expected at most {MOST_NAMES} names, was more: send several messages")
    return names
