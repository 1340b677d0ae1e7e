"""Whom a request or a connection belongs to, and what of the feed it may see. Pure."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web

from coindcx_feed.errors import NotAuthorized
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.query import Wants
from coindcx_feed.tickets import Grant


@dataclass(frozen=True)
class Identity:
    """One holder of a credential.

    Attributes:
        name: For the log, printable.
        types: Only these, ``None`` means all. ``pairs`` alike, for what has a pair.
        expires_s: Unix seconds from which on nothing may be sent any more, ``None`` means never.
    """

    name: str
    types: frozenset[str] | None = None
    pairs: frozenset[str] | None = None
    expires_s: float | None = None

    def is_over(self, now_s: float) -> bool:
        return self.expires_s is not None and now_s >= self.expires_s

    def sees(self, kind: str, pair: str | None = None) -> bool:
        """Tell whether records of a type may be shown; what has no pair is judged by its type alone."""
        if self.types is not None and kind not in self.types:
            return False
        return pair is None or self.pairs is None or pair in self.pairs

    def narrow(self, wants: Wants, asked: Container[str]) -> Wants:
        """Return what a filter may get: the scope where nothing was asked for, else what was asked for.

        Args:
            asked: Holds ``types`` and ``pairs`` when the client named them itself.

        Raises:
            NotAuthorized: One line; the client asked for more than the scope.
        """
        types, pairs = wants.types, wants.pairs
        if self.types is not None:
            types = self.types if "types" not in asked else types
            _refuse_beyond("types", types - self.types, self.types)
        if self.pairs is not None:
            pairs = self.pairs if "pairs" not in asked or not pairs else pairs
            _refuse_beyond("pairs", pairs - self.pairs, self.pairs)
        return wants._replace(types=types, pairs=pairs)

    def grant(self) -> Grant:
        """Return this as the plain data a ticket carries."""
        scopes = {name: None if scope is None else sorted(scope) for name, scope in self._scopes()}
        return {"name": self.name, "expires_s": self.expires_s, **scopes}

    @classmethod
    def from_grant(cls, grant: Grant) -> Self:
        types, pairs = (None if grant[name] is None else frozenset(grant[name]) for name in ("types", "pairs"))
        return cls(grant["name"], types, pairs, grant["expires_s"])

    def _scopes(self) -> Iterable[tuple[str, frozenset[str] | None]]:
        return ("types", self.types), ("pairs", self.pairs)


ANYONE: Final = Identity("anyone")
"""Where no credential is configured."""

NOBODY: Final = Identity("nobody", frozenset(), frozenset())
"""A request without a credential on a route that answers it with counts, or lets it prove itself later."""

IDENTITY: Final = web.RequestKey("identity", Identity)
"""What the guard puts on every request that passes."""


def _refuse_beyond(name: str, beyond: frozenset[str], scope: frozenset[str]) -> None:
    if beyond:
        shown = ",".join(sorted(scope)[:4]) + (",..." if len(scope) > 4 else "")
        came = printable(min(beyond))
        raise NotAuthorized(f"{name}: expected some of {shown} (the token's scope), was {came}: ask for less")
