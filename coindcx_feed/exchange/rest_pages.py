"""Walking through the pages of a list that moves while it is read. No I/O of its own: a function fetches a page."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Generic, NamedTuple

from coindcx_feed.errors import RestError
from coindcx_feed.exchange.rest import Reply
from coindcx_feed.exchange.rest_rows import Kind, R, Reading, RejectedRow, Row, check_row, split_rows

log = logging.getLogger(__name__)

PAGE_SIZE: Final = 100
"""The documented default. A larger size that the exchange cuts down in silence would look like a short last page."""

MAX_PAGES: Final = 200

CAP_STEP: Final = 10
"""A first page that is short but round, 50 of 100, may have been cut down: the next one tells."""

Fetch = Callable[[int], Awaitable[Reply]]


class Page(NamedTuple, Generic[R]):
    """What one reply brought: rows in all, their valid records, and how many were not known before."""

    size: int
    records: list[R]
    fresh: int


class Collector(Generic[R]):
    """Gathers rows of one kind, each key once.

    Rows that arrive between two requests push others on to the next page, where they appear again.
    """

    def __init__(self, kind: Kind[R]) -> None:
        self.kind = kind
        self._rows: dict[str, Row[R]] = {}
        self._rejected: dict[bytes, RejectedRow] = {}
        self._causes: list[str] = []
        self._asked_ms: float | None = None
        self._received_ms = 0.0
        self._requests = 0

    @property
    def is_empty(self) -> bool:
        """Whether no reply was taken in, which is not the same as an empty list."""
        return self._requests == 0

    def add(self, reply: Reply) -> Page[R]:
        """Take in one page.

        Raises:
            BadReply: If it is no list.
        """
        pieces = split_rows(self.kind.name, reply)
        self._requests += 1
        self._asked_ms = reply.asked_ms if self._asked_ms is None else self._asked_ms
        self._received_ms = reply.received_ms
        known = len(self._rows) + len(self._rejected)
        rows = self._checked(pieces, reply.asked_ms)
        for row in rows:
            self._keep(row)
        return Page(len(pieces), [row.record for row in rows], len(self._rows) + len(self._rejected) - known)

    def is_partial_because(self, cause: str) -> None:
        self._causes.append(cause)

    def reading(self, since_ms: int | None = None) -> Reading[R]:
        """Return what was gathered. ``since_ms`` is where the reading ended on purpose."""
        causes = list(self._causes)
        if self._rejected:
            first = next(iter(self._rejected.values()))
            causes.append(f"{len(self._rejected)} rows are not as documented, the first: {first.reason}")
        return Reading(
            tuple(self._rows.values()),
            tuple(self._rejected.values()),
            "; ".join(causes) or None,
            since_ms,
            self._asked_ms or 0.0,
            self._received_ms,
            self._requests,
        )

    def _checked(self, pieces: list[bytes], asked_ms: float) -> list[Row[R]]:
        rows = []
        equal: Counter[str] = Counter()
        for raw in pieces:
            checked = check_row(self.kind.name, self.kind.model, raw)
            if isinstance(checked, RejectedRow):
                self._rejected[raw] = checked
                continue
            key = self.kind.key(checked)
            if not self.kind.has_own_id(checked):
                # Numbered within a page only: a page that begins with rows of the one before must not double them.
                equal[key] += 1
                key = f"{key}-{equal[key]}"
            rows.append(Row(key, checked, raw, asked_ms))
        return rows

    def _keep(self, row: Row[R]) -> None:
        known = self._rows.get(row.key)
        if known is None or self._version(row) >= self._version(known):
            self._rows[row.key] = row

    def _version(self, row: Row[R]) -> int:
        times = self.kind.times
        return (times[0](row.record) or 0) if times else 0


class BackTo(Generic[R]):
    """Tells when a list has been read far enough into the past.

    The order of the exchange's lists is not documented. Reading ends early only when the rows so far came newest first
    by one of the kind's times, the last one is older than ``since_ms`` by every time of which that is true, and every
    key in ``must_see`` was among them. With all records in ``must_see`` that were made before ``since_ms`` and could
    still change then, this is right for lists sorted by update and by creation alike: what follows was created earlier
    and had ended. Rows that new ones pushed on to the next page come a second time there and say nothing about the
    order.

    Args:
        since_ms: Unix ms; ``None`` reads to the end.
        must_see: Keys.
    """

    def __init__(self, kind: Kind[R], since_ms: int | None, must_see: Iterable[str] = ()) -> None:
        self._kind, self._since_ms = kind, since_ms
        self._unseen = set(must_see)
        self._seen: set[str] = set()
        # Of each time: the last value while it only fell, None when it did not.
        self._last: list[float | None] = [float("inf")] * len(kind.times)
        self.is_reached = False

    def add(self, records: Sequence[R]) -> None:
        """Take in the records of the next page."""
        for record in records:
            key = self._kind.key(record)
            if key in self._seen:
                continue
            self._seen.add(key)
            self._unseen.discard(key)
            for index, time_of in enumerate(self._kind.times):
                last, value = self._last[index], time_of(record)
                self._last[index] = value if last is not None and value is not None and value <= last else None
        falling = [last for last in self._last if last is not None]
        since_ms = self._since_ms
        self.is_reached = (
            since_ms is not None and not self._unseen and bool(falling) and all(last < since_ms for last in falling)
        )


async def walk(fetch: Fetch, collector: Collector[R], back_to: BackTo[R]) -> None:
    """Read page after page to the short one, or as far back as wanted.

    Why it ended before that is told to the collector.

    Args:
        fetch: Reads one page; counted from 1.
    Raises:
        RestError: If the first page cannot be read: then nothing is known.
    """
    first_size = 0
    for number in range(1, MAX_PAGES + 1):
        try:
            page = collector.add(await fetch(number))
        except RestError as error:
            if number == 1:
                raise
            log.warning("read ended early page=%d reason=%r", number, str(error))
            collector.is_partial_because(f"page {number} could not be read: {error}")
            return
        back_to.add(page.records)
        first_size = first_size or page.size
        if back_to.is_reached or _is_last(number, page.size, first_size):
            return
        if not page.fresh:
            # A list that fits on one page may be answered whatever the page.
            if first_size >= PAGE_SIZE:
                collector.is_partial_because(
                    f"{collector.kind.name} page {number}: expected further rows, was a repeat"
                )
            return
    collector.is_partial_because(f"{collector.kind.name}: expected at most {MAX_PAGES} pages, was more")


def _is_last(number: int, size: int, first_size: int) -> bool:
    if size == 0:
        return True
    if number == 1:
        return size < PAGE_SIZE and size % CAP_STEP != 0
    return size < first_size
