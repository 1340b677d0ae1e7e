"""Where a client's cursor begins, and what it is told on the way: gaps, and where another epoch begins. Pure reads."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from coindcx_feed.feed.columns import Looked
from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar import protocol
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.query import Query

PastRow = tuple[int, str, str | None, bytes, Looked | None]
"""Number, type, pair and envelope of one event, and what else filters look at, where that was asked for."""


class Past(Protocol):
    """Events older than the ring. ``epochs`` and ``oldest`` are plain figures; ``bodies`` blocks: use a thread."""

    @property
    def oldest(self) -> int:
        """The oldest ``seq`` kept, 0 when there is none."""

    @property
    def epochs(self) -> Sequence[tuple[int, str]]:
        """First ``seq`` and name of the epochs that began before the ring did, oldest first."""

    def bodies(self, after: int, limit: int, upto: int, *, is_looked_at: bool = False) -> Sequence[PastRow]:
        """Return events oldest first; numbers may be missing."""


class Start(NamedTuple):
    """``seq`` is the last number not to be sent; ``gap`` the message to send before the rest."""

    seq: int
    gap: bytes | None = None


def begin(ring: Ring, query: Query, past: Past | None = None) -> Start:
    """Answer a position: right after it when that is kept, else a gap and everything kept."""
    earliest = (past.oldest if past is not None and past.oldest else ring.oldest) - 1
    if not query.wants.is_account or query.since is None:
        return Start(ring.version)
    if query.since == "earliest":
        return Start(earliest)
    newest = newest_of(query.epoch or "", epochs(ring, past), ring.version)
    if newest is None:
        reason = f"epoch {printable(query.epoch or '')} is not kept, this is {ring.epoch}: sent from its oldest"
        return Start(earliest, protocol.resume_gap(query.since + 1, None, reason))
    if query.since > newest:
        reason = f"seq {query.since} was never given in this epoch; the newest is {newest}: sent from the oldest"
        return Start(earliest, protocol.resume_gap(None, None, reason))
    if past is not None and past.oldest:
        return Start(query.since)
    return Start(*continued(ring, query.since))


def is_given(ring: Ring, past: Past | None, seq: int, epoch: str) -> bool:
    """Say whether a number was given in an epoch that is known, so that a reader can go on after it."""
    newest = newest_of(epoch, epochs(ring, past), ring.version)
    return newest is not None and 0 <= seq <= newest


def epochs(ring: Ring, past: Past | None) -> list[tuple[int, str]]:
    """List first ``seq`` and name of every epoch known, oldest first."""
    first_here = ring.epochs[0][0]
    earlier = [] if past is None else [epoch for epoch in past.epochs if epoch[0] < first_here]
    known = [name for _, name in earlier]
    return earlier + [epoch for epoch in ring.epochs if epoch[1] not in known]


def newest_of(epoch: str, known: list[tuple[int, str]], newest: int) -> int | None:
    """Return the last number given in an epoch, ``None`` when the epoch is not known."""
    for index, (_, name) in enumerate(known):
        if name == epoch:
            return known[index + 1][0] - 1 if index + 1 < len(known) else newest
    return None


def continued(ring: Ring, seq: int) -> tuple[int, bytes | None]:
    """Return where a cursor can go on in the ring, and the gap message when that is not where it stood."""
    oldest = ring.oldest
    if seq + 1 >= oldest:
        return seq, None
    reason = f"overwritten: the oldest kept is {oldest}, read faster or enlarge COINDCX_RING_CAPACITY"
    return oldest - 1, protocol.resume_gap(seq + 1, oldest - 1, reason)


def crossing(known: Iterable[tuple[int, str]], seq: int) -> tuple[bytes | None, int | None]:
    """Return what to say before the event after ``seq``, and the last number before the next epoch, if one follows."""
    notice = None
    for first, name in known:
        if first == seq + 1:
            notice = protocol.epoch_changed(name, first)
        elif first > seq + 1:
            return notice, first - 1
    return notice, None


def epoch_at(known: Iterable[tuple[int, str]], seq: int) -> tuple[int, str] | None:
    """Return the epoch that a number belongs to."""
    return next((epoch for epoch in reversed(list(known)) if epoch[0] <= seq), None)


def without_holes(rows: Sequence[PastRow], seq: int) -> tuple[Sequence[PastRow], bytes | None]:
    """Return the first rows that follow each other, and the gap message when they do not follow ``seq``."""
    first = rows[0][0]
    gap = None
    if first > seq + 1:
        reason = "not kept: removed by the limits of the log, or never stored"
        gap = protocol.resume_gap(seq + 1, first - 1, reason)
    dense = next((index for index, row in enumerate(rows) if row[0] != first + index), len(rows))
    return rows[:dense], gap
