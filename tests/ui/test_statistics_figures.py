"""Figures of the Statistics page as nodes, each defined in the data dictionary."""

import pytest
from ui.fake_past import FakePast
from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.analysis import dictionary
from coindcx_feed.ui import statistics_figures


@pytest.fixture
def past() -> FakePast:
    """Figures as the service gives them."""
    return FakePast(FakeService(events=900))


def test_strip_names_each_currency_for_itself(past: FakePast) -> None:
    """USDT and INR stand side by side; a rate says whose it is."""
    shown = text_of([statistics_figures.strip(past._orders("all"), past._money("all"))])
    for part in ("62.5 %", "5 of 8 that ended", "4.2 s", "15 s", "12.5 %", "25.0 % USDT · 100.0 % INR"):
        assert part in shown
    for part in ("−12.50 USDT · +1,305.17 INR", "−3.12", "+652.59 INR", "18,427.50 USDT", "12 fills", "9.06 USDT"):
        assert part in shown


def test_strip_without_orders_or_fills_says_unknown_not_zero() -> None:
    """A rate of nothing is no rate."""
    shown = text_of([statistics_figures.strip([], [])])
    for part in ("Fill rate –", "Median time to fill –", "Total PnL –", "Win rate –", "Traded volume –"):
        assert part in shown


def test_every_figure_of_the_page_is_in_the_dictionary(past: FakePast) -> None:
    """Its tooltip begins with the definition and names unit and source."""
    cells = with_class([statistics_figures.strip(past._orders("all"), past._money("all"))], "figure")
    assert len(cells) == 10
    for cell in cells:
        entry = dictionary.find(cell["key"])
        assert entry is not None, cell["key"]
        assert entry.page == "Statistics"
        assert cell["title"].startswith(f"{entry.definition} Unit: {entry.unit}. Source: {entry.source}.")


def test_dictionary_is_a_table_of_every_entry() -> None:
    """Grouped by page, each page once."""
    rows = statistics_figures.defined(dictionary.ENTRIES)
    shown = text_of(rows)
    assert all(entry.definition in shown for entry in dictionary.ENTRIES)
    heads = [node["text"] for node in walk(rows) if node.get("span") == 4]
    assert len(heads) == len(set(heads)) == len({entry.page for entry in dictionary.ENTRIES})


def test_sums_of_an_earlier_version_are_said() -> None:
    """With what to do about them."""
    shown = text_of([statistics_figures.lacking("21 Nov 10:02")])
    assert "missing before 21 Nov 10:02" in shown
    assert "coindcx-feed rebuild" in shown


def test_T13_currencies_of_the_feed_are_cut_text(past: FakePast) -> None:
    """A wallet may be called anything."""
    rows = [{**row, "currency": HOSTILE} for row in past._money("all")]
    assert "\u202e" not in text_of([statistics_figures.strip(past._orders("all"), rows)])


def test_busiest_pairs_name_their_share(past: FakePast) -> None:
    """Of all events of the range."""
    shown = text_of(statistics_figures.busiest(past._activity("day")))
    assert "120" in shown
    assert "13.3 %" in shown
    assert "No event of this range has a pair" in text_of(statistics_figures.busiest({"busiest": [], "events": 0}))
