"""The tick of a grid whose rows move."""

from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.ui.selection import ECHO_S, Placements


def test_row_of_a_moment_ago_is_not_a_choice() -> None:
    """The browser asked for a refresh before it heard that the chosen row had moved down."""
    placed = Placements()
    placed.place(2, told=2)
    placed.place(4, told=2)
    placed.place(5, told=2)
    assert placed.is_echo(2)
    assert placed.is_echo(4)
    assert not placed.is_echo(5)
    assert not placed.is_echo(3)


def test_row_is_a_choice_again_once_the_browser_has_caught_up() -> None:
    """Whoever presses the row above the chosen one means it."""
    placed = Placements()
    placed.place(2, told=2)
    placed.place(4, told=2)
    placed.place(5, told=4)
    assert not placed.is_echo(2)
    assert placed.is_echo(4)
    placed.place(5, told=5)
    assert not placed.is_echo(4)


def test_row_is_a_choice_again_after_a_while() -> None:
    """A tick that went back to where it was tells nothing; then time decides."""
    now_s = [0.0]
    placed = Placements(lambda: now_s[0])
    for row in (0, 1, 0):
        placed.place(row, told=0)
    assert placed.is_echo(1)
    now_s[0] += ECHO_S
    assert not placed.is_echo(1)


def test_no_choice_is_repeated_as_well() -> None:
    """A page that chose for the reader is not asked to forget it."""
    placed = Placements()
    placed.place(None, told=None)
    placed.place(0, told=None)
    assert placed.is_echo(None)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.data())
def test_browser_that_only_repeats_never_chooses(rows: list[int], data: st.DataObject) -> None:
    """However late it hears of the places, in order, what it repeats is no choice."""
    placed, heard = Placements(), 0
    for number, row in enumerate(rows):
        told = None if number == 0 else rows[heard]
        placed.place(row, told)
        heard = data.draw(st.integers(heard, number))
        assert rows[heard] == row or placed.is_echo(rows[heard])
