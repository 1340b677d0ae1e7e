"""Every page through the entry: normal, empty, stale, hostile and full. Nothing raises, nothing parses feed text."""

import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from ui.entry import nodes_of, opened
from ui.fake_service import HOSTILE, FakeService

PAGES = ("events", "orders", "positions", "balances", "market", "history", "statistics", "alerts", "feed")
SERVICES: dict[str, dict[str, Any]] = {
    "normal": {},
    "empty": {"events": 0, "state": "quiet"},
    "connecting": {"events": 0, "state": "connecting", "transport": {"proof": None, "age_s": None, "limit_s": 10.0}},
    "stale": {"state": "stale", "text": "no frame for 42 s"},
    "rejected": {"state": "rejected", "text": "the join was closed after 0.1 s; check COINDCX_API_SECRET"},
    "live": {"mode": "live", "has_credentials": False, "simulator": None},
    "hostile": {"text": HOSTILE},
    "full": {"events": 100_000},
    "no-sidecar": {"sidecar": {"url": None, "clients": 0, "error": "port 8000 is in use"}},
}

BROKEN = {
    "events": "select", "orders": "orders", "positions": "positions", "balances": "balances", "market": "market.quotes",
    "history": "past.select", "statistics": "past.figures", "alerts": "alerts.state", "feed": "feed",
}  # fmt: skip
"""What each page cannot do without."""


def _assert_whole(test: AppTest) -> None:
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", SERVICES)
def test_page_is_drawn_in_every_state(page: str, name: str) -> None:
    """No exception, no failed part, and the state in the status line."""
    service = FakeService(**SERVICES[name])
    test = opened(page, service)
    _assert_whole(test)
    assert service.status()["label"] in nodes_of(test)


@pytest.mark.parametrize("page", PAGES)
def test_T13_feed_text_is_never_markdown_or_html(page: str) -> None:
    """Hostile text reaches grids, code blocks and text nodes only: no element that parses anything."""
    test = opened(page, FakeService(text=HOSTILE), seq="1")
    test.session_state["seq"] = 37
    test.run()
    _assert_whole(test)
    parsed = [*test.markdown, *test.caption, *test.title, *test.header, *test.subheader, *test.warning, *test.info]
    parsed += [*test.success, *test.error]
    assert not [element for element in parsed if "evil" in str(element.value)]
    assert not [element for element in test.get("html") if "evil" in element.proto.body]


@pytest.mark.parametrize("page", [page for page in PAGES if page != "events"])
def test_way_there_and_back_leaves_events_whole(page: str) -> None:
    """What one page keeps for the session is no other page's: the switch of Positions once took the table's name."""
    test = opened(page, FakeService())
    _assert_whole(test)
    test.switch_page("pages/events.py").run()
    _assert_whole(test)
    assert "matching" in nodes_of(test)
    assert len(test.dataframe) == 1


def test_events_are_newest_first_and_counted() -> None:
    """500 rows at most, all matching counted, all kept named."""
    test = opened("events", FakeService(events=5_000))
    table = test.dataframe[0].value
    assert len(table) == 500
    assert table["time"].is_monotonic_decreasing
    assert "5,000 kept" in nodes_of(test)


def test_filters_come_from_the_address() -> None:
    """A shared link shows the same view."""
    service = FakeService(events=200)
    opened("events", service, types="order", sides="sell", q="filled", min="2,900")
    wanted = service.asked[-1]["criteria"]
    assert wanted == {"types": ["order"], "sides": ["sell"], "text": "filled", "price_min": "2900"}


def test_pause_freezes_the_view_and_resume_lets_it_go() -> None:
    """While paused the rows stay and nothing is asked; what waits is counted."""
    service = FakeService(events=100)
    test = opened("events", service)
    test.button(key="pause").click().run()
    service.count = 130
    test.run()
    assert len(test.dataframe[0].value) == 100
    assert "30 newer waiting" in nodes_of(test)
    test.button(key="resume").click().run()
    assert len(test.dataframe[0].value) == 130


def test_clear_hides_and_undo_brings_back() -> None:
    """Nothing is deleted."""
    service = FakeService(events=100)
    test = opened("events", service)
    test.button(key="clear").click().run()
    assert "View cleared" in nodes_of(test)
    assert not test.dataframe
    test.button(key="undo-clear").click().run()
    assert len(test.dataframe[0].value) == 100


def test_selection_stays_on_its_event_while_rows_arrive() -> None:
    """The tick moves down with its row."""
    service = FakeService(events=100)
    test = opened("events", service)
    test.session_state["seq"] = 98
    test.run()
    assert test.session_state["events-table"]["selection"]["rows"] == [2]
    service.count = 110
    test.run()
    assert test.session_state["events-table"]["selection"]["rows"] == [12]
    assert "seq 98" in nodes_of(test)


def test_news_since_the_mark_are_told_once_per_visit() -> None:
    """The box stays as it was while events arrive; marked as seen it is gone, and nothing is asked again."""
    service = FakeService(events=100)
    test = opened("events", service)
    assert service.since.asked == []
    epoch = service.status()["epoch"]
    test.session_state["since-mark"] = f"{epoch}:60"  # as the component's callback leaves it
    test.run()
    _assert_whole(test)
    assert "order 40" in nodes_of(test)
    service.count = 130
    test.run()
    assert "order 40" in nodes_of(test)
    assert service.since.asked == [(epoch, 60, 100)]
    test.session_state["since-mark"] = f"{epoch}:100"
    test.run()
    assert "order 40" not in nodes_of(test)
    assert '"lines": null' in nodes_of(test) or '"lines":null' in nodes_of(test)


