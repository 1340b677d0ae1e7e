"""The account as it was at a number: the nearest snapshot before it, and the events since."""

from sqlalchemy import Connection, select

from coindcx_feed.events import Event
from coindcx_feed.store.latest import MAX_ORDERS, STATE_TYPES
from coindcx_feed.store.reading import Reader, fetched, pruned_upto
from coindcx_feed.store.rows import cells_of
from coindcx_feed.store.segments import NARROW, latest_at
from coindcx_feed.store.tables import events, segments


def state_at(reader: Reader, seq: int, max_orders: int) -> list[Event]:
    """Return the events that make the state, oldest first."""
    with reader.connection("look at a moment") as connection:
        numbers = _numbers(connection, seq, max_orders)
        found = fetched(connection, numbers)
    return [found[number] for number in numbers if number in found]


def _numbers(connection: Connection, seq: int, max_orders: int) -> list[int]:
    if seq < pruned_upto(connection):
        return []
    before = select(segments.c.last_seq).where(segments.c.last_seq <= seq).order_by(segments.c.last_seq.desc())
    base = connection.execute(before.limit(1)).scalar() or 0
    latest = latest_at(connection, base)
    wanted = NARROW.where(events.c.seq > base, events.c.seq <= seq, events.c.type.in_(STATE_TYPES))
    rows = [tuple(row) for row in connection.execute(wanted.order_by(events.c.seq))]
    if rows:
        latest.apply(*cells_of(rows))
    return latest.seqs(min(max_orders, MAX_ORDERS))
