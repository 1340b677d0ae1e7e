"""A position's arithmetic and record."""

from decimal import Decimal as D

import msgspec
from simulator.helpers import FIXTURES, START_MS, new_order

from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.positions import Position, position_record


def new_position(pair: str = "B-ETH_USDT") -> Position:
    return Position("position-1", instruments()[pair], "USDT", D(5), START_MS)


def test_flat_record_has_nulls_where_the_exchange_has() -> None:
    """Same keys as the constructed frames; mark and maintenance are null."""
    lines = (FIXTURES / "scenarios" / "limit-partial-then-filled.constructed.jsonl").read_text().splitlines()
    expected = msgspec.json.decode(msgspec.json.decode(lines[1])["frame"]["data"])[0]
    order = new_order()
    order.locked_margin = D("27.84690675")
    shown = msgspec.json.decode(socket_text(position_record(new_position(), [order])))
    assert list(shown) == list(expected)
    for name in set(expected) - {"id", "updated_at"}:
        assert shown[name] == expected[name], name


def test_opening_equals_the_scenario() -> None:
    """Margins after a partial fill of a long; the liquidation price uses the real tier of 0.5 %."""
    position = new_position()
    position.apply_opening(1, D("2776.5"), D("0.02"), D("11.1387627"), D("0.01310508"))
    position.mark_price = D("2776.61")
    record = position_record(position, [])
    assert (record["locked_margin"], record["locked_user_margin"]) == (D("11.12565762"), D("11.1387627"))
    assert record["maintenance_margin"] == D("2776.61") * D("0.02") * D("0.005")
    assert record["liquidation_price"] == D("2776.5") - (D("11.12565762") - D("0.27765")) / D("0.02")


def test_enlarging_moves_the_average() -> None:
    """Weighted by size, also for a short."""
    position = new_position()
    position.apply_opening(-1, D(100), D(1), D(20), D(0))
    position.apply_opening(-1, D(103), D(2), D(41), D(0))
    assert (position.active, position.avg_price, position.user_margin) == (D(-3), D(102), D(61))


def test_closing_realises_profit_and_frees_margin_in_proportion() -> None:
    """A third of a short bought back lower."""
    position = new_position()
    position.apply_opening(-1, D(100), D(3), D(60), D("0.6"))
    profit, released = position.apply_closing(D(90), D(1))
    assert (profit, released) == (D(10), D("19.8"))
    assert (position.active, position.avg_price, position.user_margin) == (D(-2), D(100), D(40))


def test_closing_all_leaves_nothing() -> None:
    """Flat: no average, no margins."""
    position = new_position()
    position.apply_opening(1, D(100), D(3), D(60), D("0.7"))
    profit, released = position.apply_closing(D(99), D(3))
    assert (profit, released) == (D(-3), D("59.3"))
    assert (position.active, position.avg_price, position.locked_margin, position.user_margin) == (D(0),) * 4


def test_crossed_record_has_no_liquidation_price_of_its_own() -> None:
    """The whole wallet decides; the maintenance margin is shown."""
    position = new_position()
    position.margin_type = "crossed"
    position.apply_opening(1, D(100), D(3), D(60), D(0))
    position.mark_price = D(110)
    record = position_record(position, [])
    assert (record["margin_type"], record["liquidation_price"]) == ("crossed", 0)
    assert record["maintenance_margin"] == D("1.65") == position.maintenance(D(110))


def test_record_shows_the_prices_of_its_own_stop_and_target() -> None:
    """Of legs only, not of other orders with a trigger."""
    legs = [
        new_order("sell", "0", None, stage=stage, trigger=trigger, stop_price=D(price))
        for stage, trigger, price in (
            ("default", "stop", 1),
            ("tpsl_exit", "stop", 2),
            ("tpsl_exit", "take_profit", 3),
        )
    ]
    record = position_record(new_position(), legs)
    assert (record["stop_loss_trigger"], record["take_profit_trigger"]) == (2, 3)
