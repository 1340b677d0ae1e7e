"""Messages of a sidecar as they come, checked for what every reader of them relies on. Pure.

Records are left as they are: their shapes change with the exchange, and nothing of them is dropped.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from coindcx_feed.errors import ClientError

GREETING: Final = "Connected to CoinDCX WebSocket bridge"
RESUME_GAP: Final = "resume_gap"
EPOCH_CHANGED: Final = "epoch_changed"
MOST_SEQ: Final = 2**63 - 1
"""What a column of a table holds."""

_CHANGED: Final = frozenset({"subscribed", "unsubscribed", "resumed"})
_WITHOUT_TIME: Final = frozenset({"ping", "pong", "error"}) | _CHANGED
"""Said to one client."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
_MODE: Final = re.compile("[a-z]{1,16}")
"""It becomes a cell of exports and a word on every page."""
_MOST_TOLD: Final = 300
# Numbers with a point become Decimal: a binary float would round the exchange's money.
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


class Envelope(dict[str, Any]):
    """One message, decoded; numbers with a point are ``Decimal``.

    Attributes:
        raw: The message as received, UTF-8.
        epoch: Series of its ``seq``, from the greeting.
        mode: ``live``, ``demo``, ``custom`` or ``replay``, from the greeting.
    """

    __slots__ = ("epoch", "mode", "raw")

    def __init__(self, raw: bytes, epoch: str = "", mode: str = "") -> None:
        super().__init__(_decode(raw))
        self.raw = raw
        self.epoch = epoch
        self.mode = mode


def parse_envelope(raw: bytes, epoch: str = "", mode: str = "") -> Envelope:
    """Read one message.

    Raises:
        ClientError: If it is not JSON, or lacks what every message of a sidecar has.
    """
    envelope = _decoded(raw, epoch, mode)
    if not _is_message(envelope):
        raise ClientError("expected messages of a CoinDCX sidecar, was JSON of another shape: check the address")
    return envelope


def parse_greeting(raw: bytes) -> dict[str, Any]:
    """Read the first message of a connection; returns its data: ``epoch``, ``mode``, ``seq`` and more.

    Raises:
        ClientError: If it is another message, or not JSON.
    """
    envelope = _decoded(raw)
    data: dict[str, Any] = envelope["data"] if _is_message(envelope) and envelope["type"] == "system" else {}
    is_known = data.get("message") == GREETING and _is_text(data.get("epoch"))
    if not is_known or not _MODE.fullmatch(str(data.get("mode"))) or not _is_number(data.get("seq")):
        raise ClientError("expected the greeting of a CoinDCX sidecar, was another message: check the address")
    return data


def gap_line(data: Mapping[str, Any]) -> str:
    """Say in one line which events a gap is about, for the message column of a table."""
    return f"{RESUME_GAP}: {data.get('missed_from')} to {data.get('missed_to')}, {data.get('reason')}"


def shown(text: str) -> str:
    """Return what another program told as one short line that a terminal may print."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_TOLD])


def error_of(raw: bytes) -> str:
    """Return the line of a refusal over HTTP, nothing where there is none."""
    try:
        return shown(str(_decode(raw).get("error", "")))
    except (msgspec.DecodeError, ArithmeticError, RecursionError):
        return ""


def _decoded(raw: bytes, epoch: str = "", mode: str = "") -> Envelope:
    try:
        return Envelope(raw, epoch, mode)
    except (msgspec.DecodeError, ArithmeticError, RecursionError):
        raise ClientError("expected JSON messages of a CoinDCX sidecar, was other text: check the address") from None


def _is_message(envelope: Mapping[str, Any]) -> bool:
    kind, data, derived = envelope.get("type"), envelope.get("data"), envelope.get("derived", [])
    if not isinstance(kind, str) or (kind == "system" and not (isinstance(data, dict) and _is_note(data))):
        return False
    if kind in _CHANGED and not (isinstance(data, dict) and _is_number(data.get("seq"))):
        return False
    if any(name in envelope and not _is_number(envelope[name]) for name in ("seq", "mseq")):
        return False
    if not isinstance(derived, list) or not all(isinstance(name, str) for name in derived):
        return False
    return kind in _WITHOUT_TIME or ("data" in envelope and _is_time(envelope.get("timestamp")))


def _is_note(data: Mapping[str, Any]) -> bool:
    message, ends = data.get("message"), (data.get("missed_from"), data.get("missed_to"))
    if message == RESUME_GAP:
        return all(end is None or _is_number(end) for end in ends)
    return message != EPOCH_CHANGED or _is_text(data.get("epoch"))


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_SEQ


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
