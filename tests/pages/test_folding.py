"""Updates that change nothing, on the Events page: one row with their number, by choice a row each."""

from typing import Any

from pages.test_pages import _assert_whole
from ui.entry import nodes_of, opened
from ui.fake_service import FakeService


class Repeating(FakeService):
    """Every update of an order changes nothing."""

    def row(self, seq: int) -> dict[str, Any]:
        row = super().row(seq)
        return {**row, "is_repeat": row["type"] == "order", "what_changed": "no change"}


def test_repeats_are_one_row_and_all_counted() -> None:
    """What is shown is less, what matches is not; nothing is asked differently."""
    test = opened("events", Repeating(events=60), types="order")
    _assert_whole(test)
    ids = {Repeating().row(seq)["id"] for seq in range(1, 61) if Repeating().row(seq)["type"] == "order"}
    table = test.dataframe[0].value
    assert len(table) <= 3 * len(ids)  # an id of the stand-in comes with more than one pair
    assert all("no change ×" in text for text in table["changed"])
    said = nodes_of(test)
    assert f" ({60 - 30 - len(table)} folded)" in said


def test_reader_may_have_a_row_for_each() -> None:
    """The choice is part of the address, so that a link shows the same."""
    folded = len(opened("events", Repeating(events=60), types="order").dataframe[0].value)
    test = opened("events", Repeating(events=60), types="order", repeats="true")
    _assert_whole(test)
    assert len(test.dataframe[0].value) > folded
    assert "folded" not in nodes_of(test)


def test_copy_holds_every_event() -> None:
    """Rows that are folded are copied, too."""
    test = opened("events", Repeating(events=60), types="order")
    assert "of them folded" in nodes_of(test)


def test_history_folds_its_page_of_rows() -> None:
    """Which rows of how many stays as it is; what is folded of them is said."""
    test = opened("history", Repeating(events=60), types="order")
    _assert_whole(test)
    assert " folded" in nodes_of(test)
    every = opened("history", Repeating(events=60), types="order", repeats="true")
    assert len(every.dataframe[0].value) > len(test.dataframe[0].value)
