"""Times to fill in narrow classes: their counts and sums add up over any range, and still tell a median."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

PER_DOUBLING: Final = 8
"""Classes between a time and twice that time: each is 9 % wide."""

Classes = Mapping[str, tuple[int, Decimal]]
"""Name of a class to how many times are in it and their sum, ms."""


def class_of(ms: Decimal) -> str:
    """Name the class of a time; all below a millisecond share one."""
    return str(1 + math.floor(PER_DOUBLING * math.log2(ms))) if ms >= 1 else "0"


def median_ms(classes: Classes) -> float | None:
    """Return the median, off by at most the width of a class; ``None`` without a time.

    A class stands for its mean, so that the median of a single time, or of equal ones, is exact.
    """
    total = sum(number for number, _ in classes.values())
    if not total:
        return None
    return (_at(classes, (total - 1) // 2) + _at(classes, total // 2)) / 2


def _at(classes: Classes, place: int) -> float:
    for name in sorted(classes, key=int):
        number, added = classes[name]
        if place < number:
            return float(added) / number
        place -= number
    raise ValueError("expected a place within the classes, was one beyond: ask for less than their sum")
