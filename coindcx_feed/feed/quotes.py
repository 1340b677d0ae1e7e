"""The newest figures of chosen pairs, merged from frames that carry any part of them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from coindcx_feed.exchange.numbers import finite

FIELDS: Final = ("ls", "mp", "fr", "efr", "h", "l", "v", "pc")
"""Last, mark, settled and upcoming funding rate, and of 24 h: high, low, volume, change in percent."""

_PRICES: Final = frozenset({"ls", "mp", "h", "l"})
MAX_EXPONENT: Final = 40


class Figure(NamedTuple):
    """One figure and when it was received (Unix ns)."""

    value: Decimal
    received_ns: int


Row = Mapping[str, Figure]


class Quotes:
    """Threads: one writer, any readers; a row is replaced as a whole."""

    def __init__(self, pairs: Iterable[str] = ()) -> None:
        self._rows: dict[str, Row] = {pair: {} for pair in pairs}

    def choose(self, pairs: Iterable[str]) -> None:
        """Keep figures of these pairs only; those of a pair that stays are kept."""
        self._rows = {pair: self._rows.get(pair, {}) for pair in pairs}

    def update(self, prices: Mapping[str, Any], received_ns: int) -> None:
        """Take a current-prices frame; what it does not carry stays, and what is no number is left out."""
        rows = self._rows
        for pair, known in list(rows.items()):
            fields = prices.get(pair)
            if isinstance(fields, dict):
                rows[pair] = {**known, **_figures(fields, received_ns)}

    def fill(self, prices: Mapping[str, Any], received_ns: int) -> None:
        """Take a REST read, which may be older than the stream: only what is not known yet."""
        rows = self._rows
        for pair, known in list(rows.items()):
            fields = prices.get(pair)
            if isinstance(fields, dict):
                rows[pair] = {**_figures(fields, received_ns), **known}

    def row(self, pair: str) -> Row:
        """Return the figures by their name on the wire; empty for a pair that is not chosen."""
        return self._rows.get(pair, {})

    def lacking(self) -> list[str]:
        """Return the pairs of which something is not known yet."""
        return [pair for pair, row in list(self._rows.items()) if len(row) < len(FIELDS)]


def _figures(fields: Mapping[str, Any], received_ns: int) -> dict[str, Figure]:
    found = {}
    for name in FIELDS:
        value = _number(fields.get(name), is_price=name in _PRICES)
        if value is not None:
            found[name] = Figure(value, received_ns)
    return found


def _number(value: Any, *, is_price: bool) -> Decimal | None:
    number = finite(value)
    if number is None or not -MAX_EXPONENT < number.adjusted() < MAX_EXPONENT:
        return None
    return None if is_price and number <= 0 else number  # a price of 0 stands for "none" on this exchange
