"""Exact decimals in and out of JSON. Nothing here passes through a binary float."""

from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

import msgspec

WIDE: Final = Context(prec=80)
MAX_EXPONENT: Final = 60


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def parse_exact(text: bytes | str) -> Any:
    """Parse JSON with every fraction as ``Decimal``.

    Raises:
        ValueError: If the text is not JSON.
        RecursionError: If it is nested too deeply.
    """
    try:
        return _decoder.decode(text)
    except ArithmeticError:
        raise ValueError("expected numbers with an exponent below 1e999999, was a larger one") from None


def written(number: Decimal) -> str:
    """Write a decimal with all its digits and no exponent, unless that would take more than ``MAX_EXPONENT`` zeros."""
    return format(number, "f") if -MAX_EXPONENT < number.adjusted() < MAX_EXPONENT else str(number)


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros, as the exchange's own publisher does."""
    text = written(number)
    if "." in text and "E" not in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def finite(value: Any) -> Decimal | None:
    """Read a figure of a frame, number or text; ``None`` when it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
