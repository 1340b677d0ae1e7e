"""Exact decimals in and out of JSON. Nothing here passes through a binary float."""

from decimal import Context, Decimal, localcontext
from typing import Any, Final

import msgspec

WIDE: Final = Context(prec=80)
_MAX_EXPONENT: Final = 40


def _exact(text: str) -> Decimal:
    number = Decimal(text)
    if number and not -_MAX_EXPONENT < number.adjusted() < _MAX_EXPONENT:
        raise ValueError(f"expected a number within 1e±{_MAX_EXPONENT}, was {text[:40]}")
    return number


_decoder = msgspec.json.Decoder(float_hook=_exact)


def parse_exact(text: bytes | str) -> Any:
    """Parse JSON with every fraction as ``Decimal``.

    Raises:
        ValueError: If the text is not JSON or holds a number beyond 1e±40.
        RecursionError: If it is nested too deeply.
    """
    return _decoder.decode(text)


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros, as the exchange's own publisher does."""
    with localcontext(WIDE):
        text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
