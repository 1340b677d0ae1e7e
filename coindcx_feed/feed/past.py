"""What the History page sees of the durable log: plain data only, as the service outlives a reload of the pages."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from coindcx_feed.analysis.export import export_log
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import BadRequest, StoreGone
from coindcx_feed.feed.exports import exports_folder
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.views import health, history, past_figures, past_money
from coindcx_feed.views.past_groups import BY, Span

if TYPE_CHECKING:
    from coindcx_feed.store.log import EventStore

KEPT_S: Final = 10.0
"""How long an answer stays good: a page asks for the same figures again whenever anything on it is touched."""
SEEN_S: Final = 300.0
KEPT: Final = 32
FIGURES: Final = ("activity", "orders", "money", "balances")

Criteria = dict[str, Any]
Rows = list[dict[str, Any]]


class _Range(NamedTuple):
    from_ns: int | None
    to_ns: int | None


class PastService:
    """Reads of the durable log. Every method may be called from any thread and may block for as long as a disk needs.

    Times are Unix ms; a range begins with ``from_ms`` and ends before ``to_ms``, ``None`` leaves an end open. Every
    method but ``span`` raises ``StoreError`` when the log cannot be read, or when there is none, and ``BadRequest`` for
    a range that ends before it starts; one line each.
    """

    def __init__(self, runtime: FeedRuntime) -> None:
        self._runtime = runtime
        self._answers: OrderedDict[tuple[object, ...], tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def span(self) -> dict[str, Any]:
        """Return first and newest number and receive time of the log; ``is_kept`` is false where there is none.

        ``lacking_until_ms`` names the end of what an earlier version summed up without the newest measures.
        """
        log = self._runtime.log
        times = None if log is None else log.span()
        if log is None or times is None:
            nothing = {"first_ms": None, "newest_ms": None, "newest_seq": 0, "lacking_until_ms": None}
            return {"is_kept": log is not None, **nothing}
        lacking_ns = log.lacking_until_ns()
        return {
            "is_kept": True,
            "first_ms": times[0] / 1e6,
            "newest_ms": times[1] / 1e6,
            "newest_seq": log.last_seq,
            "lacking_until_ms": None if lacking_ns is None else lacking_ns / 1e6,
        }

    def seen(self) -> dict[str, list[str]]:
        """Return pairs that ever had an order end, for the choices of a filter; new ones are found within minutes."""
        log = self._log()

        def look() -> dict[str, list[str]]:
            return {"pairs": sorted({figure.pair for figure in log.figures("orders") if figure.pair}), "statuses": []}

        seen: dict[str, list[str]] = self._briefly(("seen",), look, SEEN_S)
        return seen

    def count(
        self, criteria: Criteria, from_ms: float | None, to_ms: float | None, upto: int | None = None
    ) -> dict[str, int]:
        """Count the matches without reading them.

        Args:
            upto: Last number that counts; the newest when left out.
        Returns:
            ``matching``, and ``newest``: the last number that was looked at.
        """
        log, wanted, asked = self._log(), EventFilter.from_mapping(criteria), _range(from_ms, to_ms)
        newest = log.last_seq if upto is None else upto
        matching = log.count(wanted, upto=newest, from_ns=asked.from_ns, to_ns=asked.to_ns)
        return {"matching": matching, "newest": newest}

    def select(
        self,
        criteria: Criteria,
        from_ms: float | None,
        to_ms: float | None,
        limit: int = 500,
        before: int | None = None,
    ) -> dict[str, Any]:
        """Return the newest matches as rows, newest first.

        Args:
            before: Numbers from this one on are left out: the page before ended there.
        """
        log, wanted, asked = self._log(), EventFilter.from_mapping(criteria), _range(from_ms, to_ms)
        upto = None if before is None else before - 1
        found = log.select(wanted, limit=limit + 1, upto=upto, from_ns=asked.from_ns, to_ns=asked.to_ns)
        return {"rows": history.rows_of(log, found[:limit]), "has_more": len(found) > limit}

    def event(self, seq: int) -> dict[str, Any] | None:
        """Return one stored event with record, changes, timeline and related events; ``None`` when it is not stored."""
        return history.details(self._log(), seq)

    def gaps(self, from_ms: float | None, to_ms: float | None) -> Rows:
        """List the times away from the exchange that touch a range, newest first."""
        log, noticed = self._log(), health.gaps(self._runtime.watch)
        asked = _range(from_ms, to_ms)
        span = self._span(log, asked)
        if span is None:
            return []
        gaps: Rows = self._briefly(("gaps", *asked), lambda: history.gaps(log, *span, noticed))
        return gaps

    def figures(
        self,
        name: str,
        from_ms: float | None,
        to_ms: float | None,
        zone: str = "UTC",
        by: str = "day",
        pairs: Sequence[str] = (),
    ) -> Any:
        """Return figures of a range, in whole minutes, from the log's per-minute sums.

        Args:
            name: One of ``FIGURES``; see the function of that name in ``views.past_figures``.
            zone: Name of the zone whose days are meant.
            by: ``day``, ``pair``, ``both`` or ``all``, for orders and money.
            pairs: Only these; wallets have none and are never left out.
        Returns:
            Plain data, ``None`` while the log is empty.
        """
        if name not in FIGURES or by not in BY:
            raise BadRequest(f"figures: expected one of {', '.join(FIGURES)}, was {name!r:.40} by {by!r:.40}")
        log, asked = self._log(), _range(from_ms, to_ms)
        span = self._span(log, asked)
        if span is None:
            return None
        only = frozenset(pairs)
        found = self._briefly((name, *asked, zone, only), lambda: _figures(log, name, span, _zone(zone), only))
        return _by(name, found, by)

    def export(self, criteria: Criteria, kind: str, from_ms: float | None, to_ms: float | None) -> dict[str, Any]:
        """Write all matches to a file in the data folder and say where; see ``analysis.export.export_log``."""
        runtime, log, asked = self._runtime, self._log(), _range(from_ms, to_ms)
        wanted, folder = EventFilter.from_mapping(criteria), exports_folder(runtime.settings)
        gaps = self.gaps(from_ms, to_ms)
        return export_log(log, wanted, kind, folder, mode=runtime.mode, gaps=gaps, **asked._asdict())

    def _log(self) -> "EventStore":
        log = self._runtime.log
        if log is None:
            raise StoreGone("history: expected a durable log, was none: set COINDCX_STORE_URL, or leave it out")
        return log

    def _span(self, log: "EventStore", asked: _Range) -> Span | None:
        times = log.span()
        if times is None:
            return None
        first = times[0] if asked.from_ns is None else max(asked.from_ns, times[0])
        end = times[1] + 1 if asked.to_ns is None else min(asked.to_ns, max(times[1] + 1, time.time_ns()))
        return Span(first, max(end, first + 1))

    def _briefly(self, key: tuple[object, ...], make: Callable[[], Any], kept_s: float = KEPT_S) -> Any:
        now_s = time.monotonic()
        with self._lock:
            kept = self._answers.get(key)
        if kept is not None and now_s - kept[0] < kept_s:
            return kept[1]
        made = make()
        with self._lock:
            self._answers[key] = (time.monotonic(), made)
            self._answers.move_to_end(key)
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return made


def _figures(log: "EventStore", name: str, span: Span, zone: tzinfo, pairs: frozenset[str]) -> Any:
    if name == "balances":
        return past_figures.balances(log, span)
    if name == "activity":
        return past_figures.activity(log, span, pairs)
    return (past_figures.orders if name == "orders" else past_money.money)(log, span, zone, pairs)


def _by(name: str, found: Any, by: str) -> Any:
    # What is asked of the log serves every grouping: the reader changes it without another look.
    if name == "orders":
        return past_figures.orders_by(found, by)
    return past_money.money_by(found, by) if name == "money" else found


def _range(from_ms: float | None, to_ms: float | None) -> _Range:
    if from_ms is not None and to_ms is not None and to_ms < from_ms:
        raise BadRequest("range: expected an end after its start, was one before it: swap them")
    # By way of microseconds: a float of nanoseconds would be off by hundreds of them.
    return _Range(*(None if ms is None else round(ms * 1_000) * 1_000 for ms in (from_ms, to_ms)))


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadRequest(f"zone: expected a name such as Asia/Kolkata, was {name!r:.40}") from None
