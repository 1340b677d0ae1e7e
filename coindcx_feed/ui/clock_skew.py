"""How far this machine's clock is from the exchange's, in words. Pure."""

from typing import Any, Final

from coindcx_feed.ui import format as fmt

OFF_MS: Final = 2_000
"""From here on a clock is wrong, not merely uncertain: a reply's date alone is cut to whole seconds."""

Skew = dict[str, Any]


def is_off(skew: Skew) -> bool:
    """Say whether the clocks differ by more than ``OFF_MS`` whatever the uncertainty."""
    return bool(abs(skew["offset_ms"]) - skew["uncertainty_ms"] > OFF_MS)


def offset(skew: Skew) -> str:
    """Write the offset with sign, unit and direction: ``+120 ms, ahead of the exchange``."""
    value = skew["offset_ms"]
    text = fmt.milliseconds(value)
    if abs(value) <= 0.5:
        return f"{text}, as the exchange"
    return f"+{text}, ahead of the exchange" if value > 0 else f"{text}, behind the exchange"


def uncertainty(skew: Skew) -> str:
    """Write how far the truth may be from the offset."""
    return f"± {fmt.milliseconds(skew['uncertainty_ms'])}"
