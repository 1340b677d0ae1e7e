"""What the events of one slice do to the state before they are stored.

Nothing shows it yet, but the next record of the slice is judged by it.
"""

from coindcx_feed.events import EventType
from coindcx_feed.feed.normalize import AccountRecord
from coindcx_feed.feed.state import AccountState

_Key = tuple[EventType, str]


_Change = tuple[EventType, AccountRecord, int, int, bool, str]
"""Type, record, number, receive time (ns), lateness, key: plain, because there is one per event."""


class Pending:
    """The state as it will be. Threads: the pipeline's loop only.

    Args:
        state: What readers see; changed by ``settle`` only.
    """

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._changes: list[_Change] = []
        self._records: dict[_Key, AccountRecord] = {}
        self._seqs: dict[_Key, int] = {}

    def known(self, kind: EventType, key: str) -> AccountRecord | None:
        """Return the present record of an id, or ``None``."""
        return self._records.get((kind, key)) or self._state.known(kind, key)

    def last_seq(self, kind: EventType, key: str) -> int:
        """Return the ``seq`` of the last event of an id, late ones included, or 0."""
        return self._seqs.get((kind, key)) or self._state.last_seq(kind, key)

    def take(
        self, kind: EventType, record: AccountRecord, seq: int, received_ns: int, *, is_late: bool, key: str
    ) -> None:
        """Take in one event that is not stored yet."""
        self._changes.append((kind, record, seq, received_ns, is_late, key))
        self._seqs[kind, key] = seq
        if not is_late:
            self._records[kind, key] = record

    def settle(self) -> None:
        """Bring the state up to date: the events are stored, or published as not stored."""
        for kind, record, seq, received_ns, is_late, key in self._changes:
            self._state.apply(kind, record, seq, received_ns, is_late=is_late, key=key)
        self._changes.clear()
        self._records.clear()
        self._seqs.clear()
