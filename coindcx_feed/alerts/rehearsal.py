"""What a rule would have said about the past: a pass over the stored log in slices, by the code that runs live.

Memory does not grow with the log: one slice, and what the rule itself remembers of each position or wallet.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from coindcx_feed.alerts.engine import Watcher, is_history
from coindcx_feed.alerts.fields import FIELDS
from coindcx_feed.alerts.rules import Rule
from coindcx_feed.alerts.values import Row, balance_value, event_value, position_value
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.events import Event
from coindcx_feed.feed.marks import Marks
from coindcx_feed.views import account
from coindcx_feed.views.moment import fold

LIMIT_S: Final = 20.0
"""A rehearsal ends after so long and says how far it came."""
_NO_MARKS: Final = Marks()


class Log(Protocol):
    """What a rehearsal asks of the durable log; each call may raise ``StoreError``."""

    def stream(
        self, wanted: EventFilter, *, from_ns: int | None = None, to_ns: int | None = None
    ) -> Iterator[list[Event]]: ...

    def seq_at(self, at_ns: int) -> int | None: ...

    def state_at(self, seq: int) -> list[Event]: ...


@dataclass
class Count:
    """How often a rule would have fired, and when first and last, ns. ``upto_ns``: how far the log was looked at."""

    looked_at: int = 0
    fired: int = 0
    held_back: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    upto_ns: int | None = None
    is_whole: bool = True

    def fire(self, at_ns: int) -> None:
        self.fired += 1
        self.first_ns = at_ns if self.first_ns is None else self.first_ns
        self.last_ns = at_ns

    def to_mapping(self) -> dict[str, Any]:
        times = {name: None if at is None else at / 1e6 for name, at in self._times().items()}
        counts = {"looked_at": self.looked_at, "fired": self.fired, "held_back": self.held_back}
        return {**counts, **times, "is_whole": self.is_whole}

    def _times(self) -> dict[str, int | None]:
        return {"first_ms": self.first_ns, "last_ms": self.last_ns, "upto_ms": self.upto_ns}


def obstacle(rule: Rule) -> str | None:
    """Say why a rule cannot be rehearsed, or return ``None`` when stored events tell all that it looks at."""
    if rule.subject in ("feed", "quirk"):
        return "it looks at the running feed: the log holds account events, not how the connection was each second"
    condition = rule.condition
    if condition is not None and not FIELDS[rule.subject][condition.field].is_stored:
        return "it needs the mark of every second, and the log keeps marks of a part of the time only"
    if condition is not None and condition.within_s is not None and rule.hold_s:
        return "a move that must hold for a while ends between two stored events"
    return None


def rehearse(
    rule: Rule,
    log: Log,
    from_ns: int,
    to_ns: int,
    *,
    limit_s: float = LIMIT_S,
    monotonic: Callable[[], float] = time.monotonic,
) -> Count:
    """Count what a rule would have fired over events received from ``from_ns`` on and before ``to_ns``.

    A position or wallet that fulfilled the condition before is told once already.

    Raises:
        ValueError: If there is an ``obstacle``.
        StoreError: If the log cannot be read.
    """
    why = obstacle(rule)
    if why is not None:
        raise ValueError(f"expected a rule that stored events can answer, was {rule.id}: {why}")
    watcher, count = Watcher(rule), Count()
    deadline = monotonic() + limit_s
    take: Callable[[Event], None]
    if rule.subject == "event":
        wanted = watcher.wanted
        take = _EventCount(watcher, count).take
        end = None
    else:
        wanted = EventFilter(types=(rule.subject,))
        states = _StateCount(watcher, count)
        states.begin(_before(log, rule.subject, from_ns), from_ns)
        take, end = states.take, states.end
    for events in log.stream(wanted, from_ns=from_ns, to_ns=to_ns):
        for event in events:
            take(event)
        count.looked_at += len(events)
        count.upto_ns = events[-1].received_ns
        if monotonic() > deadline:
            count.is_whole = False
            break
    if end is not None and count.is_whole:
        end(to_ns)
    count.held_back = watcher.cooldown.held_back
    return count


def _before(log: Log, kind: str, from_ns: int) -> Iterable[Event]:
    seq = log.seq_at(from_ns - 1)
    return [] if seq is None else [event for event in log.state_at(seq) if event.type.value == kind]


class _EventCount:
    def __init__(self, watcher: Watcher, count: Count) -> None:
        self._watcher, self._count = watcher, count
        self._condition = watcher.rule.condition

    def take(self, event: Event) -> None:
        if is_history(event.source, event.facts.exchange_ms, event.received_ns):
            return
        condition = self._condition
        if condition is not None and not condition.holds(event_value(event.body, condition.field)):
            return
        if self._watcher.cooldown.passes(event.received_ns / 1e9):
            self._count.fire(event.received_ns)


class _StateCount:
    """Positions or wallets: judged at each of their events, and in between by what went on to hold."""

    def __init__(self, watcher: Watcher, count: Count) -> None:
        self._watcher, self._count = watcher, count
        self._is_position = watcher.rule.subject == "position"

    def begin(self, events: Iterable[Event], from_ns: int) -> None:
        for event in events:
            self._judge(event, from_ns / 1e9, is_counted=False)
        for thing in self._watcher.edge.things():
            self._watcher.edge.silence(thing)

    def take(self, event: Event) -> None:
        if not event.is_late:
            self._judge(event, event.received_ns / 1e9, is_counted=True)

    def end(self, to_ns: int) -> None:
        for thing in self._watcher.edge.things():
            self._elapse(thing, to_ns / 1e9)

    def _judge(self, event: Event, now_s: float, *, is_counted: bool) -> None:
        condition, watcher = self._watcher.rule.condition, self._watcher
        assert condition is not None
        for row in self._rows(event):
            thing = row["id"] if self._is_position else row["currency"]
            if is_counted:
                self._elapse(thing, now_s)
                self._age(thing, now_s)
            if self._is_position and row["side"] == "flat":
                watcher.edge.look(thing, False, now_s)
                continue
            found = (position_value if self._is_position else balance_value)(row, condition.field)
            value = watcher.value(thing, found, now_s)
            fires = value is not None and watcher.edge.look(thing, condition.holds(value), now_s)
            if fires and is_counted:
                self._fire(thing, now_s)

    def _age(self, thing: str, now_s: float) -> None:
        # A move grows at events only and shrinks between them: it may have ceased to hold by now.
        watcher, condition = self._watcher, self._watcher.rule.condition
        last = None if watcher.moves is None else watcher.moves.last(thing)
        if last is not None and condition is not None and not condition.holds(watcher.value(thing, last, now_s)):
            watcher.edge.look(thing, False, now_s)

    def _elapse(self, thing: str, now_s: float) -> None:
        fired_s = self._watcher.edge.elapse(thing, now_s)
        if fired_s is not None:
            self._fire(thing, fired_s)

    def _fire(self, thing: str, at_s: float) -> None:
        if self._watcher.cooldown.passes(at_s, thing):
            self._count.fire(round(at_s * 1e6) * 1_000)

    def _rows(self, event: Event) -> list[Row]:
        state, pairs = fold([event._replace(is_late=False)]), self._watcher.wanted.pairs
        if self._is_position:
            return [row for row in account.positions(state, _NO_MARKS, 0) if not pairs or row["pair"] in pairs]
        return [row for row in account.balances(state, None, None) if not pairs or row["currency"] in pairs]
