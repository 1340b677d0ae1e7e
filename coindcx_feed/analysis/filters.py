"""The one filter of account events: pages, exports and saved views all mean the same by the same words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np

from coindcx_feed.errors import BadRequest
from coindcx_feed.events import EventType
from coindcx_feed.feed.columns import SIDES, Columns, Looked, Mask, TextTest
from coindcx_feed.feed.ring import ColumnTest

MAX_VALUES: Final = 200
"""Values of one list; nobody picks more, and each costs a pass over a column."""
MAX_CHARACTERS: Final = 100
"""Of one value; the exchange's longest status has 19."""
MAX_TEXT: Final = 200
MAX_DIGITS: Final = 40

RowTest = Callable[[Looked], bool]

_LISTS: Final = ("types", "pairs", "sides", "statuses")
_NAMES: Final = (*_LISTS, "text", "price_min", "price_max")
_KNOWN: Final = {"types": tuple(map(str, EventType)), "sides": tuple(side for side in SIDES if side is not None)}


@dataclass(frozen=True)
class EventFilter:
    """What to show. Within a list any value will do; all parts must hold; an empty part asks for nothing.

    ``text``: every word must occur in the id or the message, whatever its case. The price range is inclusive and drops
    events that have no price.
    """

    types: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    text: str = ""
    price_min: Decimal | None = None
    price_max: Decimal | None = None

    @classmethod
    def from_mapping(cls, criteria: Mapping[str, object]) -> "EventFilter":
        """Read a filter from lists and texts, as an address or a page holds them.

        Raises:
            BadRequest: One line that says which part was not understood.
        """
        for name in criteria:
            if name not in _NAMES:
                raise BadRequest(f"filter: expected only {', '.join(_NAMES)}, was {_shown(name)}: leave it out")
        lists = {name: _parse_list(name, criteria.get(name)) for name in _LISTS}
        lowest, highest = (_parse_price(name, criteria.get(name)) for name in ("price_min", "price_max"))
        if lowest is not None and highest is not None and lowest > highest:
            raise BadRequest(f"price range: expected price_min up to price_max, was {lowest} to {highest}: swap them")
        return cls(**lists, text=_parse_text(criteria.get("text")), price_min=lowest, price_max=highest)

    def to_mapping(self) -> dict[str, object]:
        """Return the parts that ask for something, as plain lists and texts; ``from_mapping`` reads them back."""
        parts: dict[str, object] = {name: list(getattr(self, name)) for name in _LISTS}
        parts |= {"text": self.text, "price_min": _number(self.price_min), "price_max": _number(self.price_max)}
        return {name: part for name, part in parts.items() if part}

    def describe(self) -> str:
        """Say in one line what is shown, for the head of a table or of an export."""
        parts = [", ".join(getattr(self, name)) for name in _LISTS]
        parts.append(f"text {self.text!r}" if self.text else "")
        lowest, highest = _number(self.price_min), _number(self.price_max)
        if lowest and highest:
            parts.append(f"price {lowest} to {highest}")
        elif lowest or highest:
            parts.append(f"price from {lowest}" if lowest else f"price up to {highest}")
        return " · ".join(part for part in parts if part) or "all events"

    def column_test(self) -> ColumnTest | None:
        """Return the test of everything but the text, or ``None`` when it would pass all.

        Narrow columns come first: they cost an eighth of a wide one, and when they leave nothing the rest is not read.
        """
        steps = self._steps()
        return (lambda columns, rows: _all_of(steps, columns, rows)) if steps else None

    def text_test(self) -> TextTest | None:
        """Return the test of a lower-case id and message, or ``None`` when there is nothing to find."""
        words = self.text.lower().split()
        if not words:
            return None
        if len(words) == 1:
            word = words[0]
            return lambda searched: word in searched
        return lambda searched: all(word in searched for word in words)

    def row_test(self) -> RowTest | None:
        """Return the test of side, status, text and price for one event at a time, or ``None`` when all would pass.

        It passes the same events as the column and text tests; types and pairs are left to the caller.
        """
        tests: list[RowTest] = []
        if self.sides:
            tests.append(lambda looked: looked.side in self.sides)
        if self.statuses:
            tests.append(lambda looked: looked.status in self.statuses)
        if self.price_min is not None:
            floor = float(self.price_min)
            tests.append(lambda looked: looked.price >= floor)
        if self.price_max is not None:
            ceiling = float(self.price_max)
            tests.append(lambda looked: looked.price <= ceiling)
        if (text := self.text_test()) is not None:
            tests.append(lambda looked: text(looked.searched))
        if len(tests) < 2:
            return tests[0] if tests else None
        return lambda looked: all(test(looked) for test in tests)

    def _steps(self) -> list[ColumnTest]:
        steps: list[ColumnTest] = []
        if self.types:
            steps.append(lambda columns, rows: columns.mask_of_types(rows, self.types))
        if self.sides:
            steps.append(lambda columns, rows: columns.mask_of_sides(rows, self.sides))
        if self.statuses:
            steps.append(lambda columns, rows: columns.mask_of_statuses(rows, self.statuses))
        if self.pairs:
            steps.append(lambda columns, rows: columns.mask_of_pairs(rows, self.pairs))
        steps.extend(_price_steps(self.price_min, self.price_max))
        return steps


