"""What pages see of the past: the account as of any stored event. Plain data only, read from the durable log."""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import StoreError
from coindcx_feed.events import Event, EventType
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.state import AccountState
from coindcx_feed.views import account, health, moment

if TYPE_CHECKING:
    from coindcx_feed.store.log import EventStore

KEPT: Final = 8
"""Moments remembered: the parts of a page ask for the same one, and a reader steps to and fro."""
MAX_DIGITS: Final = 18
SHOWN: Final = 40
_EVERY: Final = EventFilter()

Rows = list[dict[str, Any]]


class _Then(NamedTuple):
    event: Event
    parts: list[Event]

    def state(self, kind: EventType) -> AccountState:
        # Reading records is what costs: a page reads those of its own kind only.
        return moment.fold(part for part in self.parts if part.type is kind)

    def state_of(self, kind: EventType, key: str) -> AccountState:
        return moment.fold(part for part in self.parts if part.type is kind and part.facts.key == key)


class Moments:
    """Reads of the past. Threads: any. Every method but ``find`` may raise ``StoreError``."""

    def __init__(self, runtime: FeedRuntime) -> None:
        self._runtime = runtime
        self._kept: OrderedDict[int, _Then] = OrderedDict()
        self._lock = threading.Lock()

    def span(self) -> dict[str, Any] | None:
        """Return first and last number and receive time (Unix ms) of the log; ``None`` without one or while empty."""
        log = self._runtime.log
        times = None if log is None else log.span()
        if log is None or times is None:
            return None
        return {
            "first_seq": log.oldest_seq,
            "newest_seq": log.last_seq,
            "first_ms": times[0] / 1e6,
            "newest_ms": times[1] / 1e6,
        }

    def find(self, text: str) -> dict[str, Any]:
        """Look up what an address names as ``at``.

        Returns:
            ``moment``, or ``problem`` in one line with ``nearest``, the number of a stored event, if there is any.
        """
        try:
            span = self.span()
            if span is None:
                return _answer(problem=self._nothing())
            wrong = _misread(text, span)
            if wrong is not None:
                return _answer(problem=wrong[0], nearest=wrong[1])
            found = self._moment(int(text), span)
            if found is None:
                nearest = self.nearest(int(text))
                return _answer(
                    problem=f"at: event {int(text)} is not in the log; it was lost or removed", nearest=nearest
                )
            return _answer(moment=found)
        except StoreError as error:
            return _answer(problem=f"the log cannot be read: {error}")

    def moment(self, seq: int) -> dict[str, Any] | None:
        """Return what is known about one stored event as a time to look at, ``None`` when it is not stored.

        Its ``gap`` is the time away from the exchange that it lies in, its ``state`` that of the connection;
        ``missing`` tells of events before it that the log lost.
        """
        span = self.span()
        return None if span is None else self._moment(seq, span)

    def _moment(self, seq: int, span: dict[str, Any]) -> dict[str, Any] | None:
        log = self._log
        event = log.get(seq)
        if event is None or seq < span["first_seq"]:
            return None
        at_ns = event.received_ns
        return {
            "seq": seq,
            "received_ms": at_ns / 1e6,
            "type": str(event.type),
            "pair": event.facts.pair,
            "status": event.facts.status,
            "epoch": log.epoch_of(seq),
            **span,
            **moment.connection(log, seq),
            "missing": moment.missing(log, seq),
            "gap": moment.gap_of(self._gaps(seq, at_ns, at_ns), at_ns),
        }

    def received_ns(self, seq: int) -> int:
        """Return when a stored event was received, Unix ns."""
        return self._then(seq).event.received_ns

    def seq_at(self, unix_ms: float) -> int | None:
        """Return the newest stored event received at or before a time, ``None`` when all came later."""
        log = self._runtime.log
        return None if log is None else log.seq_at(int(unix_ms * 1e6))

    def nearest(self, seq: int) -> int | None:
        """Return the number of the stored event at or before one, else of the first after it."""
        return self.before(seq + 1) or self.after(seq)

    def before(self, seq: int) -> int | None:
        """Return the number of the stored event before one."""
        log = self._runtime.log
        found = [] if log is None else log.select(_EVERY, limit=1, upto=seq - 1)
        return found[0].seq if found else None

    def after(self, seq: int) -> int | None:
        """Return the number of the stored event after one."""
        log = self._runtime.log
        found = [] if log is None else log.read(max(seq, 0), 1)
        return found[0].seq if found else None

    def orders_at(self, seq: int) -> Rows:
        """List the orders known then as ``FeedService.orders`` does, at most those touched last and all that worked."""
        return account.Orders().rows(self._then(seq).state(EventType.ORDER))

    def order_at(self, order_id: str, seq: int) -> dict[str, Any] | None:
        """Return an order as it was with its steps until then, or ``None``."""
        return moment.order(self._log, self._then(seq).state_of(EventType.ORDER, order_id), order_id)

    def positions_at(self, seq: int) -> Rows:
        """List the positions known then; results by the mark stored at that second, or unknown."""
        then = self._then(seq)
        return moment.positions(self._log, then.state(EventType.POSITION), then.event.received_ns)

    def position_series_at(self, position_id: str, seq: int, since_ms: float) -> dict[str, Any] | None:
        """Return the lines of a position that end at the moment, or ``None``."""
        then = self._then(seq)
        state = then.state_of(EventType.POSITION, position_id)
        return moment.position_series(self._log, state, position_id, seq, since_ms, then.event.received_ns)

    def balances_at(self, seq: int) -> Rows:
        """List the wallets known then. No conversion: the rate of that time is not stored."""
        return account.balances(self._then(seq).state(EventType.BALANCE), None, None)

    def balance_series_at(self, currency: str, seq: int, since_ms: float) -> dict[str, Any]:
        """Return the steps of a currency until the moment."""
        state = self._then(seq).state(EventType.BALANCE)
        return moment.balance_series(self._log, state, currency, seq, since_ms)

    def gaps_at(self, seq: int, since_ms: float) -> Rows:
        """List the times away from the exchange from ``since_ms`` until the moment, newest first."""
        return self._gaps(seq, int(since_ms * 1e6), self._then(seq).event.received_ns)

    def _gaps(self, seq: int, since_ns: int, at_ns: int) -> Rows:
        return moment.gaps(self._log, seq, since_ns, at_ns, health.gaps(self._runtime.watch))

    @property
    def _log(self) -> "EventStore":
        log = self._runtime.log
        if log is None:
            raise StoreError(f"expected a durable log, was none: {self._nothing()}")
        return log

    def _then(self, seq: int) -> _Then:
        with self._lock:
            known = self._kept.get(seq)
            if known is not None:
                self._kept.move_to_end(seq)
                return known
        event = self._log.get(seq)
        if event is None:
            raise StoreError(f"expected a stored event, was {seq}: choose a number from the log")
        known = _Then(event, self._log.state_at(seq, moment.MAX_ORDERS))
        with self._lock:
            self._kept[seq] = known
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return known

    def _nothing(self) -> str:
        if self._runtime.following() is not None:
            return "a follower keeps no log to look back into: do it in the dashboard of the process that is followed"
        if self._runtime.log is None:
            return "there is no durable log to look back into, only now: set COINDCX_STORE_URL to keep one"
        return "the log holds no event yet: there is nothing to look back at"


def _answer(**known: Any) -> dict[str, Any]:
    return {"moment": None, "problem": None, "nearest": None, **known}


def _misread(text: str, span: dict[str, Any]) -> tuple[str, int] | None:
    """Say what is wrong with a number of an event, and which one is nearest to it."""
    first, newest = span["first_seq"], span["newest_seq"]
    expected = f"at: expected the number of an event from {first} to {newest}, was"
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and text):
        return f"{expected} {text[:SHOWN]!r}", newest
    if text != digits:
        return f"{expected} {text[:SHOWN]}", first
    if len(digits.lstrip("0")) > MAX_DIGITS or int(digits) > newest:
        return f"{expected} {text[:SHOWN]}: that has not happened yet", newest
    if int(digits) < first:
        return f"{expected} {text[:SHOWN]}: what is older is not in the log, or was removed from it", first
    return None
