"""Series for charts: steps of orders, positions and balances over time, with holes where nothing is known."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position, rows
from fakes.pipelines import START_S, at, filled, replayed, row

from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.views import series


def _marked(points: Iterable[tuple[float, str]]) -> Marks:
    marks = Marks(["B-ETH_USDT"])
    for second, price in points:
        prices = {"B-ETH_USDT": {"mp": Decimal(price)}}
        record = CurrentPricesRecord.model_validate({"pr": "futures", "prices": prices})
        marks.update(record, int((START_S + second) * 1e9), ())
    return marks


def _position(pipeline: Pipeline, marks: Marks, since_s: float = 0, until_s: float = 100) -> dict[str, Any]:
    since_ms, until_ms = (START_S + since_s) * 1e3, (START_S + until_s) * 1e3
    found = series.position_series(pipeline.ring, pipeline.state, marks, "p-1", since_ms, until_ms)
    assert found is not None
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


def _held(second: float, size: object, average: object = 2900, **fields: Any) -> Any:
    record = position(active_pos=size, avg_price=average, updated_at=int(second * 1_000) + 1, **fields)
    return at(row(POSITION, record), second)


def test_recorded_order_steps_to_its_end() -> None:
    """Time of the exchange, status, filled so far, average once there is one."""
    pipeline = filled(*rows("scenarios/limit-partial-then-filled.*"))
    (entity,) = pipeline.state.orders()
    steps = series.order_steps(pipeline.ring, entity.record.id)
    assert [step["status"] for step in steps] == ["initial", "open", "partially_filled", "filled"]
    filled_so_far = [step["filled"] for step in steps]
    assert filled_so_far == sorted(filled_so_far)
    assert [step["avg_price"] for step in steps[:2]] == [None, None]
    assert Decimal(steps[-1]["avg_price"]) == entity.record.avg_price
    assert [step["t_ms"] for step in steps][-1] == entity.record.updated_at


def test_late_updates_are_no_steps() -> None:
    """They moved nothing."""
    pipeline = filled(*rows("scenarios/out-of-order-and-duplicates.*"))
    (entity,) = pipeline.state.orders()
    steps = series.order_steps(pipeline.ring, entity.record.id)
    assert [step["status"] for step in steps] == ["initial", "filled"]


@pytest.mark.parametrize(("sent", "shown"), [(0, None), ("0", None), (None, None), ("2900.50", "2900.50")])
def test_average_of_nothing_is_none(sent: object, shown: str | None) -> None:
    """The exchange writes 0, as number or as text."""
    pipeline = filled(row(ORDER, order(avg_price=sent)))
    assert series.order_steps(pipeline.ring, "o-1")[0]["avg_price"] == shown


def test_order_that_is_unknown_has_no_steps() -> None:
    """Nothing is invented."""
    assert series.order_steps(filled().ring, "o-1") == []


def test_position_lines_step_with_its_events() -> None:
    """Between two events size, average and liquidation stay; PnL follows the mark."""
    pipeline = replayed(_held(0, 1, 2900, liquidation_price=2400), _held(2, 2, 2910, liquidation_price=2500))
    found = _position(pipeline, _marked([(0.5, "2900"), (1.5, "2905"), (2.5, "2920"), (3.5, "2900")]))
    assert found["t_ms"] == [(START_S + second) * 1e3 for second in (0, 1, 2, 3)]
    assert found["mark"] == [2900, 2905, 2920, 2900]
    assert found["size"] == [1, 1, 2, 2]
    assert found["avg"] == [2900, 2900, 2910, 2910]
    assert found["liquidation"] == [2400, 2400, 2500, 2500]
    assert found["pnl"] == [0, 5, 20, -20]


def test_short_position_gains_when_the_mark_falls() -> None:
    """Signed size times mark less average."""
    found = _position(replayed(_held(0, -2)), _marked([(1, "2890")]))
    assert found["pnl"] == [20]


def test_C6_line_breaks_where_marks_are_old() -> None:
    """A hole is drawn as a hole in mark and PnL."""
    found = _position(replayed(_held(0, 1)), _marked([(1, "2901"), (30, "2902")]))
    assert [second - START_S for second in np.array(found["t_ms"]) / 1e3] == [1, 2, 30]
    assert np.isnan(found["mark"]).tolist() == [False, True, False]
    assert np.isnan(found["pnl"]).tolist() == [False, True, False]
    assert found["size"] == [1, 1, 1]


def test_nothing_is_drawn_before_the_first_event() -> None:
    """What the position was then is unknown."""
    found = _position(replayed(_held(5, 1)), _marked([(3, "2900"), (4, "2900"), (5, "2900")]))
    assert np.isnan(found["size"]).tolist() == [True, True, False]
    assert np.isnan(found["pnl"]).tolist() == [True, True, False]


def test_flat_stretch_has_a_mark_and_no_average_and_no_pnl() -> None:
    """0 stands for none."""
    found = _position(replayed(_held(0, 1), _held(2, 0, 0, liquidation_price=0)), _marked([(1, "2900"), (2, "2901")]))
    assert found["mark"] == [2900, 2901]
    assert found["size"] == [1, 0]
    assert np.isnan(found["avg"]).tolist() == [False, True]
    assert np.isnan(found["liquidation"]).tolist() == [False, True]
    assert np.isnan(found["pnl"]).tolist() == [False, True]


def test_late_position_moves_no_line() -> None:
    """F09: an older record that arrives later is in the log only."""
    late = at(row(POSITION, position(active_pos=9, updated_at=1)), 1)
    found = _position(replayed(_held(0.5, 1), late), _marked([(2, "2900")]))
    assert found["size"] == [1]
    assert len(found["fills"]) == 1


def test_fills_follow_from_steps_of_the_size() -> None:
    """Opening and adding have a price from the averages; reducing has none; a turn has none."""
    pipeline = replayed(
        _held(0, 1, 2900), _held(1, 3, 2910), _held(2, 3, 2910, leverage=7), _held(3, 1, 2910), _held(4, -1, 2920)
    )
    found = _position(pipeline, _marked([(1, "2900")]))["fills"]
    assert [(fill["side"], fill["quantity"]) for fill in found] == [("buy", 1), ("buy", 2), ("sell", 2), ("sell", 2)]
    assert [fill["price"] for fill in found[:2]] == [2900, pytest.approx(2915)]
    assert np.isnan([fill["price"] for fill in found[2:]]).all()
    assert [fill["t_ms"] for fill in found] == [(START_S + second) * 1e3 for second in (0, 1, 3, 4)]


def test_short_position_that_grows_is_sold_at_its_price() -> None:
    """Signs cancel in the average."""
    found = _position(replayed(_held(0, -1, 2900), _held(1, -2, 2890)), Marks())["fills"]
    assert [(fill["side"], fill["price"]) for fill in found] == [("sell", 2900), ("sell", pytest.approx(2880))]


def test_fills_before_the_window_are_left_out() -> None:
    """They still count for the steps after them."""
    found = _position(replayed(_held(0, 1), _held(10, 2)), Marks(), since_s=5)["fills"]
    assert [(fill["side"], fill["quantity"]) for fill in found] == [("buy", 1)]


def test_F13_first_kept_event_is_no_fill_when_those_before_are_gone() -> None:
    """After an overrun of the ring nobody knows how the size came about."""
    frames = [_held(second, second + 1) for second in range(6)]
    found = _position(replayed(*frames, capacity=3), Marks())["fills"]
    assert [fill["t_ms"] for fill in found] == [(START_S + second) * 1e3 for second in (4, 5)]


def test_unknown_position_has_no_series() -> None:
    """A page that still shows it learns so."""
    pipeline = filled()
    assert series.position_series(pipeline.ring, pipeline.state, Marks(), "p-1", 0, 1) is None


def _balance(pipeline: Pipeline, since_s: float = 0) -> list[list[float]]:
    found = series.balance_series(pipeline.ring, pipeline.state, "USDT", (START_S + since_s) * 1e3)
    return [
        (found["t_ms"] / 1e3 - START_S).tolist(),
        *(found[name].tolist() for name in ("total", "available", "locked")),
    ]


def test_balance_steps_of_one_currency() -> None:
    """Total is free plus locked; other currencies are not mixed in."""
    pipeline = replayed(
        at(row(BALANCE, balance("u", "100", "0")), 0),
        at(row(BALANCE, balance("i", "7", "0", "INR")), 1),
        at(row(BALANCE, balance("u", "90.5", "9.5")), 2),
    )
    assert _balance(pipeline) == [[0, 2], [100, 100], [100, 90.5], [0, 9.5]]


def test_balance_series_begins_with_the_last_step_before_the_window() -> None:
    """A line does not begin in the middle of nowhere."""
    pipeline = replayed(*(at(row(BALANCE, balance("u", str(second))), second) for second in range(5)))
    assert _balance(pipeline, since_s=2.5)[0] == [2, 3, 4]
    assert _balance(pipeline, since_s=99)[0] == [4]


def test_balance_of_two_wallet_ids_is_one_series_in_order() -> None:
    """A wallet that was given a new id goes on."""
    pipeline = replayed(*(at(row(BALANCE, balance(f"w{second % 2}", str(second))), second) for second in range(4)))
    assert _balance(pipeline)[2] == [0, 1, 2, 3]


def test_unknown_currency_has_an_empty_series() -> None:
    """No event, no point."""
    assert _balance(replayed()) == [[], [], [], []]
