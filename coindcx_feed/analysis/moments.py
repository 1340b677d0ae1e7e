"""Times, windows and speeds as people write them. Loads nothing heavy: settings use it."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from coindcx_feed.errors import ConfigError

STEP: Final = 0.0
MAX: Final = math.inf
MOST: Final = 1_000_000.0

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR: Final = 2261
"""Later times do not fit into 64 bits of nanoseconds."""


class Window(NamedTuple):
    """A time range by receive time, Unix ns, the end excluded; ``None`` leaves an end open."""

    from_ns: int | None = None
    to_ns: int | None = None


def parse_moment(text: str, name: str) -> int:
    """Read a time such as ``2026-11-22``, ``2026-11-22T14:30`` or ``2026-11-22T14:30:05.250+05:30``.

    Without a zone it is UTC; a date alone is its first moment.

    Args:
        name: What is read, for the message.
    Returns:
        Unix ns.
    Raises:
        ConfigError: One line.
    """
    expected = f"{name}: expected a time such as 2026-11-22 or 2026-11-22T14:30 (UTC unless it names a zone)"
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        is_known = 1970 <= moment.year <= _LAST_YEAR and moment >= _EPOCH
    except (ValueError, OverflowError):
        raise ConfigError(f"{expected}, was {text[:40]!r}") from None
    if not is_known:
        raise ConfigError(f"{expected} from 1970 to {_LAST_YEAR}, was {text[:40]!r}")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def parse_window(from_text: str | None, to_text: str | None, names: tuple[str, str] = ("--from", "--to")) -> Window:
    """Read both ends of a window.

    Args:
        names: What the ends are called, for the message.
    Raises:
        ConfigError: If one is no time, or the window ends before it starts; one line.
    """
    start, end = (
        None if text is None else parse_moment(text, name)
        for text, name in zip((from_text, to_text), names, strict=True)
    )
    if start is not None and end is not None and end <= start:
        raise ConfigError(
            f"{names[1]}: expected a time after {names[0]} {from_text}, was {str(to_text)[:40]}: swap them"
        )
    return Window(start, end)


def parse_speed(text: str, name: str = "--speed") -> float:
    """Read a pace: a factor such as 1, 10 or 0.5, ``max``, or ``step``.

    Returns:
        The factor; ``MAX`` or ``STEP`` for the words.
    Raises:
        ConfigError: One line.
    """
    word = text.strip().lower()
    if word in ("max", "step"):
        return MAX if word == "max" else STEP
    try:
        speed = float(word) if word.isascii() and "_" not in word else math.nan
    except ValueError:
        speed = math.nan
    if not 0.001 <= speed <= MOST:
        raise ConfigError(
            f"{name}: expected a factor such as 1 or 10 (0.001 to 1,000,000), max or step, was {text!r:.40}"
        )
    return speed


def speed_text(speed: float) -> str:
    """Write a pace as ``parse_speed`` reads it."""
    return "max" if speed == MAX else "step" if speed == STEP else f"{speed:g}"
