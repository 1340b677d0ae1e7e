"""``GET /api/v1/events``: stored and kept events as pages, oldest first, in the bytes that the socket sends."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from aiohttp import web

from coindcx_feed.errors import BadRequest, StoreError
from coindcx_feed.sidecar import protocol
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.batch import passing_of_past
from coindcx_feed.sidecar.guard import Refusal
from coindcx_feed.sidecar.identity import IDENTITY
from coindcx_feed.sidecar.query import ACCOUNT_TYPES, ALL, EARLIEST, NAMES, Query, parse_query
from coindcx_feed.sidecar.resume import PastRow, begin, continued, epoch_at, epochs, newest_of, without_holes
from coindcx_feed.sidecar.site import Site, json_response

EVENTS_PATH: Final = "/api/v1/events"
EVENT_NAMES: Final = (*NAMES, "limit")

LIMIT: Final = 100
MOST: Final = 1000
MOST_LOOKED_AT: Final = 10_000
"""Events that one request may look at: a filter that finds little gives short pages, not long waits."""
MOST_BYTES: Final = 1024 * 1024
MOST_AT_ONCE: Final = 4
"""Pages that are read at the same time; others wait in line."""
_LIMIT_DIGITS: Final = 9


class EventPages:
    """The route. Reads of the log wait for each other: whoever pages through years leaves it to the live path.

    Threads: the loop's; the log is read in a thread.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._log_lock = asyncio.Lock()
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one page.

        Raises:
            BadRequest: One line for the client; ``NotAuthorized`` and ``Refusal`` alike.
        """
        query, limit = parse_page(request)
        wants = request[IDENTITY].narrow(query.wants, frozenset(request.query))
        try:
            async with self._turns:
                body = await Page(self._site, query._replace(wants=wants), limit, self._log_lock).read()
        except StoreError:
            raise Refusal(503, "log", "expected a readable log, was none now: try again later") from None
        return json_response(body)


def parse_page(request: web.Request) -> tuple[Query, int]:
    """Read the parameters: those of the socket, for account types, and ``limit``.

    Raises:
        BadRequest: One line.
    """
    query = parse_query(request.query.items(), EVENT_NAMES)
    types = query.wants.types
    if not types <= ACCOUNT_TYPES and ALL not in request.query["types"].split(","):
        raise BadRequest("types: expected account types, was a market type, which is not kept: use the socket")
    text = request.query.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= _LIMIT_DIGITS):
        raise BadRequest(f"limit: expected 1 to {MOST}, was {printable(text) or '(empty)'}")
    wants = query.wants._replace(types=types & ACCOUNT_TYPES)
    since = EARLIEST if query.since is None else query.since
    return query._replace(wants=wants, since=since), min(max(int(text), 1), MOST)


class Page:
    """One page of events, all of one epoch, without a hole: it ends where the next epoch or a gap begins."""

    def __init__(self, site: Site, query: Query, limit: int, log_lock: asyncio.Lock) -> None:
        self._site, self._query, self._limit, self._log_lock = site, query, limit, log_lock
        self._bodies: list[bytes] = []
        self._bytes = self._looked_at = 0
        self._seq, self._gap = begin(site.ring, query, site.past)
        self._epoch = self._epoch_after()

    async def read(self) -> bytes:
        """Return the page as JSON.

        Raises:
            StoreError: The log cannot be read.
        """
        ring = self._site.ring
        end = self._epoch_end()
        while self._seq < end and self._has_room():
            if not await self._step():
                break
            end = self._epoch_end()
            await asyncio.sleep(0)
        place = msgspec.json.encode({"since": self._seq, "epoch": self._epoch})
        following = place if self._seq < ring.version else b"null"
        return b'{"epoch":%b,"events":[%b],"position":%b,"next":%b,"gap":%b}' % (
            msgspec.json.encode(self._epoch),
            b",".join(self._bodies),
            place,
            following,
            self._gap or b"null",
        )

    def _has_room(self) -> bool:
        is_short = len(self._bodies) < self._limit and self._bytes < MOST_BYTES
        return is_short and self._looked_at < MOST_LOOKED_AT

    async def _step(self) -> bool:
        """Take some more events; false when a gap must come first."""
        ring, past = self._site.ring, self._site.past
        if past is not None and past.oldest and self._seq + 1 < ring.oldest:
            return await self._step_of_log(ring.oldest - 1)
        start, gap = continued(ring, self._seq)
        if gap is not None:
            return self._skip(start, gap)
        most = min(self._site.limits.slice_events, self._epoch_end() - self._seq)
        events, looked = ring.since(start, most), ring.looked_since(start, most)
        rows = zip(events, looked, strict=True)
        self._take([(event.seq, event.type, event.pair, event.body, seen) for event, seen in rows])
        return True

    async def _step_of_log(self, last: int) -> bool:
        past, upto = self._site.past, min(last, self._epoch_end())
        is_looked_at = self._query.wants.only is not None
        assert past is not None
        async with self._log_lock:
            rows = await asyncio.to_thread(past.bodies, self._seq, MOST, upto, is_looked_at=is_looked_at)
        if not rows:
            reason = "not kept: removed by the limits of the log, or not readable"
            return self._skip(upto, protocol.resume_gap(self._seq + 1, upto, reason))
        rows, gap = without_holes(rows, self._seq)
        if gap is not None and not self._skip(rows[0][0] - 1, gap):
            return False
        self._take(rows)
        return True

    def _skip(self, seq: int, gap: bytes) -> bool:
        """Stand behind a hole, if the page can still begin with it."""
        if self._bodies or self._looked_at or self._gap is not None:
            return False
        self._seq, self._gap = seq, gap
        self._epoch = self._epoch_after()
        return True

    def _take(self, rows: Sequence[PastRow]) -> None:
        for row in rows:
            if not self._has_room():
                return
            self._seq = row[0]
            self._looked_at += 1
            for body in passing_of_past((row,), self._query.wants):
                self._bodies.append(body)
                self._bytes += len(body)

    def _epoch_after(self) -> str:
        known = epochs(self._site.ring, self._site.past)
        found = epoch_at(known, self._seq + 1)
        return self._site.ring.epoch if found is None else found[1]

    def _epoch_end(self) -> int:
        """Return the last number of the page's epoch."""
        newest = self._site.ring.version
        end = newest_of(self._epoch, epochs(self._site.ring, self._site.past), newest)
        return newest if end is None else end
