"""What a sidecar retains now, from a place up to its newest event: a reading that ends."""

import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, Final

from coindcx_feed.client.envelope import RESUME_GAP, Envelope
from coindcx_feed.client.position import Position, Since
from coindcx_feed.client.pump import Pump
from coindcx_feed.client.subscribe import Request, names_of, request, subscribe
from coindcx_feed.errors import ClientError, ConfigError

TYPES: Final = ("order", "position", "balance", "fill", "ledger", "system")
_TRIES: Final = 4
"""A sidecar that cannot be reached so often in a row is not there: about four seconds."""


_QUIET_S: Final = 3.0
"""After a third of it without a message the sidecar is asked where this reader stands."""
_WHERE: Final = '{"action":"subscribe"}'
"""Changes nothing; the answer names the last number that was looked at for this reader."""


class _Done(Exception):
    """The newest event at the call was passed, or there is none."""


class _End:
    """Knows the newest number at the call, and gives up where a reader without an end would wait."""

    def __init__(self, seen: int) -> None:
        self._newest: int | None = None
        self._seen = seen
        self._tries = 0

    def greeted(self, data: Mapping[str, Any]) -> None:
        self._tries = 0
        newest = int(data["seq"])
        # A number below the one that was read belongs to a feed that counts anew.
        if self._newest is None or newest < self._seen:
            self._newest = newest
        if not newest:
            raise _Done

    def heard(self) -> None:
        """Nothing follows from a sign of life alone: a log may be slow to read."""

    def lost(self, problem: str, retry_s: float) -> None:
        self._tries += 1
        if self._tries >= _TRIES:
            raise ClientError(f"expected a sidecar that answers, was none: {problem}")

    def take(self, envelope: Envelope) -> bool:
        """Take a message in and tell whether it was there at the call."""
        if envelope["type"] == "subscribed":
            # Behind a token's scope the newest event itself may never come.
            self._seen = max(self._seen, envelope["data"]["seq"])
            return False
        is_gap = "seq" not in envelope
        seq = envelope["data"].get("missed_to") if is_gap else envelope["seq"]
        if not isinstance(seq, int):
            return True
        self._seen = seq
        return is_gap or self._newest is None or seq <= self._newest

    @property
    def is_reached(self) -> bool:
        return self._newest is not None and self._seen >= self._newest


def read_retained(
    url: str,
    since: Since = "earliest",
    epoch: str | None = None,
    types: Iterable[str] | None = None,
    pairs: Iterable[str] | None = None,
    token: str | None = None,
) -> Iterator[Envelope]:
    """Return what is retained of the account feed, up to the newest event at the call, with gaps in their places.

    Messages as they came: a table needs no models.

    Raises:
        ConfigError: If the address or a type is not understood.
        ClientError: If there is no sidecar, or it refuses; while it is read.
    """
    kinds = frozenset(TYPES if types is None else names_of(types))
    if unknown := sorted(kinds.difference(TYPES)):
        raise ConfigError(f"types: expected some of {', '.join(TYPES)}, was {unknown[0]!r:.40}: correct it")
    # Everything is read and filtered here: behind the server's filter nothing would tell that the newest was passed.
    wanted = request(url, token=token, proof_s=_QUIET_S)._replace(sign=_WHERE)
    chosen = partial(_is_chosen, kinds, None if pairs is None else frozenset(names_of(pairs)))
    return Pump(partial(_until_newest, wanted, Position(since, epoch), chosen), deque()).given()


async def _until_newest(
    wanted: Request, position: Position, is_chosen: Callable[[Envelope], bool]
) -> AsyncGenerator[Envelope, None]:
    end = _End(position.since if isinstance(position.since, int) else 0)
    with contextlib.suppress(_Done):
        async with aclosing(subscribe(wanted, position, end)) as envelopes:
            async for envelope in envelopes:
                if end.take(envelope) and is_chosen(envelope):
                    yield envelope
                if end.is_reached:
                    return


def _is_chosen(kinds: frozenset[str], places: frozenset[str] | None, envelope: Envelope) -> bool:
    if envelope["type"] == "system" and "seq" not in envelope:
        return bool(envelope["data"].get("message") == RESUME_GAP)
    pair = envelope["data"].get("pair")
    return envelope["type"] in kinds and (places is None or pair is None or pair in places)
