"""Where a replay is shown: the ring and the state that pages and sidecar read, which a live feed never empties."""

import hashlib
import re
from typing import Final

import msgspec

from coindcx_feed.events import Event, EventType, new_epoch
from coindcx_feed.exchange.records import Record
from coindcx_feed.feed.kept import Kept, KeptApart
from coindcx_feed.feed.normalize import stored_item
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState

MAX_BODY_BYTES: Final = (1 << 20) + (64 << 10)
"""A record of the feed is at most 1 MiB; what is larger was never written by it."""

_HEAD: Final = re.compile(
    rb'\{"id":"[0-9a-f-]{36}","timestamp":"[0-9TZ:.-]+","type":"([a-z]+)","seq":(\d+),[^{]*"data":'
)
_check = msgspec.json.Decoder(dict[str, object]).decode


class ReplayRing(Ring):
    """A ring that can begin anew."""

    _cleared_to = 0

    @property
    def oldest(self) -> int:
        """As in a ring that has overwritten what was cleared: a reader who stands before it is told so."""
        return max(self._cleared_to + 1, super().oldest)

    def clear(self, epoch: str) -> None:
        """Forget every event; the next one begins another series, numbers go on. Threads: the writer only."""
        with self._lock:
            self._cleared_to = self.version
            self._epochs = ((self._next, epoch),)


class ReplayState(AccountState):
    """A state that can begin anew."""

    def clear(self) -> None:
        """Forget the account. Threads: the writer only; a list that a reader holds stays as it was."""
        AccountState.__init__(self, self._max_orders)


class Stage:
    """Shows stored events as if they came now: numbered anew, with ids, sources, times and records as stored.

    Args:
        ring: Where they go.
        state: The account as they make it.
        quarantine: Rows that are no events, with the reason.

    Threads: one.
    """

    def __init__(self, ring: ReplayRing, state: ReplayState, quarantine: KeptApart) -> None:
        self.ring, self.state, self.quarantine = ring, state, quarantine

    def clear(self) -> None:
        """Begin another series with nothing known."""
        self.ring.clear(new_epoch())
        self.state.clear()

    def know(self, stored: Event) -> None:
        """Take an event from before the window into the state only: it has no number here."""
        item = stored_item(stored)
        if item is not None:
            received_ns, key = stored.received_ns, stored.facts.key
            self.state.apply(stored.type, item.record, 0, received_ns, is_late=stored.is_late, key=key)

    def show(self, stored: Event) -> Event | None:
        """Publish one event; what is none goes to quarantine, and ``None`` is returned."""
        if (reason := _trouble(stored)) is not None:
            self._refuse(stored, reason)
            return None
        item = stored_item(stored)
        if item is None and stored.type is not EventType.SYSTEM:
            self._refuse(stored, f"expected a record of type {stored.type}, was another")
            return None
        key, seq = stored.facts.key, self.ring.version + 1
        previous = 0 if item is None else self.state.last_seq(stored.type, key)
        event = _renumbered(stored, seq, previous)
        self.ring.append(event)
        if item is not None:
            self.state.apply(event.type, item.record, seq, event.received_ns, is_late=event.is_late, key=key)
        return event

    def _refuse(self, stored: Event, reason: str) -> None:
        raw = bytes(stored.body[:MAX_BODY_BYTES])
        self.quarantine.add(Kept(stored.seq, stored.received_ns, f"stored {stored.type}", reason, raw))


def _trouble(stored: Event) -> str | None:
    """Say why a row of a log is no event of this program; its columns are typed already."""
    body, record_at = stored.body, stored.record_at
    if len(body) > MAX_BODY_BYTES:
        return f"expected at most {MAX_BODY_BYTES:,} bytes, was {len(body):,}"
    head = _HEAD.fullmatch(body, 0, record_at) if 0 < record_at < len(body) else None
    if head is None or head[1] != stored.type.value.encode():
        return f"expected an envelope of type {stored.type}, was another text"
    if not 2 <= stored.record_bytes <= len(body) - record_at:
        return "expected a record inside the envelope, was none"
    try:
        _check(body)
    except (ValueError, RecursionError):
        return "expected JSON, was text that does not parse"
    return None


def _renumbered(stored: Event, seq: int, previous: int) -> Event:
    head = _HEAD.match(stored.body)
    assert head is not None
    body = b"%b%d%b" % (stored.body[: head.start(2)], seq, stored.body[head.end(2) :])
    moved = len(body) - len(stored.body)
    return stored._replace(seq=seq, body=body, record_at=stored.record_at + moved, previous=previous)


def state_digest(state: AccountState) -> str:
    """Return a digest of what is known of the account, the same however the numbers run.

    Orders, positions, wallets and fills with their records and times; equal digests mean equal states.
    """
    known: list[tuple[str, str, int, Record]] = [
        *(("order", entity.record.id, entity.received_ns, entity.record) for entity in state.orders()),
        *(("position", entity.record.id, entity.received_ns, entity.record) for entity in state.positions()),
        *(("balance", entity.record.id, entity.received_ns, entity.record) for entity in state.balances()),
        *(("fill", record.key, 0, record) for record in state.fills()),
    ]
    digest = hashlib.sha256()
    for kind, key, received_ns, record in sorted(known, key=lambda row: row[:2]):
        digest.update(f"{kind} {key} {received_ns} {record.model_dump_json()}\n".encode())
    return digest.hexdigest()[:32]
