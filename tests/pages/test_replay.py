"""A replay is controlled from the page: on every page, by what the service offers."""

from typing import Any

from streamlit.testing.v1 import AppTest
from ui.entry import opened
from ui.fake_replaying import REPLAY
from ui.fake_service import FakeService


def _page(service: FakeService, page: str = "orders") -> AppTest:
    return opened(page, service)


def _replaying(**changes: Any) -> FakeService:
    return FakeService(mode="replay", state="stopped", replay=REPLAY | changes)


def test_reader_steps_from_the_page() -> None:
    """At ``step`` the next event, ten or a hundred; there is nothing to pause."""
    service = _replaying()
    test = _page(service)
    assert not test.exception
    assert test.button(key="replay-pause").disabled
    for count in (1, 10, 100):
        test.button(key=f"replay-next-{count}").click().run()
    assert service.replaying.asked == [("step", 1), ("step", 10), ("step", 100)]


def test_reader_pauses_and_changes_the_pace() -> None:
    """What is refused is said."""
    service = _replaying(speed="10")
    test = _page(service)
    test.button(key="replay-pause").click().run()
    service.changes["replay"] = REPLAY | {"speed": "10", "phase": "paused"}
    service.replaying.refusal = "speed: expected a factor, was 'soon'"
    test.run()
    test.button(key="replay-resume").click().run()
    assert service.replaying.asked == [("pause",), ("resume",)]
    assert [toast.value for toast in test.toast] == ["speed: expected a factor, was 'soon'"]


def test_feed_that_is_no_replay_has_no_controls() -> None:
    """Nor has the demo."""
    test = _page(FakeService())
    assert not [button for button in test.button if str(button.key).startswith("replay-")]
