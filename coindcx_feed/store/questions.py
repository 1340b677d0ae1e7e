"""Everything that can be asked of an open log, from any thread. Nothing here writes."""

from collections.abc import Iterator, Sequence

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.analysis.part import Part
from coindcx_feed.events import Event, EventType
from coindcx_feed.store.figures import Figure, Figures
from coindcx_feed.store.holes import Holes, holes_before
from coindcx_feed.store.latest import MAX_ORDERS
from coindcx_feed.store.moments import state_at
from coindcx_feed.store.reading import Body, EpochRow, Reader
from coindcx_feed.store.searching import Bounds, Search


class Questions:
    """Questions to a log; each may raise ``StoreError``. Threads: any."""

    def _ask(self, reader: Reader) -> None:
        self.reader = reader
        self._search = Search(reader)
        self._figures = Figures(reader)

    def _forget_rest(self) -> None:
        # Events were replaced: what is remembered of those in no segment is no longer true.
        self._search.forget()
        self._figures.forget()

    def read(self, after: int, limit: int, upto: int | None = None) -> list[Event]:
        """Return the events after a number, oldest first; what was pruned or never came is missing."""
        return self.reader.read(after, limit, upto)

    def bodies(self, after: int, limit: int, upto: int | None = None) -> list[Body]:
        """Like ``read``, but only number, type, pair and envelope."""
        return self.reader.bodies(after, limit, upto)

    def get(self, seq: int) -> Event | None:
        found = self.reader.fetch((seq,))
        return found[0] if found else None

    def fetch(self, seqs: Sequence[int]) -> list[Event]:
        """Return those of some events that are stored, in the order asked."""
        return self.reader.fetch(seqs)

    @property
    def oldest_seq(self) -> int:
        """First number of the log, 0 when empty."""
        return self.reader.bounds()[0]

    def epochs(self) -> list[EpochRow]:
        """Return every series of numbers, oldest first."""
        return self.reader.epochs()

    def holes_before(self, seq: int) -> Holes | None:
        """Return which numbers from the first of the log to this one are missing, ``None`` when none is."""
        return holes_before(self.reader, seq)

    def epoch_of(self, seq: int) -> str | None:
        return self.reader.epoch_of(seq)

    def marks(self, pair: str, from_s: int, to_s: int) -> list[tuple[int, str]]:
        """Return the stored marks of a pair, second and price text, oldest first, both ends included."""
        return self.reader.marks(pair, from_s, to_s)

    def select(
        self,
        wanted: EventFilter,
        *,
        limit: int,
        upto: int | None = None,
        after: int = 0,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> list[Event]:
        """Return the newest matches, newest first.

        Args:
            upto, after: Numbers after ``after`` up to ``upto``.
            from_ns, to_ns: Received from ``from_ns`` on and before ``to_ns``, Unix ns.
        """
        return self._search.select(wanted, Bounds.of(after, upto, from_ns, to_ns), limit)

    def count(
        self,
        wanted: EventFilter,
        *,
        upto: int | None = None,
        after: int = 0,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> int:
        """Count all matches; the arguments mean what they mean to ``select``."""
        return self._search.count(wanted, Bounds.of(after, upto, from_ns, to_ns))

    def stream(
        self,
        wanted: EventFilter,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        after: int = 0,
        upto: int | None = None,
        slice_size: int = 5_000,
    ) -> Iterator[list[Event]]:
        """Yield all matches oldest first, up to the newest event of now.

        No transaction is open between two slices, and memory holds one segment's columns and one slice.
        """
        end = self.reader.bounds()[1] if upto is None else upto
        return self._search.stream(wanted, Bounds.of(after, end, from_ns, to_ns), slice_size)

    def parts(self, after: int, upto: int) -> Iterator[Part]:
        """Yield the columns of the events after a number up to another, oldest first; no body is read."""
        return self._search.parts(Bounds.of(after, upto, None, None))

    def of_key(self, kind: EventType, key: str, upto: int | None = None, limit: int = 500) -> list[Event]:
        """Return the newest events of one id up to a number, oldest first."""
        return self._search.of_key(kind, key, upto, limit)

    def seq_at(self, at_ns: int) -> int | None:
        """Return the newest number received at or before a time, or ``None`` when all came later."""
        return self._search.seq_at(at_ns)

    def span(self) -> tuple[int, int] | None:
        """Return when the first and the last event were received, Unix ns, or ``None`` when empty."""
        return self.reader.span()

    def state_at(self, seq: int, max_orders: int = MAX_ORDERS) -> list[Event]:
        """Return the last event of every order, position and wallet as of a number, oldest first.

        Folding them in ``AccountState`` gives the state as it was. Fills and ledger rows are not among them.

        Args:
            max_orders: At most so many orders, those touched last, but every one that could still change.
        """
        return state_at(self.reader, seq, max_orders)

    def figures(
        self, measure: str, from_ns: int | None = None, to_ns: int | None = None, bucket_s: int | None = None
    ) -> list[Figure]:
        """Return one measure over a span, in order of time, pair and label.

        ``events`` (label: type) and ``orders`` (label: the status in which they ended) count. ``fill_ms`` sums the
        time from creation to ``filled``, ``fill_times`` the same by class (label: see ``analysis.fill_times``).
        ``volume`` and ``fees`` sum fills, label and unit the pair's quote currency; ``pnl`` and ``funding`` sum ledger
        rows, ``wins`` and ``losses`` those of closed trades (no funding, not zero), label and unit the margin currency.
        ``unrealized`` (label: margin currency, unit USDT), ``balance`` and ``locked`` (label: currency) are the last
        value in each bucket.

        Args:
            from_ns, to_ns: Whole minutes that the span touches, Unix ns; the end is not included.
            bucket_s: Length of a bucket, whole minutes, aligned to UTC; ``None``: one bucket.
        Raises:
            BadRequest: If the measure or the bucket is none of these.
        """
        return self._figures.of(measure, from_ns, to_ns, bucket_s)

    def lacking_until_ns(self) -> int | None:
        """Return until when the sums lack newer measures (``wins``, ``losses``, ``fill_times``), Unix ns.

        They were made by an earlier version; ``rebuild`` makes them anew. ``None``: nothing is missing.
        """
        return self._figures.lacking_until_ns()
