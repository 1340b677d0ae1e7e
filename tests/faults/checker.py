"""The checker: what the exchange sent against what each stage took. Pure; every fault test ends with it.

A record may be missing only where the feed itself says so: its time lies in a recorded gap, a message told the client.
"""

import bisect
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from fakes.numbered import Sent

SLACK_NS: Final = 400_000_000
"""A gap begins with the last frame before it; what was on the way then was sent a little earlier."""


ON_THE_WAY_NS: Final = 5_000_000_000
"""No line of these tests holds anything for longer."""

STAGES: Final = {
    "ring": ("lost", "duplicated", "suppressed", "reordered", "invented"),
    "client": ("lost", "duplicated", "reordered", "invented"),
    "state": ("wrong",),
}
"""What each stage can do wrong: from the exchange to the ring, from there to a client, and the state shown."""


class Taken(NamedTuple):
    """One account event of the ring: its record's text and its origin."""

    seq: int
    text: bytes
    source: str
    received_ns: int = 0


class Span(NamedTuple):
    """A time in which records may be missing, because the feed says that it was away. Wall clock, ns."""

    start_ns: int
    end_ns: int


@dataclass
class Verdict:
    """Findings of all stages, one line each; ``in_gap`` and ``swallowed`` were excused and are counted."""

    sent: int = 0
    events: int = 0
    duplicates: int = 0
    quarantined: int = 0
    in_gap: int = 0
    swallowed: int = 0
    recovered: int = 0
    delivered: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def findings(self) -> dict[str, list[str]]:
        names = ("lost", "duplicated", "suppressed", "reordered", "invented", "wrong")
        return {name: found for name in names if (found := getattr(self, name))}

    def __str__(self) -> str:
        counts = ("sent", "events", "duplicates", "quarantined", "in_gap", "swallowed", "recovered", "delivered")
        parts = [f"{name}={getattr(self, name)}" for name in counts]
        return " ".join([*parts, *(f"{stage}({self._found(stage)})" for stage in STAGES)])

    def _found(self, stage: str) -> str:
        counted = {name: sum(_stage(one) == stage for one in getattr(self, name)) for name in STAGES[stage]}
        return " ".join(f"{name}={count}" for name, count in counted.items())


def _stage(finding: str) -> str:
    return next((stage for stage in ("client", "state") if finding.startswith(f"{stage} ")), "ring")


def check_feed(
    verdict: Verdict,
    sent: Sequence[Sent],
    taken: Sequence[Taken],
    apart: Iterable[bytes],
    listed: set[bytes],
    away: Sequence[Span],
    delivered: Mapping[int, Sequence[int]] | None = None,
) -> None:
    """Compare what was sent and listed with what became events and what was kept apart.

    Args:
        sent: By the exchange, in order.
        taken: Events with a record of the stream or of a read, by ``seq``.
        apart: Raw texts of duplicates and of quarantine.
        listed: Texts of the rows that reads were given.
        away: The recorded gaps, and the time before the first join.
        delivered: When the line handed on each record, by number, wall clock ns; without it no line holds anything.
    """
    verdict.sent, verdict.events = len(sent), len(taken)
    by_text: dict[bytes, list[Sent]] = defaultdict(list)
    for one in sent:
        by_text[one.text].append(one)
    tail = _Tail(sent, [event for event in taken if event.source == "stream"], away, delivered)
    away = _joined(away)
    stream = Counter(event.text for event in taken if event.source == "stream")
    read = Counter(event.text for event in taken if event.source == "rest")
    kept = Counter(apart)
    for text, sends in by_text.items():
        _check_text(
            verdict, sends, stream[text], read[text], kept[text], lambda one: _is_away(one, away) or one in tail
        )
    verdict.invented += [f"stream {text!r:.160}" for text in stream if text not in by_text]
    verdict.invented += [f"rest {text!r:.160}" for text in read if text not in listed]
    _check_order(verdict, sent, [event for event in taken if event.source == "stream"])


