"""Tickets: once, for at most thirty seconds, few, and the same after a reload."""

import importlib
import re
import threading

import pytest

from coindcx_feed import tickets
from coindcx_feed.tickets import LIFETIME_S, MOST, Tickets, process_tickets

GRANT = {"criteria": {"types": ["order"]}, "after": 7}


def test_T04_ticket_grants_exactly_once() -> None:
    """The second try gets nothing."""
    kept = Tickets()
    ticket = kept.mint(GRANT)
    assert kept.redeem(ticket) == GRANT
    assert kept.redeem(ticket) is None
    assert len(kept) == 0


def test_T04_ticket_ends_after_thirty_seconds() -> None:
    """Just before it is good, then no more."""
    now = [100.0]
    kept = Tickets(lambda: now[0])
    first, second = kept.mint(GRANT), kept.mint(GRANT)
    now[0] += LIFETIME_S - 0.001
    assert kept.redeem(first) == GRANT
    now[0] += 0.001
    assert kept.redeem(second) is None
    assert LIFETIME_S <= 30


def test_unused_tickets_are_forgotten() -> None:
    """Memory is bounded by time and by number; the newest stay good."""
    now = [0.0]
    kept = Tickets(lambda: now[0])
    for _ in range(3):
        kept.mint(GRANT)
    now[0] = LIFETIME_S
    newest = [kept.mint(GRANT)]
    assert len(kept) == 1
    newest += [kept.mint(GRANT) for _ in range(MOST)]
    assert len(kept) == MOST
    assert kept.redeem(newest[0]) is None
    assert all(kept.redeem(ticket) == GRANT for ticket in newest[1:])


def test_T16_a_ticket_is_kept_as_its_digest_only() -> None:
    """Nothing that is printed or dumped holds one."""
    kept = Tickets()
    ticket = kept.mint(GRANT)
    assert ticket not in repr(vars(kept))


@pytest.mark.parametrize("wrong", ["", "x", "x" * 10_000, "é\ud800", "\0"])
def test_T06_wrong_ticket_grants_nothing(wrong: str) -> None:
    """Whatever it is made of, and the right one stays good."""
    kept = Tickets()
    ticket = kept.mint(GRANT)
    assert kept.redeem(wrong) is None
    assert kept.redeem(ticket[:-1]) is None
    assert kept.redeem(ticket + "=") is None
    assert kept.redeem(ticket) == GRANT


def test_tickets_cannot_be_guessed_and_fit_a_header() -> None:
    """256 random bits each, in characters that a subprotocol may have."""
    made = {Tickets().mint(GRANT) for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", ticket) for ticket in made)


def test_one_of_many_threads_gets_the_grant() -> None:
    """A ticket that is presented by many at once is used once."""
    kept, got = Tickets(), []
    ticket = kept.mint(GRANT)
    threads = [threading.Thread(target=lambda: got.append(kept.redeem(ticket))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [grant for grant in got if grant is not None] == [GRANT]


def test_tickets_survive_a_reload_of_their_module() -> None:
    """A page that was reloaded mints what the route of before redeems."""
    before = process_tickets()
    again = importlib.reload(tickets)
    ticket = again.process_tickets().mint(GRANT)
    assert before.redeem(ticket) == GRANT
