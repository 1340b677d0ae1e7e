"""Updates that change nothing, folded into one row."""

from typing import Any

from coindcx_feed.views.folding import fold, stands_for


def _row(seq: int, key: str, *, is_repeat: bool) -> dict[str, Any]:
    return {"seq": seq, "type": "order", "id": key, "pair": "B-ETH_USDT", "is_repeat": is_repeat}


def test_repeats_of_an_id_are_one_row() -> None:
    """The newest stands for those before it, also when another id came between."""
    rows = [_row(5, "a", is_repeat=True), _row(4, "b", is_repeat=False), _row(3, "a", is_repeat=True)]
    rows += [_row(2, "a", is_repeat=True), _row(1, "a", is_repeat=False)]
    shown = fold(rows)
    assert [row["seq"] for row in shown] == [5, 4, 1]
    assert shown[0]["folded"] == [3, 2]
    assert "folded" not in shown[1]


def test_change_ends_a_run() -> None:
    """What was the same before a change is another run."""
    rows = [_row(4, "a", is_repeat=True), _row(3, "a", is_repeat=False), _row(2, "a", is_repeat=True)]
    assert [row["seq"] for row in fold(rows)] == [4, 3, 2]


def test_rows_given_stay_as_they_are() -> None:
    """They may be shared: a row that stands for others is a copy."""
    rows = [_row(2, "a", is_repeat=True), _row(1, "a", is_repeat=True)]
    fold(rows)
    assert "folded" not in rows[0]


def test_chosen_event_is_found_in_the_row_it_is_folded_into() -> None:
    """The tick stays on the row while repeats arrive."""
    (row,) = fold([_row(2, "a", is_repeat=True), _row(1, "a", is_repeat=True)])
    assert [seq for seq in (None, 1, 2, 3) if stands_for(row, seq)] == [1, 2]
