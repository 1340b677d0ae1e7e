"""What a client asks for in the address: types, pairs, the pages' filter, where to begin. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from coindcx_feed.analysis.filters import EventFilter, RowTest
from coindcx_feed.errors import BadRequest
from coindcx_feed.events import EventType
from coindcx_feed.exchange.wire import is_pair
from coindcx_feed.sidecar.access import printable

ACCOUNT_TYPES: Final = frozenset(str(kind) for kind in EventType)
MARKET_TYPES: Final = frozenset({"price", "trade", "candle", "book"})
ALL: Final = "all"
EARLIEST: Final = "earliest"

_WITHOUT_PAIR: Final = frozenset({"balance", "system"})
FILTER_NAMES: Final = ("sides", "statuses", "text", "price_min", "price_max")
"""Parts of the pages' filter besides types and pairs."""
NAMES: Final = ("types", "pairs", *FILTER_NAMES, "since", "epoch")
"""Parameters of the address of a socket."""
SECRET_NAMES: Final = frozenset({"token", "access_token", "auth", "authorization", "key", "api_key", "jwt"})
MOST_PAIRS: Final = 200
MOST_LINE: Final = 240
"""Characters of an error line."""
_SEQ_DIGITS: Final = 18
_EPOCH_CHARACTERS: Final = 64


class Wants(NamedTuple):
    """What one client gets. Equal ones are served together. No pairs means all pairs.

    ``only`` holds sides, statuses, text and prices; it is for account events: market messages have nothing that it
    looks at. ``None`` where none of these is asked for.
    """

    types: frozenset[str] = ACCOUNT_TYPES
    pairs: frozenset[str] = frozenset()
    only: EventFilter | None = None

    @property
    def is_account(self) -> bool:
        return not self.types.isdisjoint(ACCOUNT_TYPES)

    @property
    def is_market(self) -> bool:
        return not self.types.isdisjoint(MARKET_TYPES)

    @property
    def is_whole_account(self) -> bool:
        """True when no account event needs to be looked at to know that it passes."""
        return not self.pairs and self.only is None and self.types >= ACCOUNT_TYPES

    @property
    def row_test(self) -> RowTest | None:
        """The test of ``only``; ``None`` when there is nothing to test."""
        return None if self.only is None else _row_test(self.only)

    def passes(self, kind: str, pair: str | None) -> bool:
        """Tell whether an event is wanted. What has no pair is never dropped for its pair."""
        if kind not in self.types:
            return False
        return not self.pairs or pair is None or kind in _WITHOUT_PAIR or pair in self.pairs

    def to_mapping(self) -> dict[str, object]:
        """Return it as plain data, every name present: what an answer to a client names."""
        rest = {} if self.only is None else self.only.to_mapping()
        lists: dict[str, object] = {name: rest.get(name, []) for name in ("sides", "statuses")}
        texts: dict[str, object] = {name: rest.get(name) for name in ("text", "price_min", "price_max")}
        return {"types": sorted(self.types), "pairs": sorted(self.pairs), **lists, **texts}


class Query(NamedTuple):
    """``since`` is the last number the client saw, ``None`` means from now on."""

    wants: Wants = Wants()
    since: int | Literal["earliest"] | None = None
    epoch: str | None = None


def parse_query(items: Iterable[tuple[str, str]], names: tuple[str, ...] = NAMES) -> Query:
    """Read the decoded parameters of an address.

    Args:
        names: Those that may occur; what is not of ``NAMES`` among them is left to the caller.
    Raises:
        BadRequest: One line naming the parameter; never the value of a parameter that is not ours.
    """
    given: dict[str, str] = {}
    for name, value in items:
        if name.lower() in SECRET_NAMES:
            raise BadRequest("a token in the address is refused: send Authorization: Bearer, or a first message")
        if name not in names:
            raise BadRequest(f"expected only {', '.join(names)} in the address, was {printable(name)}: leave it out")
        if name in given:
            raise BadRequest(f"{name}: expected once, was twice: join the values with commas")
        given[name] = value
    types = parse_types(given["types"].split(",")) if "types" in given else ACCOUNT_TYPES
    pairs = parse_pairs(given["pairs"].split(",", MOST_PAIRS)) if "pairs" in given else frozenset()
    since, epoch = parse_position(given.get("since"), given.get("epoch"))
    return Query(Wants(types, pairs, parse_rest(given)), since, epoch)


@lru_cache(maxsize=1024)  # as many as there may be clients; above that, tests are made anew in each turn
def _row_test(only: EventFilter) -> RowTest | None:
    return only.row_test()


def parse_rest(criteria: Mapping[str, object]) -> EventFilter | None:
    """Read sides, statuses, text and prices; other names are left alone. ``None`` when nothing is asked for.

    Raises:
        BadRequest: One printable line.
    """
    try:
        given = EventFilter.from_mapping({name: criteria[name] for name in FILTER_NAMES if name in criteria})
    except BadRequest as problem:
        raise BadRequest(printable(str(problem), MOST_LINE)) from None
    # In one order: clients that ask for the same in another one are served together.
    sides, statuses = tuple(sorted(given.sides)), tuple(sorted(given.statuses))
    only = EventFilter((), (), sides, statuses, given.text.lower(), given.price_min, given.price_max)
    return None if only == EventFilter() else only


def parse_types(names: Iterable[str]) -> frozenset[str]:
    """Read names of types, ``all`` among them.

    Raises:
        BadRequest: One line.
    """
    names = list(names)
    known = ACCOUNT_TYPES | MARKET_TYPES
    for name in names:
        if name not in known and name != ALL:
            expected = ", ".join([*EventType, *sorted(MARKET_TYPES), ALL])
            raise BadRequest(f"types: expected some of {expected}, was {printable(name) or '(empty)'}")
    return known if ALL in names else frozenset(names)


def parse_pairs(names: Sequence[str]) -> frozenset[str]:
    """Read at most ``MOST_PAIRS`` pairs.

    Raises:
        BadRequest: One line.
    """
    if len(names) > MOST_PAIRS:
        raise BadRequest(f"pairs: expected at most {MOST_PAIRS}, was more: leave pairs out to get all")
    for name in names:
        if not is_pair(name):
            raise BadRequest(
                f"pairs: expected pairs like B-BTC_USDT, with commas between, was {printable(name) or '(empty)'}"
            )
    return frozenset(names)


def parse_position(since: str | None, epoch: str | None) -> tuple[int | Literal["earliest"] | None, str | None]:
    """Read where to begin.

    Raises:
        BadRequest: One line.
    """
    if epoch is not None and not (epoch.isprintable() and epoch.isascii() and 0 < len(epoch) <= _EPOCH_CHARACTERS):
        raise BadRequest(f"epoch: expected the epoch of a greeting, was {printable(epoch) or '(empty)'}")
    if since is None or since == EARLIEST:
        if epoch is not None:
            raise BadRequest("epoch: expected together with since=SEQ, was alone: add since, or leave epoch out")
        return (EARLIEST if since else None), None
    if not (since.isascii() and since.isdigit() and len(since) <= _SEQ_DIGITS):
        raise BadRequest(f"since: expected a seq or {EARLIEST}, was {printable(since) or '(empty)'}")
    if epoch is None:
        raise BadRequest("since: expected epoch=... beside it, was none: the greeting names it; or use since=earliest")
    return int(since), epoch
