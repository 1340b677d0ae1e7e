"""What a client asks for in the address: types, pairs, where to begin. Pure."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from coindcx_feed.errors import BadRequest
from coindcx_feed.events import EventType
from coindcx_feed.exchange.wire import is_pair
from coindcx_feed.sidecar.access import printable

ACCOUNT_TYPES: Final = frozenset(str(kind) for kind in EventType)
MARKET_TYPES: Final = frozenset({"price", "trade", "candle", "book"})
ALL: Final = "all"
EARLIEST: Final = "earliest"

_WITHOUT_PAIR: Final = frozenset({"balance", "system"})
_NAMES: Final = ("types", "pairs", "since", "epoch")
SECRET_NAMES: Final = frozenset({"token", "access_token", "auth", "authorization", "key", "api_key", "jwt"})
_MOST_PAIRS: Final = 200
_SEQ_DIGITS: Final = 18
_EPOCH_CHARACTERS: Final = 64


class Wants(NamedTuple):
    """A filter. Equal filters are served together. No pairs means all pairs."""

    types: frozenset[str] = ACCOUNT_TYPES
    pairs: frozenset[str] = frozenset()

    @property
    def is_account(self) -> bool:
        return not self.types.isdisjoint(ACCOUNT_TYPES)

    @property
    def is_market(self) -> bool:
        return not self.types.isdisjoint(MARKET_TYPES)

    @property
    def is_whole_account(self) -> bool:
        """True when no account event needs to be looked at to know that it passes."""
        return not self.pairs and self.types >= ACCOUNT_TYPES

    def passes(self, kind: str, pair: str | None) -> bool:
        """Tell whether an event is wanted. What has no pair is never dropped for its pair."""
        if kind not in self.types:
            return False
        return not self.pairs or pair is None or kind in _WITHOUT_PAIR or pair in self.pairs


class Query(NamedTuple):
    """``since`` is the last number the client saw, ``None`` means from now on."""

    wants: Wants = Wants()
    since: int | Literal["earliest"] | None = None
    epoch: str | None = None


def parse_query(items: Iterable[tuple[str, str]]) -> Query:
    """Read the decoded parameters of an address.

    Raises:
        BadRequest: One line naming the parameter; never the value of a parameter that is not ours.
    """
    given: dict[str, str] = {}
    for name, value in items:
        if name.lower() in SECRET_NAMES:
            raise BadRequest("a token in the address is refused: send Authorization: Bearer, or a first message")
        if name not in _NAMES:
            raise BadRequest(f"expected only {', '.join(_NAMES)} in the address, was {printable(name)}: leave it out")
        if name in given:
            raise BadRequest(f"{name}: expected once, was twice: join the values with commas")
        given[name] = value
    types = _parse_types(given["types"]) if "types" in given else ACCOUNT_TYPES
    pairs = _parse_pairs(given["pairs"]) if "pairs" in given else frozenset()
    since, epoch = _parse_position(given.get("since"), given.get("epoch"))
    return Query(Wants(types, pairs), since, epoch)


def _parse_types(text: str) -> frozenset[str]:
    names = text.split(",")
    known = ACCOUNT_TYPES | MARKET_TYPES
    for name in names:
        if name not in known and name != ALL:
            expected = ", ".join([*EventType, *sorted(MARKET_TYPES), ALL])
            raise BadRequest(f"types: expected some of {expected}, was {printable(name) or '(empty)'}")
    return known if ALL in names else frozenset(names)


def _parse_pairs(text: str) -> frozenset[str]:
    names = text.split(",", _MOST_PAIRS)
    if len(names) > _MOST_PAIRS:
        raise BadRequest(f"pairs: expected at most {_MOST_PAIRS}, was more: leave pairs out to get all")
    for name in names:
        if not is_pair(name):
            raise BadRequest(
                f"pairs: expected pairs like B-BTC_USDT, with commas between, was {printable(name) or '(empty)'}"
            )
    return frozenset(names)


def _parse_position(since: str | None, epoch: str | None) -> tuple[int | Literal["earliest"] | None, str | None]:
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
