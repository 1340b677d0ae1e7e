"""Market data as plain data for pages: quotes, bars, ladder, tape. Money is exact text; arrays are for pixels only."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np

from coindcx_feed.exchange.numbers import WIDE, plain, written
from coindcx_feed.feed.books import BookState, BookView, Level
from coindcx_feed.feed.candles import BY_DAYS, MINUTES, Candles
from coindcx_feed.feed.desk import Contract, Desk
from coindcx_feed.feed.marks import FRESH_S, Marks
from coindcx_feed.feed.quotes import Figure, Row

SPARK_MS: Final = 900_000
SPARK_POINTS: Final = 90
BOOK_FRESH_S: Final = 10.0
"""A book without a frame for so long is called old: its frames come twice a second while anything moves."""
CANDLE_FRESH_S: Final = 10.0
HOUR_MS: Final = 3_600_000


def quotes(desk: Desk, marks: Marks, now_ns: int) -> list[dict[str, Any]]:
    """Return one row per watched pair, in the order they were added. Shape: see ``_quote``."""
    names = None if desk.names is None else frozenset(desk.names)
    return [_quote(desk, marks, pair, names, now_ns) for pair in desk.pairs]


def _quote(desk: Desk, marks: Marks, pair: str, names: frozenset[str] | None, now_ns: int) -> dict[str, Any]:
    row, contract = desk.quotes.row(pair), desk.contracts.get(pair)
    base, _, quote = pair.removeprefix("B-").partition("_")
    now_ms = now_ns // 1_000_000
    hours = None if contract is None else contract.funding_hours
    last_age_s = _age_s(row.get("ls"), now_ns)
    return {
        "pair": pair,
        "base": base,
        "quote": quote,
        "is_listed": None if names is None else pair in names,
        "last": _price(row, "ls", contract),
        "last_age_s": last_age_s,
        "mark": _text(row, "mp"),
        "mark_age_s": _age_s(row.get("mp"), now_ns),
        "is_fresh": last_age_s is not None and last_age_s <= FRESH_S,
        "index": None,  # the exchange publishes none
        "change_percent": _text(row, "pc"),
        "high": _price(row, "h", contract),
        "low": _price(row, "l", contract),
        "volume": _text(row, "v"),
        "day_age_s": _age_s(row.get("h"), now_ns),
        "funding_rate": _text(row, "efr"),
        "settled_rate": _text(row, "fr"),
        "funding_ms": None if not hours else _next_funding(now_ms, hours),
        "funding_hours": hours,
        "spark": _spark(marks, pair, now_ms),
    }


def _text(row: Row, name: str) -> str | None:
    figure = row.get(name)
    return None if figure is None else plain(figure.value)


def _price(row: Row, name: str, contract: Contract | None) -> str | None:
    # With all decimals of the tick: a price that ends in 0 would be shorter for a moment, and the line would jump.
    figure = row.get(name)
    return None if figure is None else _stepped(figure.value, None if contract is None else contract.price_increment)


def _age_s(figure: Figure | None, now_ns: int) -> float | None:
    return None if figure is None else max(0.0, (now_ns - figure.received_ns) / 1e9)


def _next_funding(now_ms: int, hours: int) -> int:
    length = hours * HOUR_MS
    return (now_ms // length + 1) * length


def _spark(marks: Marks, pair: str, now_ms: int) -> dict[str, Any]:
    """Return marks of the last quarter of an hour, thinned; NaN where none was fresh."""
    t_ms, price = marks.series(pair, now_ms - SPARK_MS, now_ms)
    step = -(-len(t_ms) // SPARK_POINTS) or 1
    # From the newest backwards, so that the last point is always the newest mark; holes stay holes.
    chosen = np.arange(len(t_ms) - 1, -1, -step)[::-1]
    holes = np.flatnonzero(np.isnan(price))
    chosen = np.union1d(chosen, holes)
    return {"from_ms": now_ms - SPARK_MS, "to_ms": now_ms, "t_ms": t_ms[chosen], "price": price[chosen]}


def book(view: BookView, contract: Contract | None, now_ns: int) -> dict[str, Any]:
    """Return a ladder with cumulated sizes, best levels first.

    ``state`` is ``synced``, ``old`` (synced, but no frame for ``BOOK_FRESH_S``), ``waiting`` or ``unsynced``; the two
    last ones have no levels.
    """
    age_s = (now_ns - view.received_ns) / 1e9 if view.received_ns else None
    is_old = view.state is BookState.SYNCED and age_s is not None and age_s > BOOK_FRESH_S
    bid, ask = (side[0].price if side else None for side in (view.bids, view.asks))
    both = (bid, ask) if bid is not None and ask is not None else None
    return {
        "state": "old" if is_old else str(view.state),
        "reason": view.reason,
        "vs": view.vs,
        "age_s": age_s,
        "exchange_ms": view.exchange_ms or None,
        "bids": _ladder(view.bids, contract),
        "asks": _ladder(view.asks, contract),
        "bid_depth": _depth(view.bids),
        "ask_depth": _depth(view.asks),
        "spread": None if both is None else plain(both[1] - both[0]),
        "spread_share": None if both is None else float((both[1] - both[0]) / (both[0] + both[1]) * 2),
        "middle": None if both is None else plain((both[0] + both[1]) / 2),
        "bid_share": _share(view.bids, view.asks),
    }


def _ladder(levels: Sequence[Level], contract: Contract | None) -> list[dict[str, Any]]:
    most = sum((level.size for level in levels), Decimal(0))
    tick, step = (None, None) if contract is None else (contract.price_increment, contract.quantity_increment)
    rows, total = [], Decimal(0)
    for level in levels:
        total = WIDE.add(total, level.size)
        rows.append(
            {
                "price": _stepped(level.price, tick),
                "size": _stepped(level.size, step),
                "total": _stepped(total, step),
                "share": float(total / most) if most else 0.0,
            }
        )
    return rows


def _stepped(value: Decimal, step: Decimal | None) -> str:
    """Write a figure with the decimals of its step, never with fewer than it has."""
    if step is None or not step:
        return written(value)
    places = max(0, -int(step.normalize().as_tuple().exponent), -int(value.normalize().as_tuple().exponent))
    return f"{value:.{places}f}"


def _depth(levels: Sequence[Level]) -> dict[str, Any]:
    price = np.array([float(level.price) for level in levels], dtype=np.float64)
    size = np.array([float(level.size) for level in levels], dtype=np.float64)
    return {"price": price, "total": np.cumsum(size)}


def _share(bids: Sequence[Level], asks: Sequence[Level]) -> float | None:
    bid, ask = (sum((level.size for level in side), Decimal(0)) for side in (bids, asks))
    return float(bid / (bid + ask)) if bid + ask else None


def candles(found: Candles, contract: Contract | None, now_ns: int) -> dict[str, Any]:
    """Return the bars, oldest first, as arrays: times in Unix ms, prices USDT, volume base coins."""
    bars = found.bars()
    columns = ("open", "high", "low", "close", "volume")
    live_s = (now_ns - found.live_ns) / 1e9 if found.live_ns else None
    tick = None if contract is None else contract.price_increment
    return {
        "resolution": found.resolution,
        "length_ms": MINUTES[found.resolution] * 60_000,
        "t_ms": np.array([bar.open_ms for bar in bars], dtype=np.float64),
        **{name: np.array([float(getattr(bar, name)) for bar in bars], dtype=np.float64) for name in columns},
        "newest": None if not bars else {name: _stepped(getattr(bars[-1], name), tick) for name in columns[:4]},
        "live_age_s": live_s,
        "is_fresh": live_s is not None and live_s <= CANDLE_FRESH_S,
        "is_whole": not found.wanted,
        "is_made_of_days": found.resolution in BY_DAYS,
        "error": found.error,
    }


def trades(desk: Desk, pair: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest public trades, newest first; ``side`` is who took."""
    tape, contract = desk.tapes.get(pair), desk.contracts.get(pair)
    if tape is None:
        return []
    tick, step = (None, None) if contract is None else (contract.price_increment, contract.quantity_increment)
    return [
        {
            "number": trade.number,
            "at_ms": trade.exchange_ms,
            "price": _stepped(trade.price, tick),
            "quantity": _stepped(trade.quantity, step),
            "side": trade.side,
            "received_ms": trade.received_ns / 1e6,
        }
        for trade in tape.newest(limit)
    ]
