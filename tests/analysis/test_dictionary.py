"""The data dictionary: complete entries, found by the names that pages show."""

from zoneinfo import ZoneInfo

import pytest
from ui.fake_service import FakeService
from ui.helpers import with_class

from coindcx_feed.analysis import dictionary
from coindcx_feed.ui import cards, feed_figures, market_figures, order_figures, position_figures
from coindcx_feed.ui.nodes import Node

IST = ZoneInfo("Asia/Kolkata")


def test_entries_are_complete_and_names_are_unique() -> None:
    """Name, unit, definition and source of each; a definition is a sentence."""
    assert all(all(entry) for entry in dictionary.ENTRIES)
    names = [entry.name for entry in dictionary.ENTRIES]
    assert len(names) == len(set(names))
    assert all(entry.definition.endswith(".") for entry in dictionary.ENTRIES)


@pytest.mark.parametrize(
    ("shown", "name"),
    [("● Filled today", "Filled"), ("Filled share", "Filled share"), ("◐ Partially filled", "Partially filled")],
)
def test_names_are_found_as_pages_write_them(shown: str, name: str) -> None:
    """A glyph before, a day behind."""
    entry = dictionary.find(shown)
    assert entry is not None
    assert entry.name == name
    assert dictionary.tip("no such figure") is None


def _strips(service: FakeService) -> dict[str, Node]:
    status = service.status()
    return {
        "orders": order_figures.strip(service.orders(), service.now_ms, IST),
        "positions": position_figures.strip(service.positions(), None, status, IST),
        "feed": feed_figures.figures(status, service.feed(), IST),
    }


@pytest.mark.parametrize("page", ["orders", "positions", "feed"])
def test_every_figure_of_a_strip_has_its_tooltip(page: str) -> None:
    """No page shows a figure that is not defined."""
    cells = with_class([_strips(FakeService())[page]], "figure")
    assert len(cells) >= 5
    for cell in cells:
        assert cell["title"] == dictionary.tip(cell["key"]) is not None, cell["key"]


def test_every_figure_of_a_card_has_its_tooltip() -> None:
    """On the row or on its name, in the words of the dictionary."""
    service = FakeService()
    held = cards.position_card(service.positions()[0], pressed=False, live=True, now_ms=service.now_ms)
    watched = market_figures.quote_card(
        service.market.quotes()["rows"][0], pressed=False, turn=0, now_ms=service.now_ms
    )
    for card, least in ((held, 7), (watched, 6)):
        rows = with_class([card], "pair")
        assert len(rows) >= least
        for row in rows:
            name = "Funding rate" if row["key"] == "Funding" else row["key"]
            said = row.get("title") or row["children"][0]["title"]
            assert said.startswith(dictionary.meaning(name)), name