class _Tail:
    """What was on its way when a connection ended: a line keeps the order, so nothing sent later came before the gap.

    A slow line may hold records for longer than the slack; how long they took is not for the feed to know. What the
    line had handed on before, the feed had, and must have taken.
    """

    def __init__(
        self,
        sent: Sequence[Sent],
        stream: Sequence[Taken],
        away: Sequence[Span],
        delivered: Mapping[int, Sequence[int]] | None,
    ) -> None:
        self._delivered = delivered
        self._starts = sorted(span.start_ns for span in away)
        self._places = {id(one): place for place, one in enumerate(sent)}
        places: dict[bytes, list[int]] = defaultdict(list)
        for place, one in enumerate(sent):
            places[one.text].append(place)
        self._came: list[tuple[int, int]] = []
        for event in stream:
            later = [place for place in places.get(event.text, ()) if not self._came or place > self._came[-1][0]]
            if later:
                self._came.append((later[0], event.received_ns))

    def __contains__(self, one: Sent) -> bool:
        index = bisect.bisect_left(self._starts, one.at_ns)
        if self._delivered is None or index == len(self._starts) or self._starts[index] - one.at_ns > ON_THE_WAY_NS:
            return False
        had_ns = self._starts[index] - SLACK_NS
        if any(one.at_ns <= at_ns <= had_ns for at_ns in self._delivered.get(one.number, ())):
            return False
        after = bisect.bisect_right(self._came, (self._places[id(one)], 1 << 63))
        return after == len(self._came) or self._came[after][1] > self._starts[index]


def _check_text(
    verdict: Verdict, sends: list[Sent], stream: int, read: int, kept: int, is_away: Callable[[Sent], bool]
) -> None:
    name = f"{sends[0].kind} {sends[0].key} #{sends[0].number}"
    news = sum(not one.is_repeat for one in sends)
    missing = len(sends) - stream - kept
    swallowed = sum(one.is_swallowed for one in sends)
    in_gap = sum(not one.is_swallowed and is_away(one) for one in sends)
    verdict.swallowed += min(missing, swallowed)
    verdict.in_gap += min(max(0, missing - swallowed), in_gap)
    verdict.recovered += read and not stream
    if missing > swallowed + in_gap:
        verdict.lost.append(f"{name} at {sends[0].at_ns}")
    if stream + read > max(1, news) or missing < 0:
        verdict.duplicated.append(f"{name}: {stream} from the stream, {read} read, of {news}")
    if stream + read < (news if not missing else min(1, len(sends) - missing)):
        verdict.suppressed.append(name)


def _joined(away: Sequence[Span]) -> list[Span]:
    # With slack, sorted and without overlaps: one look instead of hundreds for each record of a long soak.
    found: list[Span] = []
    for start_ns, end_ns in sorted(away):
        start_ns, end_ns = start_ns - SLACK_NS, end_ns + SLACK_NS
        if found and start_ns <= found[-1].end_ns:
            found[-1] = Span(found[-1].start_ns, max(found[-1].end_ns, end_ns))
        else:
            found.append(Span(start_ns, end_ns))
    return found


def _is_away(one: Sent, away: Sequence[Span]) -> bool:
    index = bisect.bisect_right(away, one.at_ns, key=lambda span: span.start_ns) - 1
    return index >= 0 and one.at_ns <= away[index].end_ns


def _check_order(verdict: Verdict, sent: Sequence[Sent], taken: Sequence[Taken]) -> None:
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, one in enumerate(sent):
        places[one.text].append(place)
    last = -1
    for event in taken:
        later = [place for place in places.get(event.text, ()) if place > last]
        if later:
            last = later[0]
        elif event.text in places:
            verdict.reordered.append(f"seq {event.seq} overtook or repeats {event.text!r:.80}")


def check_client(
    verdict: Verdict, bodies: dict[int, bytes], received: Sequence[dict[str, Any]], raws: Sequence[bytes]
) -> None:
    """Compare what a client received with the ring.

    Args:
        bodies: Envelope of every event that was ever in the ring and is still kept, by ``seq``.
        received: The client's messages in order.
        raws: Their bytes.
    """
    seen: list[int] = []
    told: set[int] = set()
    for message, raw in zip(received, raws, strict=True):
        if "seq" in message:
            seen.append(message["seq"])
            if bodies.get(message["seq"], raw) != raw:
                verdict.invented.append(f"client seq {message['seq']}")
        elif message["data"].get("message") == "resume_gap":
            told |= set(range(message["data"]["missed_from"], message["data"]["missed_to"] + 1))
    verdict.delivered = len(seen)
    counted = Counter(seen)
    verdict.duplicated += [f"client seq {seq}" for seq, count in counted.items() if count > 1]
    verdict.reordered += [f"client seq {b} after {a}" for a, b in itertools.pairwise(seen) if b < a]
    if seen or bodies:
        newest = max([*bodies, *seen])
        verdict.lost += [f"client seq {seq}" for seq in range(1, newest + 1) if seq not in counted and seq not in told]


def check_state(verdict: Verdict, kind: str, expected: dict[str, dict[str, Any]], shown: dict[str, Any]) -> None:
    """Compare the present records of a kind with the exchange's, by their numbers."""
    for key, record in expected.items():
        number = (shown[key].model_extra or {}).get("x_number") if key in shown else None
        if number != record["x_number"]:
            verdict.wrong.append(f"state {kind} {key} shows #{number} instead of #{record['x_number']}")
