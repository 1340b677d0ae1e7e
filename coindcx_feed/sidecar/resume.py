"""Where a client's cursor begins, and what it is told when the ring cannot continue it. Pure reads of the ring."""

from typing import NamedTuple

from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar import protocol
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.query import Query


class Start(NamedTuple):
    """``seq`` is the last number not to be sent; ``gap`` the message to send before the rest."""

    seq: int
    gap: bytes | None = None


def begin(ring: Ring, query: Query) -> Start:
    """Answer a position: right after it when that is kept, else a gap and everything kept."""
    earliest = ring.oldest - 1
    if not query.wants.is_account or query.since is None:
        return Start(ring.version)
    if query.since == "earliest":
        return Start(earliest)
    if query.epoch != ring.epoch:
        reason = f"epoch {printable(query.epoch or '')} is not kept, this is {ring.epoch}: sent from its oldest"
        return Start(earliest, protocol.resume_gap(query.since + 1, None, reason))
    if query.since > ring.version:
        reason = f"seq {query.since} was never given in this epoch; the newest is {ring.version}: sent from the oldest"
        return Start(earliest, protocol.resume_gap(None, None, reason))
    return Start(*continued(ring, query.since))


def continued(ring: Ring, seq: int) -> tuple[int, bytes | None]:
    """Return where a cursor can go on, and the gap message when that is not where it stood."""
    oldest = ring.oldest
    if seq + 1 >= oldest:
        return seq, None
    reason = f"overwritten: the oldest kept is {oldest}, read faster or enlarge COINDCX_RING_CAPACITY"
    return oldest - 1, protocol.resume_gap(seq + 1, oldest - 1, reason)
