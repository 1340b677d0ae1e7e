"""The grid of orders."""

from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import FakeService

from coindcx_feed.ui import order_table, theme


def test_orders_table_shows_share_filled_in_percent() -> None:
    """The bar of a partly filled order stands at 60."""
    table = order_table.orders_table(FakeService().orders()).to_pylist()
    assert table[1]["filled"] == pytest.approx(60)
    assert table[0]["avg"] is None


def test_columns_align_decimals_where_few_are_needed() -> None:
    """A figure is grouped as on the cards, whatever the browser's language, and 0.09654 is not cut to 0.097."""
    rows = [{"price": "83916.2"}, {"price": "2779.26"}]
    aligned = order_table.order_columns(theme.DARK, UTC, _orders(rows), dated=False, seen=())["price"]
    assert aligned["type_config"]["format"] == "%,.2f"
    exact = order_table.order_columns(theme.DARK, UTC, _orders([*rows, {"price": "0.09654"}]), dated=False, seen=())[
        "price"
    ]
    assert exact["type_config"]["format"] == "%,.8g"


def _orders(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"avg_price": None, "quantity": "1", **row} for row in rows]


def test_cells_follow_the_row_not_its_place() -> None:
    """An order that moved on is another row; one that did not is the same."""
    rows = FakeService().orders()
    before = order_table.orders_table(rows).to_pylist()
    rows[1] = {**rows[1], "status": "cancelled"}
    after = order_table.orders_table(rows).to_pylist()
    assert after[1] == {**before[1], "status": after[1]["status"]}
    assert after[1]["status"] != before[1]["status"]
    assert after[:1] + after[2:] == before[:1] + before[2:]
