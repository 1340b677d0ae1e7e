"""Positions and balances in depth: risk, episodes, where the money went; now, or as of a stored event. Plain data."""

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from coindcx_feed.analysis.explain import Explained
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import StoreError
from coindcx_feed.events import EventType
from coindcx_feed.feed.marks import Day
from coindcx_feed.feed.moments import Moments
from coindcx_feed.feed.ring import Ring, Stored
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.views import account, episodes, moment, risks
from coindcx_feed.views.books import Books, Followed
from coindcx_feed.views.briefly import Briefly
from coindcx_feed.views.explained import explained

if TYPE_CHECKING:
    from coindcx_feed.store.log import EventStore

PAST_EVENTS: Final = 10_000
"""Events before a moment that its books are made of: half a second of reading."""
KEPT: Final = 4
STORIES: Final = 16
"""Episodes remembered until something of their pair happens: their lines move twice a second, they do not."""
READ: Final = ("order", "position", "balance", "ledger")

Rows = list[dict[str, Any]]


class Depth:
    """Reads of one runtime. Threads: any. With ``at``, the number of a stored event, nothing newer than it is used.

    Every method may then raise ``StoreError``.
    """

    def __init__(self, runtime: FeedRuntime, moments: Moments) -> None:
        self._runtime, self._moments = runtime, moments
        self._sigma = risks.Volatility()
        self._followed: tuple[Ring, str, Followed] | None = None
        self._answers: dict[str, tuple[list[Explained], int, dict[str, Any]]] = {}
        self._stories: dict[tuple[str, int | None], tuple[object, episodes.Story | None]] = {}
        self._past: OrderedDict[int, Books] = OrderedDict()
        self._lock = threading.Lock()
        self._now = Briefly(self._present_risks)

    def risks(self, at: int | None = None) -> dict[str, Any]:
        """Return ``positions``, the risk of each open one by id, and ``exposure``, rows by pair and in total."""
        return self._now() if at is None else self._past_risks(at)

    def _present_risks(self) -> dict[str, Any]:
        runtime, now_ns = self._runtime, self._runtime.now_ns()
        rows = account.positions(runtime.state, runtime.marks, now_ns)
        wallets = account.balances(runtime.state, None, None)
        lives, rate = self._following().lives(), runtime.rate
        sigma, available = self._sigma, risks.usdt_available(wallets)
        # While the memory is still read nothing is told of lives, instead of half of them.
        found = {} if lives is None else risks.risks(rows, lives, runtime.marks, sigma, available, now_ns / 1e6)
        return {"positions": found, "exposure": risks.exposure(rows, rate.rate if rate else None)}

    def _past_risks(self, at: int) -> dict[str, Any]:
        rows, wallets = self._moments.positions_at(at), self._moments.balances_at(at)
        at_ns = self._moments.received_ns(at)
        pairs = {row["pair"] for row in rows if row["side"] != "flat"}
        marks = _MarksThen(self._log, at_ns, pairs)
        available = risks.usdt_available(wallets)
        found = risks.risks(rows, self._books(at).lives, marks, risks.Volatility(), available, at_ns / 1e6)
        return {"positions": found, "exposure": risks.exposure(rows, None)}

    def explained(self, currency: str, since_ms: float, at: int | None = None) -> dict[str, Any]:
        """Return the changes of a wallet since a time with their parts; see ``views.explained``.

        ``reading`` is there while the events kept are still being read: how many are, of how many.
        """
        if at is None:
            return self._present_explained(currency, since_ms)
        books = self._books(at)
        return explained(books.explained(currency), books.first_step(currency), since_ms)

    def _present_explained(self, currency: str, since_ms: float) -> dict[str, Any]:
        followed = self._following()
        known = followed.explained(currency)
        if known is None:
            return {**explained([], None, since_ms), "reading": followed.behind}
        found, first = known
        begin = bisect_left(found, since_ms, key=lambda one: one.step.received_ms)
        kept = self._answers.get(currency)
        if kept is None or kept[0] is not found or kept[1] != begin:
            kept = self._answers[currency] = (found, begin, explained(found, first, since_ms))
        return kept[2]

    def episode(self, position_id: str, first_seq: int | None = None, at: int | None = None) -> dict[str, Any] | None:
        """Tell one episode with its ``choices``, the newest when none is named; ``None`` when there is none."""
        if at is not None:
            return self._past_episode(position_id, first_seq, at)
        runtime, entity = self._runtime, self._runtime.state.position(position_id)
        if entity is None:
            return None
        ring = runtime.ring
        version = (ring.epochs[0], episodes.newest_in(ring, entity.record.pair))
        key = (position_id, first_seq)
        known = self._stories.get(key)
        if known is None or known[0] != version:
            held = episodes.held_in(ring, position_id)
            known = (version, episodes.story(held, first_seq, episodes.beside_in(ring)))
            with self._lock:
                self._stories[key] = known
                while len(self._stories) > STORIES:
                    del self._stories[next(iter(self._stories))]
        story = known[1]
        return None if story is None else episodes.drawn(story, runtime.marks, runtime.now_ns() / 1e6)

    def _past_episode(self, position_id: str, first_seq: int | None, at: int) -> dict[str, Any] | None:
        log, at_ns = self._log, self._moments.received_ns(at)
        found = log.of_key(EventType.POSITION, position_id, at, moment.MAX_CHARTED)
        held = [moment.stored(event) for event in found]

        def beside_then(pair: str, upto: int) -> Sequence[Stored]:
            wanted = EventFilter(types=tuple(str(kind) for kind in episodes.BESIDE), pairs=(pair,))
            last = min(at, upto + episodes.AFTER)
            rows = log.select(wanted, limit=moment.MAX_CHARTED, upto=last)
            return [moment.stored(event) for event in reversed(rows)]

        story = episodes.story(held, first_seq, beside_then)
        if story is None:
            return None
        return episodes.drawn(story, moment.PastMarks(log, at_ns, {story.plain["pair"]}), at_ns / 1e6)

    def _following(self) -> Followed:
        ring = self._runtime.ring
        series = ring.epochs[0][1]  # a replay that begins anew begins another
        with self._lock:
            if self._followed is None or self._followed[:2] != (ring, series):
                self._followed = (ring, series, Followed(ring))
            return self._followed[2]

    def _books(self, at: int) -> Books:
        with self._lock:
            known = self._past.get(at)
            if known is not None:
                self._past.move_to_end(at)
                return known
        found = self._log.select(EventFilter(types=READ), limit=PAST_EVENTS, upto=at)
        books = Books()
        books.take_all(moment.stored(event) for event in reversed(found))
        with self._lock:
            self._past[at] = books
            while len(self._past) > KEPT:
                self._past.popitem(last=False)
        return books

    @property
    def _log(self) -> "EventStore":
        log = self._runtime.log
        if log is None:
            raise StoreError("expected a durable log, was none: set COINDCX_STORE_URL to keep one")
        return log


class _MarksThen(moment.PastMarks):
    """Stored marks: high, low and funding rate of then are not stored."""

    def day(self, pair: str) -> Day:
        return Day()
