"""The life of a position: opening, stops, fundings."""

from decimal import Decimal as D

from fakes.notes import ledger, position

from coindcx_feed.analysis.lives import Life, Lives
from coindcx_feed.analysis.noted import Noted


def lived(*events: Noted) -> Lives:
    lives = Lives()
    for event in events:
        lives.take(event)
    return lives


def life_of(*events: Noted) -> Life:
    found = lived(*events).of("p-1")
    assert found is not None
    return found


def test_life_begins_when_the_position_is_no_longer_flat() -> None:
    """Seen from flat it is whole; met while open, it is known only from then."""
    assert life_of(position(1, 1_000, "0"), position(2, 2_000, "1")).opened_ms == 2_000
    assert life_of(position(1, 1_000, "0"), position(2, 2_000, "1")).is_whole
    assert not life_of(position(2, 2_000, "1")).is_whole
    assert life_of(position(1, 1_000, "1"), position(2, 2_000, "0")).opened_ms is None
    assert lived().of("p-1") is None


def test_turning_over_begins_another_life() -> None:
    """A long that becomes a short was flat in between."""
    found = life_of(position(1, 0, "0"), position(2, 1_000, "1"), position(3, 2_000, "-2"))
    assert (found.opened_ms, found.opened_seq, found.is_whole) == (2_000, 3, True)


def test_time_without_a_stop_is_counted() -> None:
    """1 s before the first stop, 2 s after it was cancelled, and still."""
    found = life_of(
        position(1, 0, "0"),
        position(2, 1_000, "1"),
        position(3, 2_000, "1", stop_loss_trigger="90"),
        position(4, 5_000, "1", stop_loss_trigger=0),
    )
    assert found.bare_since_ms == 5_000
    assert found.bare_ms(7_000) == 3_000
    assert found.bare_ms(4_000) == 1_000


def test_fundings_add_up_and_a_row_replaces_what_the_margin_told() -> None:
    """The margin moves at once, the ledger row is read later: one funding, not two."""
    moved = position(1, 0, "0"), position(2, 1_000, "1"), position(3, 60_000, "1", locked_margin="9.75")
    found = life_of(*moved)
    assert (found.funding, [funding.is_told for funding in found.fundings]) == (D("-0.25"), [False])
    found = life_of(*moved, ledger(4, 60_100, "funding", "-0.25"))
    assert (found.funding, [funding.is_told for funding in found.fundings]) == (D("-0.25"), [True])
    found = life_of(*moved[:2], ledger(3, 60_100, "funding", "-0.25"), moved[2]._replace(seq=4))
    assert [funding.is_told for funding in found.fundings] == [True]


def test_funding_of_an_earlier_life_does_not_count() -> None:
    """A row that is read late belongs to the position as it was."""
    found = life_of(position(1, 0, "0"), position(2, 120_000, "1"), ledger(3, 60_000, "funding", "-9"))
    assert found.fundings == []


def test_next_funding_follows_from_the_smallest_distance() -> None:
    """A funding is missed while nothing is held: 10 minutes apart says nothing when 5 were seen."""
    lives = lived(position(1, 0, "0"), position(2, 1_000, "1"))
    assert lives.next_funding_ms("B-ETH_USDT", 1_000) is None
    for seq, minute in enumerate((5, 10, 20), start=3):
        lives.take(ledger(seq, minute * 60_000 + 700, "funding", "-1"))
    assert lives.next_funding_ms("B-ETH_USDT", 1_201_000) == 1_500_000
    assert lives.next_funding_ms("B-ETH_USDT", 1_500_001) == 1_800_000
    assert lives.next_funding_ms("B-BTC_USDT", 0) is None