def _price_steps(lowest: Decimal | None, highest: Decimal | None) -> list[ColumnTest]:
    # The column holds the nearest binary floats; a bound is rounded the same way, so equal texts stay equal.
    steps: list[ColumnTest] = []
    if lowest is not None:
        floor = float(lowest)
        steps.append(lambda columns, rows: np.greater_equal(columns.price[rows], floor))
    if highest is not None:
        ceiling = float(highest)
        steps.append(lambda columns, rows: np.less_equal(columns.price[rows], ceiling))
    return steps


def _all_of(steps: Iterable[ColumnTest], columns: Columns, rows: slice) -> Mask:
    first, *others = steps
    mask = first(columns, rows)
    for step in others:
        if not mask.any():
            break
        mask &= step(columns, rows)
    return mask


def _parse_list(name: str, value: object) -> tuple[str, ...]:
    values = [] if value is None else [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(values, list | tuple | set | frozenset) or not all(isinstance(item, str) for item in values):
        raise BadRequest(f"{name}: expected a list of texts, was {_shown(value)}")
    if len(values) > MAX_VALUES:
        raise BadRequest(
            f"{name}: expected at most {MAX_VALUES} values, was {len(values)}: leave {name} out to get all"
        )
    if longest := next((item for item in values if len(item) > MAX_CHARACTERS), None):
        raise BadRequest(f"{name}: expected values of at most {MAX_CHARACTERS} characters, was {_shown(longest)}")
    clean = dict.fromkeys(filter(None, values))
    known = _KNOWN.get(name)
    for item in clean if known else ():
        if known and item not in known:
            raise BadRequest(f"{name}: expected some of {', '.join(known)}, was {_shown(item)}")
    return tuple(clean)


def _parse_text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"text: expected words to search for, was {_shown(value)}")
    text = " ".join(value.split())
    size = max(len(text), len(text.lower()))  # some letters are two in lower case
    if size > MAX_TEXT:
        raise BadRequest(f"text: expected at most {MAX_TEXT} characters, was {size}: search for fewer words")
    return text


def _parse_price(name: str, value: object) -> Decimal | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    hint = f"{name}: expected a plain number such as 2887.60, was {_shown(value)}"
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise BadRequest(hint)
    text = str(value).strip()
    try:
        # Decimal also takes 1_000 and other scripts' digits: more than the hint promises.
        number = Decimal(text) if text.isascii() and "_" not in text and len(text) <= MAX_DIGITS else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise BadRequest(hint)
    if len(_number(number)) > MAX_DIGITS:  # as it is written for others, who read it back
        raise BadRequest(hint)
    return number


def _number(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
