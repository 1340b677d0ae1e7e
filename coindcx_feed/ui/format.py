"""Numbers, times and texts as people read them. Nothing here rounds the exchange's figures."""

import re
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

MINUS: Final = "−"
UNKNOWN: Final = "–"
SHOWN_CHARACTERS: Final = 200
"""Feed texts are cut here for display; the record itself stays whole."""

_indian: ContextVar[bool] = ContextVar("indian", default=False)
_grouped_whole = re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII)
_plain_number = re.compile(r"(-?)(\d+)(\.\d+)?", re.ASCII).fullmatch
# Characters that are invisible or turn the direction of what follows: a name must not look like another one.
_UNSEEN: Final = r"\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufe00-\ufe0f\ufeff"
_unseen = re.compile(f"[{_UNSEEN}]")
_not_plain = re.compile(rf"[^\S\n ]|(?!\n)[{_UNSEEN}]")


def number(text: str | None, *, signed: bool = False) -> str:
    """Group an exact decimal text; every digit stays.

    Args:
        signed: Write ``+`` before a positive figure, for results and changes.
    """
    if text is None:
        return UNKNOWN
    match = _plain_number(text)
    if match is None:
        return visible(text)
    minus, whole, rest = match.groups()
    grouped = f"{int(whole):,}{rest or ''}"
    if minus:
        return MINUS + grouped
    return f"+{grouped}" if signed and any(digit in grouped for digit in "123456789") else grouped


def rounded(text: str | None, places: int = 2, *, signed: bool = False) -> str:
    """Round a computed figure for reading; small ones get more places so that they do not become 0."""
    value = decimal(text)
    if value is None:
        return UNKNOWN
    if value and abs(value) < 1:
        places = max(places, 4 if abs(value) < Decimal("0.01") else places)
    quantum = Decimal(1).scaleb(-places)
    return number(f"{value.quantize(quantum, ROUND_HALF_EVEN) + 0:f}", signed=signed)


def figure(text: str | None, *, digits: int = 7) -> str:
    """Shorten a long figure for a card: about ``digits`` significant ones, at least two decimals, none added.

    The exact text belongs into the tooltip beside it.
    """
    value = decimal(text)
    if text is None or value is None:
        return number(text)
    places = max(2, digits - 1 - (value.adjusted() if value else 0))
    given = -int(value.as_tuple().exponent)
    if given <= places:
        return number(text)
    whole, _, rest = f"{value.quantize(Decimal(1).scaleb(-places)):f}".partition(".")
    return number(f"{whole}.{rest.rstrip('0').ljust(2, '0')}")


def group_rupees(indian: bool) -> None:
    """Choose how ``in_currency`` groups rupees from here on.

    Threads: for the calling one only; others write thousands.
    """
    _indian.set(indian)


def is_indian(currency: str | None) -> bool:
    """Say whether figures of a currency are grouped in lakh and crore here."""
    return currency == "INR" and _indian.get()


def in_currency(shown: str, currency: str | None) -> str:
    """Write a grouped figure as its currency is read: rupees in lakh and crore if the reader chose that.

    Args:
        shown: What ``number``, ``rounded`` or ``figure`` wrote; only the commas move.
    """
    return _grouped_whole.sub(_lakhs, shown, count=1) if is_indian(currency) else shown


def all_in_currency(text: str, currency: str | None) -> str:
    """Write every grouped figure of a line as ``in_currency`` does: all of them are amounts of that currency."""
    return _grouped_whole.sub(_lakhs, text) if is_indian(currency) else text


def _lakhs(match: re.Match[str]) -> str:
    digits = match.group().replace(",", "")
    head, tail = digits[:-3], digits[-3:]
    first = len(head) % 2
    pairs = [head[:first]] * bool(first) + [head[at : at + 2] for at in range(first, len(head), 2)]
    return ",".join([*pairs, tail])


_long_decimals = re.compile(r"(\d\.\d{4})\d{3,}", re.ASCII)


def trimmed(text: str) -> str:
    """Cut long decimals inside a sentence, visibly: 11,258.021086135033 becomes 11,258.0210…"""
    return _long_decimals.sub(r"\1…", text)


