"""The controls of a replay: which ones make sense when."""

import pytest
from ui.fake_replaying import REPLAY

from coindcx_feed.ui import replay_bar


@pytest.mark.parametrize(
    ("phase", "speed", "expected"),
    [
        ("playing", "10", (True, False, False)),
        ("paused", "10", (False, True, True)),
        ("playing", "step", (False, False, True)),
        ("waiting", "1", (False, False, False)),
        ("ended", "step", (False, False, False)),
        ("failed", "1", (False, False, False)),
    ],
)
def test_controls_are_those_that_do_something(phase: str, speed: str, expected: tuple[bool, bool, bool]) -> None:
    """Pause what plays, resume what is paused, step what stands still."""
    found = replay_bar.possible(REPLAY | {"phase": phase, "speed": speed})
    assert found[:3] == expected


def test_a_pace_of_its_own_can_be_chosen_again() -> None:
    """One that was given at the start and is none of the usual ones."""
    assert replay_bar.possible(REPLAY | {"speed": "2.5"}).speeds == (*replay_bar.SPEEDS, "2.5")
    assert replay_bar.possible(REPLAY | {"speed": "max"}).speeds == replay_bar.SPEEDS
