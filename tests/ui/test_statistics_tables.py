"""Tables of the Statistics page, without a browser."""

import numpy as np
import pytest
from ui.fake_past import FakePast
from ui.fake_service import FakeService

from coindcx_feed.analysis import dictionary
from coindcx_feed.ui import statistics_tables


@pytest.fixture
def past() -> FakePast:
    """Figures as the service gives them."""
    return FakePast(FakeService(events=900))


@pytest.mark.parametrize(("by", "names"), [("day", ["day"]), ("pair", ["pair"]), ("both", ["day", "pair"])])
def test_tables_show_what_they_are_grouped_by(past: FakePast, by: str, names: list[str]) -> None:
    """Figures are numbers, so that they sort; unknown ones are empty."""
    orders = statistics_tables.orders_table(past._orders(by))
    money = statistics_tables.money_table(past._money(by))
    assert [name for name in ("day", "pair") if name in orders.column_names] == names
    assert orders["rate"].to_pylist()[0] == 62.5
    assert money["volume"].to_pylist()[-1] is None
    assert np.isclose(money["pnl"].to_pylist()[-1], 1305.1716)
    assert money["rate"].to_pylist()[0] == 25.0
    assert orders["median"].to_pylist()[0] == pytest.approx(4.2)


def test_every_column_that_counts_is_defined() -> None:
    """Its head says what the data dictionary says."""
    columns = {**statistics_tables.orders_columns(), **statistics_tables.money_columns()}
    said = {entry.definition for entry in dictionary.ENTRIES}
    for name, column in columns.items():
        if name not in ("day", "pair", "currency"):
            assert any(column["help"].startswith(text) for text in said), name


@pytest.mark.parametrize("by", ["day", "pair", "both"])
def test_every_column_has_a_head(past: FakePast, by: str) -> None:
    """No raw name of a field is ever shown."""
    assert set(statistics_tables.orders_table(past._orders(by)).column_names) <= set(statistics_tables.orders_columns())
    assert set(statistics_tables.money_table(past._money(by)).column_names) <= set(statistics_tables.money_columns())