def decimal(text: str | None) -> Decimal | None:
    """Read an exact text, or return ``None`` when it is no finite number."""
    try:
        value = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and abs(value.adjusted()) < 60 else None


@lru_cache(maxsize=20_000)
def binary(text: str | None) -> float | None:
    """Return the nearest float, for sorting and drawing only."""
    value = decimal(text)
    return None if value is None else float(value)


def split_digits(text: str | None) -> tuple[str, str]:
    """Split an exact figure after the second decimal: the tail is shown smaller, never cut."""
    shown = number(text)
    whole, point, rest = shown.partition(".")
    return (whole + point + rest[:2], rest[2:])


def percent(share: float | None, *, signed: bool = False, places: int = 1) -> str:
    """Write a share (1.0 is 100 %)."""
    if share is None or share != share:
        return UNKNOWN
    text = f"{abs(share) * 100:,.{places}f}"
    is_zero = not any(digit in text for digit in "123456789")
    sign = "" if is_zero else MINUS if share < 0 else "+" if signed else ""
    return f"{sign}{text} %"


def count(value: int) -> str:
    return f"{value:,}"


def duration(seconds: float | None) -> str:
    """Write a length of time: 0.4 s, 42 s, 12 m 08 s, 2 h 14 m, 3 d 04 h."""
    if seconds is None:
        return UNKNOWN
    seconds = max(seconds, 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60:02d} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600:02d} h"


def milliseconds(value: float | None) -> str:
    """Write a delay in ms; a negative one (clock skew) keeps its sign."""
    if value is None or value != value:
        return UNKNOWN
    sign = MINUS if value < -0.5 else ""
    return f"{sign}{abs(value):,.0f} ms" if abs(value) < 10_000 else sign + duration(abs(value) / 1000)


def moment(ms: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)


def day(ms: float, zone: tzinfo) -> tuple[float, float]:
    """Return where the day of a time begins and ends in a zone, Unix ms; a day may have 23 or 25 hours."""
    first = moment(ms, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return first.timestamp() * 1000, (first + timedelta(days=1)).timestamp() * 1000


def clock(ms: float | None, zone: tzinfo, *, today: float | None = None, digits: int = 3) -> str:
    """Write a time of day; the date stands before it when it is not today's.

    Args:
        ms: Unix time, milliseconds.
        today: Any time of the day that counts as today; ``None`` leaves dates out.
        digits: 3 shows milliseconds, 0 seconds, -1 minutes only.
    """
    if ms is None:
        return UNKNOWN
    at = moment(ms, zone)
    text = at.strftime("%H:%M" if digits < 0 else "%H:%M:%S")
    if digits > 0:
        text += f".{at.microsecond // 1000:03d}"
    if today is not None and moment(today, zone).date() != at.date():
        text = f"{at.day} {at:%b} {text}"
    return text


def utc(ms: float | None) -> str:
    """Write a time in UTC with its date, for tooltips."""
    if ms is None:
        return UNKNOWN
    at = moment(ms, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def zone_name(zone: tzinfo, ms: float) -> str:
    """Name the zone once per page: IST (UTC+05:30)."""
    at = moment(ms, zone)
    offset = at.strftime("%z")
    offset = f"UTC{offset[:3]}:{offset[3:5]}"
    name = at.tzname() or ""
    if name == "UTC":
        return "UTC"
    return f"{name} ({offset})" if name[:1].isalpha() else offset


def short_id(text: str | None) -> str:
    return UNKNOWN if text is None else visible(text)[:8]


def visible(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Make a feed text safe to look at: cut, with unseen and direction-turning characters replaced.

    It stays text; whoever shows it must not parse it.
    """
    shown = _unseen.sub("\N{REPLACEMENT CHARACTER}", text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def escaped_json(text: str, limit: int) -> str:
    """Return JSON text that means the same with unseen characters written as escapes, cut for display."""
    shown = _not_plain.sub(_escape, text[:limit])
    left = len(text) - limit
    return shown if left <= 0 else f"{shown}\n… {left:,} more characters: the export has them all"


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
