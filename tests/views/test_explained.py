"""Where the money went, as plain data."""

from decimal import Decimal

from fakes.notes import balance, ledger
from fakes.plain import is_plain

from coindcx_feed.views.books import Books
from coindcx_feed.views.explained import SHOWN, explained


def books() -> Books:
    found = Books()
    events = [
        balance(1, 1_000, "100"),
        balance(2, 2_100, "70", "30"),
        balance(3, 3_100, "74", "30"),
        balance(4, 4_100, "124", "30"),
        ledger(5, 3_000, "exit", "5", "1"),
    ]
    for event in events:
        found.take(event)
    return found


def test_rows_are_newest_first_with_parts_and_causes() -> None:
    """Exact texts; each cause names its event."""
    shown = explained(books().explained("USDT"), books().first_step("USDT"), 0.0)
    assert is_plain(shown)
    assert [(row["seq"], row["change"], row["moved"], row["residue"]) for row in shown["rows"]] == [
        (4, "50", "0", "50"),
        (3, "4", "0", "0"),
        (2, "0", "30", "0"),
    ]
    assert shown["rows"][1]["parts"] == {"realised": "5", "fee": "-1"}
    assert [cause["seq"] for cause in shown["rows"][1]["causes"]] == [5]


def test_sums_add_up_and_the_running_total_stays() -> None:
    """Of the range; the running total is of everything kept."""
    shown = explained(books().explained("USDT"), books().first_step("USDT"), 3_000.0)
    assert shown["sums"] == {"realised": "5", "fee": "-1", "change": "54", "residue": "50"}
    assert (shown["changes"], shown["whole"], shown["moves"]) == (2, 1, 0)
    later = explained(books().explained("USDT"), books().first_step("USDT"), 9_000.0)
    assert (later["rows"], later["sums"], later["unexplained"], later["from_ms"]) == ([], {}, "50", 1_060.0)


def test_long_lists_are_cut_but_summed() -> None:
    """What is not listed is counted."""
    found = Books()
    for number in range(SHOWN + 11):
        found.take(balance(number + 1, 1_000.0 * number, str(number)))
    shown = explained(found.explained("USDT"), found.first_step("USDT"), 0.0)
    assert (len(shown["rows"]), shown["more"]) == (SHOWN, 10)
    assert Decimal(shown["sums"]["residue"]) == SHOWN + 10


def test_wallet_without_events_has_nothing_to_explain() -> None:
    """No step, no beginning."""
    shown = explained([], None, 0.0)
    assert (shown["rows"], shown["from_ms"], shown["unexplained"]) == ([], None, "0")
