"""Positions and Balances in depth through the entry: none, one, many, unknown marks, hostile text, the past."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of, opened
from ui.fake_service import HOSTILE, FakeService

SHOWS = ("Chart", "Episode", "Exposure")


class One(FakeService):
    """An account with one position."""

    def positions(self) -> list[dict[str, Any]]:
        return super().positions()[:1]


class Many(FakeService):
    """An account with 40 positions."""

    def positions(self) -> list[dict[str, Any]]:
        few = super().positions()
        return [row | {"id": f"{row['id']}-{number}"} for number in range(10) for row in few]


def _run(page: str, service: FakeService, show: str | None = None, **query: str) -> AppTest:
    test = opened(page, service, **query)
    if show is not None:
        test.segmented_control(key="show").set_value(show).run()
    assert not test.exception
    assert not test.error
    return test


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("kind", [One, Many, FakeService])
def test_positions_in_depth_of_one_and_of_many(kind: type[FakeService], show: str) -> None:
    """Every view is drawn, and every card says how near its end the position is."""
    shown = nodes_of(_run("positions", kind(), show))
    assert "Margin ratio" in shown
    assert "At this volatility" in shown


@pytest.mark.parametrize("show", SHOWS)
def test_positions_without_marks_and_without_any(show: str) -> None:
    """Unknown is a dash with its reason; no position at all is another text."""
    service = FakeService()
    service.depth.is_unmarked = True
    assert "Not known: no fresh mark." in nodes_of(_run("positions", service, show))
    assert "No positions seen yet" in nodes_of(_run("positions", FakeService(events=0), show))


def test_episode_is_a_chart_and_a_table_whose_rows_open_records() -> None:
    """A row chosen opens the raw record of its event; closing it leaves the page."""
    test = _run("positions", FakeService(), "Episode")
    table = test.dataframe[0].value
    assert len(table) == 8
    assert "Largest gain on the way" in nodes_of(test)
    test.session_state["record-seq"] = 36
    test.run()
    assert test.get("dialog")
    assert "seq 36" in nodes_of(test)
    assert test.session_state["episode-table"]["selection"]["rows"] == [1]
    test.session_state["record-seq"] = None
    test.run()
    assert not test.get("dialog")


def test_older_episode_stays_chosen_for_its_position() -> None:
    """Another position shows its own newest; a flat one has none."""
    service = FakeService()
    test = _run("positions", service, "Episode")
    test.session_state["episode"] = ("p-eth", 20)
    test.run()
    assert test.session_state["episode-shown"][1] == 20
    test.query_params["position"] = "p-btc"
    test.run()
    assert test.session_state["episode-shown"][:2] == ("p-btc", 30)
    test.query_params["position"] = "p-eth-inr"
    test.run()
    assert "No episode of this position is kept" in nodes_of(test)


def test_balances_say_where_the_money_went() -> None:
    """Parts, residue, running total; a change or a cause chosen opens its record."""
    test = _run("balances", FakeService())
    shown = nodes_of(test)
    assert "Where did it go" in shown
    assert "1 of 2 changes explained" in shown
    test.session_state["record-seq"] = 35
    test.run()
    assert test.get("dialog")
    assert "seq 35" in nodes_of(test)


def test_record_does_not_follow_to_another_page() -> None:
    """It was chosen on the page before."""
    test = _run("balances", FakeService())
    test.session_state["record-seq"] = 35
    test.run()
    assert test.get("dialog")
    test.switch_page("pages/positions.py").run()
    assert not test.get("dialog")


def test_memory_that_is_still_read_shows_how_far() -> None:
    """Cards are drawn meanwhile."""
    service = FakeService()
    service.depth.reading = (40_000, 100_000)
    assert "40,000 done" in nodes_of(_run("balances", service))


@pytest.mark.parametrize(("page", "show"), [("positions", "Episode"), ("positions", "Exposure"), ("balances", None)])
def test_T13_feed_text_is_never_markdown_or_html(page: str, show: str | None) -> None:
    """Hostile pairs, words and ids reach grids and text nodes only."""
    test = _run(page, FakeService(text=HOSTILE), show)
    parsed = [*test.markdown, *test.caption, *test.title, *test.header, *test.subheader, *test.warning, *test.info]
    assert not [element for element in parsed if "evil" in str(element.value)]
    assert not [element for element in test.get("html") if "evil" in element.proto.body]


@pytest.mark.parametrize(("page", "show"), [("positions", "Episode"), ("positions", "Exposure"), ("balances", None)])
def test_past_asks_as_of_its_moment_only(page: str, show: str | None) -> None:
    """With the time cursor every question names the moment, and a record after it is not shown."""
    service = FakeService()
    test = _run(page, service, show)
    service.depth.asked.clear()
    test.query_params["at"] = "31"
    test.run()
    assert not test.exception
    assert service.depth.asked
    assert {asked[1] for asked in service.depth.asked} == {31}
    test.session_state["record-seq"] = 36
    test.run()
    assert "no longer kept" in nodes_of(test)
    assert "seq 36" not in nodes_of(test)


class Moving(FakeService):
    """An account whose rows change their order."""

    is_turned = False

    def positions(self) -> list[dict[str, Any]]:
        return super().positions()[:: -1 if self.is_turned else 1]

    def balances(self) -> list[dict[str, Any]]:
        return super().balances()[:: -1 if self.is_turned else 1]


@pytest.mark.parametrize(("page", "key"), [("positions", "position-shown"), ("balances", "currency-shown")])
def test_what_is_shown_stays_when_rows_change_their_order(page: str, key: str) -> None:
    """Nobody chose anything: the chart must not go to another position or wallet by itself."""
    service = Moving()
    test = _run(page, service)
    first = test.session_state[key]
    service.is_turned = True
    service.count += 1
    test.run()
    assert test.session_state[key] == first
    fresh = _run(page, service)
    assert fresh.session_state[key] != first
