"""Time series for charts, as NumPy arrays: times in ms, money as binary floats because pixels need no more."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.feed.ring import Ring, Stored
from coindcx_feed.feed.state import AccountState
from coindcx_feed.views.rows import of_id

MAX_EVENTS = 5_000
Floats = npt.NDArray[np.float64]


class MarkSeries(Protocol):
    """Marks over time, of now or of the past."""

    def series(self, pair: str, since_ms: float, now_ms: float) -> tuple[Floats, Floats]: ...


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # Decimal, int or numeric text; anything else is a hole
    except (TypeError, ValueError):
        return float("nan")


def _data(event: Stored) -> dict[str, Any]:
    data: dict[str, Any] = parse_exact(event.body)["data"]
    return data


class _Point(msgspec.Struct):
    # Only what charts draw, straight into floats: a tenth of the cost of reading the whole record. The models let
    # nothing but numbers, numeric texts and null through in these fields.
    active_pos: float | str | None = None
    avg_price: float | str | None = None
    liquidation_price: float | str | None = None
    balance: float | str | None = None
    locked_balance: float | str | None = None


class _Envelope(msgspec.Struct):
    data: _Point


_decode = msgspec.json.Decoder(_Envelope).decode


def _columns(events: Sequence[Stored], *names: str) -> list[Floats]:
    points = [_decode(event.body).data for event in events]
    return [np.array([_number(getattr(point, name)) for point in points], dtype=np.float64) for name in names]


def order_steps(ring: Ring, order_id: str) -> list[dict[str, Any]]:
    """List the updates of an order, oldest first; late ones are left out because they moved nothing."""
    return steps_of(of_id(ring, EventType.ORDER, order_id, MAX_EVENTS))


def steps_of(events: Sequence[Stored]) -> list[dict[str, Any]]:
    """Make steps of the events of one order."""
    steps = []
    for event in events:
        if event.is_late:
            continue
        data = _data(event)
        average = data.get("avg_price")
        steps.append(
            {
                "t_ms": float(event.exchange_ms or event.received_ns / 1e6),
                "status": data.get("status"),
                "filled": _number(data.get("filled_quantity")),
                "avg_price": str(average) if _number(average) > 0 else None,  # 0 stands for none
                "seq": event.seq,
            }
        )
    return steps


def position_series(
    ring: Ring, state: AccountState, marks: MarkSeries, position_id: str, since_ms: float, now_ms: float
) -> dict[str, Any] | None:
    """Return mark, average, liquidation, size and PnL of a position over time.

    The line breaks (NaN) where no mark was fresh; before the first event of the position nothing is drawn.
    """
    entity = state.position(position_id)
    if entity is None:
        return None
    events = of_id(ring, EventType.POSITION, position_id, MAX_EVENTS)
    return position_lines(entity.record.pair, events, marks, since_ms, now_ms)


def position_lines(
    pair: str, held: Sequence[Stored], marks: MarkSeries, since_ms: float, now_ms: float
) -> dict[str, Any]:
    """Make the lines of one position from its events and the marks of its pair."""
    events = [event for event in held if not event.is_late]
    t_ms, mark = marks.series(pair, since_ms, now_ms)
    starts = np.array([event.received_ns / 1e6 for event in events], dtype=np.float64)
    at = np.searchsorted(starts, t_ms, side="right") - 1

    sizes, averages, liquidations = _columns(events, "active_pos", "avg_price", "liquidation_price")
    averages[averages == 0] = np.nan  # the exchange writes 0 for none
    liquidations[liquidations == 0] = np.nan
    size, average, liquidation = (np.append(values, np.nan)[at] for values in (sizes, averages, liquidations))
    return {
        "t_ms": t_ms,
        "mark": mark,
        "avg": average,
        "liquidation": liquidation,
        "size": size,
        "pnl": size * (mark - average),
        "fills": _fills(events, starts, sizes, averages, since_ms),
    }


def _fills(
    events: Sequence[Stored], starts: Floats, sizes: Floats, averages: Floats, since_ms: float
) -> list[dict[str, Any]]:
    # The stream carries no fills: a step of the size is one. Its price follows from the averages when the position
    # grew; when it shrank the average does not move, so the price is not known here (NaN).
    fills, size_before, average_before = [], 0.0, 0.0
    if events and events[0].previous:  # the event before is no longer kept: how the position came about is unknown
        size_before = float(sizes[0])
    for t_ms, size, average in zip(starts.tolist(), sizes.tolist(), averages.tolist(), strict=True):
        step = size - size_before
        if step and t_ms >= since_ms:
            grew = abs(size) > abs(size_before) and size * size_before >= 0
            paid_before = size_before * average_before if size_before else 0.0
            price = (size * average - paid_before) / step if grew else float("nan")
            fills.append({"t_ms": t_ms, "price": price, "side": "buy" if step > 0 else "sell", "quantity": abs(step)})
        size_before, average_before = size, average
    return fills


def balance_series(ring: Ring, state: AccountState, currency: str, since_ms: float) -> dict[str, Floats]:
    """Return total, available and locked of a currency: one step per event, from the last one before ``since_ms``."""
    keys = {entity.record.id for entity in state.balances() if entity.record.currency_short_name == currency}
    events = sorted(
        (event for key in keys for event in of_id(ring, EventType.BALANCE, key, MAX_EVENTS)),
        key=lambda event: event.seq,
    )
    return balance_lines(events, since_ms)


def balance_lines(events: Sequence[Stored], since_ms: float) -> dict[str, Floats]:
    """Make the lines of one currency from its events, oldest first."""
    t_ms = np.array([event.received_ns / 1e6 for event in events], dtype=np.float64)
    first = max(int(np.searchsorted(t_ms, since_ms, side="right")) - 1, 0)
    events, t_ms = events[first:], t_ms[first:]
    available, locked = _columns(events, "balance", "locked_balance")
    return {"t_ms": t_ms, "total": available + locked, "available": available, "locked": locked}
