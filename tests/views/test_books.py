"""The books of a ring: read on, never anew, and right whenever they are asked."""

import pytest
from fakes.notes import PAIR, balance, ledger, position
from fakes.traded import traded

from coindcx_feed.feed.ring import Ring
from coindcx_feed.views import books
from coindcx_feed.views.books import Books, Followed


def test_books_answer_the_same_read_on_or_at_once() -> None:
    """Asked after every 50 events or once at the end."""
    _, pipeline = traded(5, 2)
    whole, ring = pipeline.ring, Ring(10_000, "epoch-1")
    stored = whole.since(0, 1_000_000)
    read_on, at_once = Books(), Books()
    for first in range(0, len(stored), 50):
        read_on.take_all(stored[first : first + 50])
        read_on.explained("USDT")
    at_once.take_all(stored)
    assert read_on.explained("USDT") == at_once.explained("USDT")
    followed = Followed(whole)
    assert followed.explained("USDT") == (at_once.explained("USDT"), at_once.first_step("USDT"))
    assert Followed(ring).explained("USDT") == ([], None)


def test_nothing_is_worked_out_twice() -> None:
    """Unless something of the currency moved."""
    found = Books()
    for event in (balance(1, 1_000, "100"), balance(2, 2_000, "99")):
        found.take(event)
    first = found.explained("USDT")
    found.take(balance(3, 2_500, "7", currency="INR"))
    assert found.explained("USDT") is first
    found.take(ledger(4, 1_900, "default", "0", "1"))
    assert found.explained("USDT")[0].is_whole


def test_books_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest changes go, many at once, and what they are explained by."""
    monkeypatch.setattr(books, "STEPS", 40)
    found = Books()
    for number in range(200):
        found.take(ledger(2 * number + 1, 1_000 * number - 100, "default", "0", "1"))
        found.take(balance(2 * number + 2, 1_000 * number, str(1_000 - number)))
    explained = found.explained("USDT")
    assert 39 <= len(explained) <= 50
    assert all(one.is_whole for one in explained)
    first = found.first_step("USDT")
    assert first is not None
    assert first.seq == explained[0].step.seq - 2


def test_reader_that_was_overtaken_goes_on_with_what_is_kept() -> None:
    """A small ring: what was overwritten is unknown, not wrong."""
    _, pipeline = traded(5, 2, capacity=300)
    known = Followed(pipeline.ring).explained("USDT")
    assert known is not None
    found, first = known
    assert first is not None
    assert first.seq >= pipeline.ring.oldest
    assert all(one.change == sum(one.parts.values()) + one.residue for one in found)


def test_half_read_memory_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question reads on for its turn; only what is whole is told."""
    _, pipeline = traded(5, 2)
    monkeypatch.setattr(books, "TURN_S", -1.0)
    followed = Followed(pipeline.ring)
    assert (followed.lives(), followed.explained("USDT")) == (None, None)
    assert followed.behind == (0, len(pipeline.ring))
    monkeypatch.setattr(books, "TURN_S", 60.0)
    assert followed.lives() is not None
    assert followed.behind == (len(pipeline.ring), len(pipeline.ring))


def test_lives_are_those_of_the_events() -> None:
    """The ring's positions by id, and when their pair is funded."""
    exchange, pipeline = traded(5, 3)
    lives = Followed(pipeline.ring).lives()
    assert lives is not None
    opened = [row for row in exchange.account.positions.values() if row.active]
    assert opened
    for row in opened:
        life = lives.of(row.id)
        assert life is not None
        assert life.is_whole
        told = sum(funding.amount for funding in life.fundings)
        rate = 102 if row.currency == "INR" else 1
        assert told == row.funding * rate
    assert lives.next_funding_ms(opened[0].pair, exchange.now_ms) is not None
    books_ = Books()
    books_.take(position(1, 0, "0"))
    assert books_.lives.next_funding_ms(PAIR, 0) is None
