"""The quirk meter: what the exchange does against its own rules, counted, with one sample each."""

import threading
from enum import StrEnum
from typing import Final, NamedTuple

from coindcx_feed.exchange.records import OrderRecord, Record
from coindcx_feed.feed.normalize import AccountItem

SAMPLE_BYTES: Final = 4_096


class Quirk(StrEnum):
    """Rules of an order's life and of the wire that were broken, in words for the Feed page."""

    AFTER_END = "update after a terminal status"
    BACKWARDS = "older update after a newer one"
    NUMBER_AS_TEXT = "number written as text"
    UNKNOWN_STATUS = "status that is not documented"
    UNKNOWN_FIELD = "field that is not documented"
    UNKNOWN_EVENT = "event that is not documented"
    NO_ID = "record without id"
    NO_FILL = "filled quantity without a fill"


class Met(NamedTuple):
    """How often a quirk was met. Wall clock, ns. ``sample`` is the start of the newest record that showed it."""

    quirk: Quirk
    total: int
    first_ns: int
    last_ns: int
    sample: bytes


class Quirks:
    """Threads: one writer, any readers."""

    def __init__(self) -> None:
        self._met: dict[Quirk, Met] = {}
        self._lock = threading.Lock()

    def meet(self, quirk: Quirk, at_ns: int, sample: bytes) -> None:
        """Count one."""
        with self._lock:
            known = self._met.get(quirk)
            first_ns, count = (at_ns, 0) if known is None else (known.first_ns, known.total)
            self._met[quirk] = Met(quirk, count + 1, first_ns, at_ns, sample[:SAMPLE_BYTES])

    def met(self) -> list[Met]:
        """Return those ever met, the newest first."""
        with self._lock:
            return sorted(self._met.values(), key=lambda item: -item.last_ns)


def quirks_of(item: AccountItem, known: Record | None, *, is_late: bool) -> list[Quirk]:
    """List the rules that a valid record breaks, seen beside the present record of its id."""
    record = item.record
    found = []
    if is_late:
        found.append(Quirk.BACKWARDS)
    elif isinstance(known, OrderRecord) and known.is_terminal:
        found.append(Quirk.AFTER_END)
    if isinstance(record, OrderRecord) and not record.has_known_status:
        found.append(Quirk.UNKNOWN_STATUS)
    if record.model_extra:
        found.append(Quirk.UNKNOWN_FIELD)
    if item.has_number_as_text:
        found.append(Quirk.NUMBER_AS_TEXT)
    return found


def quirk_of(reason: str) -> Quirk | None:
    """Name the rule behind a reason of quarantine, if it is one of the exchange's own."""
    if reason.startswith("unknown event"):
        return Quirk.UNKNOWN_EVENT
    return Quirk.NO_ID if " field id:" in reason else None