def test_filter_that_matches_nothing_says_so() -> None:
    """Empty by filter is another text than an idle account, with a way out."""
    test = opened("events", FakeService(events=50), q="nowhere")
    assert "No event matches" in nodes_of(test)
    test.button(key="clear-filters").click().run()
    assert len(test.dataframe[0].value) == 50


def test_filter_that_is_not_understood_is_one_line() -> None:
    """The real filter refuses a price that is no number; the page shows its words."""
    from coindcx_feed.errors import BadRequest

    class Refusing(FakeService):
        def select(self, *_: Any, **__: Any) -> dict[str, Any]:
            raise BadRequest("price_min: expected a number like 2900.5, was 'abc': correct it")

    test = opened("events", Refusing(), min="abc")
    assert not test.exception
    assert "expected a number like 2900.5" in test.code[0].value


def test_differing_field_leads_to_the_event_that_moved_it() -> None:
    """A click on a number of the divergence board opens the Events page with that event chosen."""
    test = opened("feed", FakeService(events=50))
    assert '"select": 37' in nodes_of(test) or '"select":37' in nodes_of(test)
    test.session_state["seq"], test.session_state["doubts-event"] = 37, 37  # as the component's callback leaves them
    test.run()
    _assert_whole(test)
    assert "seq 37" in nodes_of(test)
    assert len(test.dataframe[0].value) == 50


def test_drawer_is_opened_by_the_page() -> None:
    """With the details as a drawer the table has the whole width and more columns."""
    service = FakeService(events=50)
    test = opened("events", service, details="drawer")
    assert "price" in test.dataframe[0].value
    test.session_state["seq"] = 37
    test.run()
    _assert_whole(test)
    assert test.get("dialog")


def test_table_view_lists_every_position_with_numbers() -> None:
    """One row per position id, INR and USDT apart, sortable."""
    test = opened("positions", FakeService(), view="Table")
    test.segmented_control(key="view").set_value("Table").run()
    table = test.dataframe[0].value
    assert list(table["currency"]) == ["USDT", "USDT", "INR", "INR"]
    assert table["size"].dtype.kind == "f"


def test_demo_order_goes_to_the_service() -> None:
    """Side, pair, quantity and price as typed; the answer is shown as text."""
    service = FakeService(text=HOSTILE)
    test = opened("orders", service)
    test.text_input(key="new-quantity").set_value("1,000.5")
    test.text_input(key="new-price").set_value("2940")
    test.get("form_submit_button")
    next(button for button in test.button if button.label == "Place on the simulator").click()
    test.run()
    _assert_whole(test)
    assert service.placed == [("buy", "B-ETH_USDT", "1000.5", "2940", None)]


def test_T23_live_mode_offers_no_order() -> None:
    """Outside of the demo there is nothing to press."""
    test = opened("orders", FakeService(mode="live", simulator=None))
    assert not [button for button in test.button if "order" in button.label.lower()]


def test_broken_part_leaves_the_rest_and_hides_its_payload() -> None:
    """One failing part says its kind only, is counted, and the others are drawn."""
    from coindcx_feed.ui import page

    class Broken(FakeService):
        def positions(self) -> list[dict[str, Any]]:
            raise KeyError(HOSTILE)

    before = page.failures.get("positions", 0)
    test = opened("positions", Broken())
    assert not test.exception
    assert "KeyError" in test.error[0].value
    assert all("evil" not in error.value for error in test.error)
    assert page.failures["positions"] > before
    assert "Live" in nodes_of(test)


@pytest.mark.parametrize(("page", "read"), list(BROKEN.items()))
def test_page_whose_figures_cannot_be_read_says_so_and_stays(page: str, read: str) -> None:
    """On every page: the failed part says its kind and no more, the status line stands, nothing escapes."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError(HOSTILE)

    service = FakeService()
    *places, name = read.split(".")
    owner: Any = service
    for place in places:
        owner = getattr(owner, place)
    setattr(owner, name, broken)
    test = opened(page, service)
    assert not test.exception
    assert "KeyError" in test.error[0].value
    assert all("evil" not in error.value for error in test.error)
    assert service.status()["label"] in nodes_of(test)


@pytest.mark.timed
def test_page_of_100_000_events_takes_less_than_100_ms() -> None:
    """Only what changed is asked for, and 500 rows are sent, whatever is kept."""
    service = FakeService(events=100_000)
    test = opened("events", service)
    took = []
    for _ in range(7):
        service.count += 1
        begun = time.perf_counter()
        test.run()
        took.append(time.perf_counter() - begun)
    # The harness itself (protobuf both ways, a new script thread) is in the figure.
    assert sorted(took)[3] < 0.1 * 4
    asked = len(service.asked)
    test.run()
    assert len(service.asked) == asked


def test_what_the_address_asks_for_in_vain_is_said_in_one_line() -> None:
    """A type that is none is left out and named; several may stand behind one name, as for the sidecar."""
    test = opened("events", FakeService(), types="order,bogus<b>")
    assert test.session_state["types"] == ["order"]
    shown = nodes_of(test)
    assert "expected some of order, position, balance, fill, ledger, system, was bogus<b>: left out" in shown
    assert "left out" not in nodes_of(opened("events", FakeService(), types="order,position"))
