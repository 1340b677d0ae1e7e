"""What a browser has not seen yet: from memory where it reaches back far enough, else from the durable log."""

from functools import partial
from typing import Any

from coindcx_feed.events import EventType
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.views import health, history, since
from coindcx_feed.views.rows import of_id
from coindcx_feed.views.since import Kept, Rows

MAX_EVENTS = 5_000


class Since:
    """Reads of one runtime. Every method may be called from any thread and returns plain data."""

    def __init__(self, runtime: FeedRuntime) -> None:
        self._runtime = runtime

    def told(self, epoch: str, seq: int, upto: int) -> dict[str, Any]:
        """Say what happened after an event up to another.

        Args:
            epoch: Series that ``seq`` belongs to; of one that is not known here nothing can be compared, and all of
                the present series counts as new: ``is_known`` is false then.
            upto: Last number that counts.
        Returns:
            Counts and texts; no event is listed, and no row is read but two per position and one per wallet.
        Raises:
            StoreError: If the log is needed and cannot be read.
        """
        after, is_known = self._after(epoch, seq)
        ring, log, now_ns = self._runtime.ring, self._runtime.log, self._runtime.now_ns()
        upto = min(upto, ring.version)
        is_kept = after + 1 >= ring.oldest or log is None
        parts = [ring.part(after, upto)] if is_kept or log is None else log.parts(after, upto)
        told = since.tell(parts, partial(since.was_held, self._event))
        seen = self._event(after)
        first = seen or self._event(after + 1)
        from_ms = 0.0 if first is None else first.received_ns / 1e6
        return {
            "after": after,
            "upto": upto,
            "epoch": ring.epoch_of(upto),
            "is_known": is_known,
            "is_whole": after + 1 >= ring.oldest or log is not None,
            "since_ms": None if first is None else from_ms,
            "until_ms": now_ns / 1e6,
            **told._asdict(),
            "wallets": since.wallets(self._runtime.state.balances(), after, partial(self._wallet, after)),
            "gaps": since.away(self._gaps(from_ms, now_ns), from_ms, now_ns / 1e6),
        }

    def _after(self, epoch: str, seq: int) -> tuple[int, bool]:
        ring, log = self._runtime.ring, self._runtime.log
        first = {row.name: row.first_seq for row in log.epochs()} if log is not None else {}
        first |= {name: begin for begin, name in ring.epochs}
        if epoch not in first:
            return max(0, first[ring.epoch] - 1), False
        # A series that did not reach the log whole is continued by another with the same numbers.
        later = [begin for begin in first.values() if begin > first[epoch]]
        return max(0, min(seq, ring.version, *(begin - 1 for begin in later))), True

    def _event(self, seq: int) -> Any:
        log = self._runtime.log
        return self._runtime.ring.get(seq) or (None if log is None else log.get(seq))

    def _wallet(self, after: int, key: str) -> Kept | None:
        log = self._runtime.log
        if log is not None:
            found = log.of_key(EventType.BALANCE, key, after, 1)
            return found[-1] if found else None
        known = of_id(self._runtime.ring, EventType.BALANCE, key, MAX_EVENTS)
        return next((event for event in reversed(known) if event.seq <= after), None)

    def _gaps(self, from_ms: float, now_ns: int) -> Rows:
        noticed, log = health.gaps(self._runtime.watch), self._runtime.log
        if log is None or not from_ms:
            return noticed
        return history.gaps(log, int(from_ms * 1e6), now_ns, noticed)
