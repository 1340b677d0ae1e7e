"""Numbers that were given and are not stored: events lost while the log was away for too long, or removed from it."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from coindcx_feed.store.reading import Reader, pruned_upto
from coindcx_feed.store.tables import events, segments


class Holes(NamedTuple):
    """How many numbers are missing, and the newest unbroken run of them, both ends included."""

    number: int
    from_seq: int
    to_seq: int


class _Part(NamedTuple):
    after: int
    upto: int
    events: int

    @property
    def missing(self) -> int:
        return self.upto - self.after - self.events


def holes_before(reader: Reader, seq: int) -> Holes | None:
    """Return what is missing between the first stored number and one, ``None`` when nothing is.

    Whole segments are compared by their own count: ten thousand events at most are looked at one by one.
    """
    with reader.connection("look for what is missing") as connection:
        parts = _parts(connection, seq)
        broken = [part for part in parts if part.missing > 0]
        if not broken:
            return None
        from_seq, to_seq = _newest(connection, broken[-1])
        return Holes(sum(part.missing for part in broken), from_seq, to_seq)


def _parts(connection: Connection, seq: int) -> list[_Part]:
    pruned = pruned_upto(connection)
    first = connection.execute(select(func.min(events.c.seq)).where(events.c.seq > pruned)).scalar()
    if first is None:
        return []
    # What was pruned is no hole, nor what another log holds that this one was begun after.
    parts, after = [], max(pruned, first - 1)
    wanted = select(segments.c.last_seq, segments.c.events).where(segments.c.last_seq <= seq)
    for row in connection.execute(wanted.where(segments.c.last_seq > after).order_by(segments.c.last_seq)):
        parts.append(_Part(after, row.last_seq, row.events))
        after = row.last_seq
    count = select(func.count()).select_from(events).where(events.c.seq > after, events.c.seq <= seq)
    return [*parts, _Part(after, max(seq, after), int(connection.execute(count).scalar_one()))]


def _newest(connection: Connection, part: _Part) -> tuple[int, int]:
    inside = select(events.c.seq).where(events.c.seq > part.after, events.c.seq <= part.upto)
    upto = part.upto
    for (seq,) in connection.execute(inside.order_by(events.c.seq.desc())):
        if seq < upto:
            return seq + 1, upto
        upto = seq - 1
    return part.after + 1, upto
