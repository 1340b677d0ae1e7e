"""Read the log by number: pages for cursors, single events, epochs. Every call is one short transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, func, select

from coindcx_feed.errors import StoreCorrupt
from coindcx_feed.events import Event, EventType
from coindcx_feed.store import files
from coindcx_feed.store.faults import translated
from coindcx_feed.store.lines import Lines
from coindcx_feed.store.rows import EVENT, event_of, type_of
from coindcx_feed.store.tables import epochs, events, header, marks, metadata, segments

FETCH: Final = 500
"""Numbers per question: SQLite takes 32,766 parameters, and a short list is planned faster."""

COLUMNS_BYTES: Final = 300
"""What an event takes beside its envelope, about."""

Body = tuple[int, EventType, str | None, bytes]
"""``seq``, type, pair and envelope: what a sidecar client is sent and chosen by."""


class EpochRow(NamedTuple):
    """A series of numbers. ``last_seq`` is one less than ``first_seq`` while it has no event."""

    name: str
    first_seq: int
    last_seq: int
    started_ns: int
    is_settled: bool


class Reader:
    """What is stored, by number. Threads: any.

    Events that are only kept because an old snapshot needs them are no part of the log any more: they are found by
    number, never listed.
    """

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self._engine, self._path, self._lines = engine, path, Lines(engine)

    @contextmanager
    def connection(self, doing: str) -> Iterator[Connection]:
        """Lend a connection in a read transaction.

        Raises:
            StoreError: If the database complains.
        """
        try:
            with translated(doing), self._engine.connect() as connection:
                yield connection
        except StoreCorrupt:
            files.suspect(self._path)
            raise

    def read(self, after: int, limit: int, upto: int | None = None) -> list[Event]:
        with self.connection("read the log") as connection:
            wanted = EVENT.where(events.c.seq > max(after, pruned_upto(connection)))
            if upto is not None:
                wanted = wanted.where(events.c.seq <= upto)
            return [event_of(row) for row in connection.execute(wanted.order_by(events.c.seq).limit(limit))]

    def bodies(self, after: int, limit: int, upto: int | None = None) -> list[Body]:
        with self.connection("read the log") as connection:
            columns = select(events.c.seq, events.c.type, events.c.pair, events.c.body)
            wanted = columns.where(events.c.seq > max(after, pruned_upto(connection)))
            if upto is not None:
                wanted = wanted.where(events.c.seq <= upto)
            found = connection.execute(wanted.order_by(events.c.seq).limit(limit))
            return [(seq, type_of(kind), pair, bytes(body)) for seq, kind, pair, body in found]

    def fetch(self, seqs: Sequence[int]) -> list[Event]:
        """Return those of some events that are stored, in the order asked."""
        with self.connection("fetch events") as connection:
            found = fetched(connection, seqs)
        return [found[seq] for seq in seqs if seq in found]

    def bounds(self) -> tuple[int, int]:
        """Return the first number of the log, and the last one that was ever given."""
        with self.connection("look at the log") as connection:
            pruned = pruned_upto(connection)
            first = connection.execute(select(func.min(events.c.seq)).where(events.c.seq > pruned)).scalar()
            return first or 0, last_number(connection)

    def span(self) -> tuple[int, int] | None:
        with self.connection("look at the log") as connection:
            after = pruned_upto(connection)
            parts = connection.execute(
                select(segments.c.first_ns, segments.c.last_ns, segments.c.last_seq).where(segments.c.last_seq > after)
            ).all()
            newest = max([after, *(part.last_seq for part in parts)])
            times = select(func.min(events.c.received_ns), func.max(events.c.received_ns)).where(events.c.seq > newest)
            rows = [(part.first_ns, part.last_ns) for part in parts] + [connection.execute(times).one()]
        known = [(first, last) for first, last in rows if first is not None]
        return (min(first for first, _ in known), max(last for _, last in known)) if known else None

    def epochs(self) -> list[EpochRow]:
        """Return every series of numbers, oldest first."""
        with self.connection("look at the log") as connection:
            last = last_number(connection)
            rows = connection.execute(select(epochs).order_by(epochs.c.id)).all()
        ends = [row.first_seq - 1 for row in rows[1:]] + [last]
        return [
            EpochRow(
                row.name, row.first_seq, max(row.first_seq - 1, min(end, last)), row.started_ns, bool(row.is_settled)
            )
            for row, end in zip(rows, ends, strict=True)
        ]

    def marks(self, pair: str, from_s: int, to_s: int) -> list[tuple[int, str]]:
        with self.connection("read marks") as connection:
            wanted = select(marks.c.second, marks.c.price).where(marks.c.pair == pair)
            rows = connection.execute(wanted.where(marks.c.second.between(from_s, to_s)).order_by(marks.c.second))
            return [(second, price) for second, price in rows]

    def totals(self) -> dict[str, int | None]:
        """Return how much there is, and of what age."""
        with self.connection("look at the log") as connection:
            pruned = pruned_upto(connection)
            inside = segments.c.last_seq > pruned
            counted = select(func.count(), func.sum(segments.c.events), func.max(segments.c.last_seq)).where(inside)
            number, summed, last = connection.execute(counted).one()
            rest = select(func.count()).select_from(events).where(events.c.seq > max(pruned, last or 0))
            count = int(summed or 0) + int(connection.execute(rest).scalar_one())
        oldest, newest = self.bounds()
        first_ns, last_ns = self.span() or (None, None)
        return {
            "events": count,
            "segments": int(number),
            "oldest_seq": oldest,
            "newest_seq": newest,
            "oldest_ns": first_ns,
            "newest_ns": last_ns,
            "pruned_upto": pruned,
        }

    @property
    def is_file(self) -> bool:
        return self._path is not None

    def size_bytes(self) -> int:
        """Return what the log takes on the disk."""
        if self._path is not None:
            return sum(each.stat().st_size for each in files.companions(self._path) if each.exists())
        with self.connection("look at the log") as connection:
            sizes = [select(func.pg_total_relation_size(table.name)) for table in metadata.sorted_tables]
            return sum(int(connection.execute(size).scalar_one()) for size in sizes)

    def used_bytes(self) -> int:
        """Return what the log would take without the empty places that pruning left in it, about."""
        if self._path is not None:
            empty, pages, page_bytes = self._pages()
            return (pages - empty) * page_bytes
        with self.connection("look at the log") as connection:
            newest = (
                select(func.length(events.c.body).label("size")).order_by(events.c.seq.desc()).limit(FETCH).subquery()
            )
            each = float(connection.execute(select(func.avg(newest.c.size))).scalar() or 0) + COLUMNS_BYTES
        return min(self.size_bytes(), round(each * int(self.totals()["events"] or 0)))

    def empty_share(self) -> float:
        """Return which part of a file is empty pages."""
        empty, pages, _ = self._pages()
        return empty / max(1, pages)

    def _pages(self) -> list[int]:
        # What the newest transaction sees; the file itself trails behind it.
        with self.connection("look at the log") as connection:
            names = ("freelist_count", "page_count", "page_size")
            return [int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0) for name in names]

    def cut(self) -> None:
        """Let whoever waits for the server fail at once."""
        self._lines.cut()

    def close(self) -> None:
        self._engine.dispose()

    def epoch_of(self, seq: int) -> str | None:
        """Return the series that a number belongs to, or ``None`` when nothing of it is known."""
        found = [row.name for row in self.epochs() if row.first_seq <= seq <= row.last_seq]
        return found[-1] if found else None


def fetched(connection: Connection, seqs: Sequence[int]) -> dict[int, Event]:
    """Return those of some events that are stored, by number."""
    found: dict[int, Event] = {}
    for start in range(0, len(seqs), FETCH):
        wanted = EVENT.where(events.c.seq.in_(list(seqs[start : start + FETCH])))
        for row in connection.execute(wanted):
            found[row[0]] = event_of(row)
    return found


def pruned_upto(connection: Connection) -> int:
    """Return the number up to which the log was pruned."""
    return int(connection.execute(select(header.c.pruned_upto)).scalar_one())


def last_number(connection: Connection) -> int:
    """Return the last number that was ever given, though it may be pruned by now."""
    return max(connection.execute(select(func.max(events.c.seq))).scalar() or 0, pruned_upto(connection))
