"""The Events page with the tape: drawn in every state, with a ticket that redeems to the page's own filter."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from ui.entry import component_data, opened
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.tickets import process_tickets


def _run(service: FakeService, **query: Any) -> AppTest:
    return opened("events", service, **{"look": "tape", **query})


def _tape(test: AppTest) -> dict[str, Any]:
    """Return what the tape's component got."""
    tapes = [data for data in component_data(test) if "ticket" in data]
    assert len(tapes) == 1
    return tapes[0]


@pytest.mark.parametrize("details", ["dock", "drawer"])
@pytest.mark.parametrize(
    "service",
    [{}, {"events": 0, "state": "quiet"}, {"state": "stale"}, {"text": HOSTILE}],
    ids=lambda given: str(given)[:20],
)
def test_tape_is_drawn_in_every_state(service: dict[str, Any], details: str) -> None:
    """No exception, no failed part, no table beside it."""
    test = _run(FakeService(**service), details=details)
    assert not test.exception
    assert not test.error
    assert not test.dataframe
    assert _tape(test)["path"] == "/live/tape"


def test_ticket_redeems_to_the_pages_filter() -> None:
    """What the browser could ask for is what the page shows, and only once."""
    ticket = _tape(_run(FakeService(), types="order", sides="sell"))["ticket"]
    granted = process_tickets().redeem(ticket)
    assert granted is not None
    assert granted["criteria"] == {"types": ["order"], "sides": ["sell"]}
    assert process_tickets().redeem(ticket) is None


def test_every_run_gives_a_new_ticket_for_the_same_view() -> None:
    """The browser goes on with the view it has and keeps the ticket for a socket that breaks."""
    test = _run(FakeService())
    first = _tape(test)
    second = _tape(test.run())
    assert first["view"] == second["view"]
    assert first["ticket"] != second["ticket"]


def test_paused_and_cleared_views_are_granted_so() -> None:
    """The tape of a paused page ends where it was paused, that of a cleared one begins there."""
    test = _run(FakeService(events=40))
    test.button(key="clear").click().run()
    test.button(key="pause").click().run()
    data = _tape(test)
    granted = process_tickets().redeem(data["ticket"])
    assert granted is not None
    assert (granted["after"], granted["upto"], data["is_paused"]) == (40, 40, True)


def test_filter_that_is_not_understood_gets_no_ticket() -> None:
    """It is said in place of the tape."""

    class Strict(FakeService):
        def select(self, criteria: dict[str, Any], *asked: Any, **more: Any) -> dict[str, Any]:
            from coindcx_feed.errors import BadRequest

            if "price_min" in criteria:
                raise BadRequest("price_min: expected a plain number such as 2887.60, was 'x'")
            return super().select(criteria, *asked, **more)

    test = _run(Strict(), min="x")
    assert "not understood" in test.warning[0].value
    assert not [data for data in component_data(test) if "ticket" in data]
