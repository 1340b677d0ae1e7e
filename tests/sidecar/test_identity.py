"""Scopes: what a filter becomes for whom, and what is refused."""

import pytest

from coindcx_feed.errors import NotAuthorized
from coindcx_feed.sidecar.identity import ANYONE, NOBODY, Identity
from coindcx_feed.sidecar.query import ACCOUNT_TYPES, Wants

DESK = Identity("desk", frozenset({"order", "price"}), frozenset({"B-BTC_USDT", "B-ETH_USDT"}), 100.0)


def test_T04_who_asks_for_nothing_gets_the_scope() -> None:
    """Not the default, which may be more."""
    assert DESK.narrow(Wants(), ()) == Wants(DESK.types or frozenset(), DESK.pairs or frozenset())
    assert ANYONE.narrow(Wants(), ()) == Wants()


def test_T04_who_asks_for_less_gets_less() -> None:
    """As long as it is within."""
    wants = Wants(frozenset({"order"}), frozenset({"B-ETH_USDT"}))
    assert DESK.narrow(wants, ("types", "pairs")) == wants


@pytest.mark.parametrize(
    ("wants", "asked", "line"),
    [
        (Wants(), ("types",), "types: expected some of order,price (the token's scope), was balance: ask for less"),
        (
            Wants(frozenset({"order"}), frozenset({"B-SOL_USDT"})),
            ("types", "pairs"),
            "pairs: expected some of B-BTC_USDT,B-ETH_USDT (the token's scope), was B-SOL_USDT: ask for less",
        ),
    ],
)
def test_T04_who_asks_for_more_is_refused(wants: Wants, asked: tuple[str, ...], line: str) -> None:
    """With the scope and one name beyond it; short enough for a close frame."""
    with pytest.raises(NotAuthorized) as caught:
        DESK.narrow(wants, asked)
    assert str(caught.value) == line
    assert len(line.encode()) <= 123


def test_T04_no_pairs_asked_never_means_all_of_them() -> None:
    """An empty list of pairs means all in a filter, and the scope here."""
    assert DESK.narrow(Wants(frozenset({"order"})), ("types", "pairs")).pairs == DESK.pairs


def test_records_are_shown_within_the_scope_only() -> None:
    """By type, and by pair where there is one."""
    assert DESK.sees("order", "B-BTC_USDT")
    assert DESK.sees("order")
    assert not DESK.sees("order", "B-SOL_USDT")
    assert not DESK.sees("balance")
    assert all(ANYONE.sees(kind) and not NOBODY.sees(kind) for kind in ACCOUNT_TYPES)


def test_T07_an_identity_ends_with_its_token() -> None:
    """At the second, and never without one."""
    assert not DESK.is_over(99.9)
    assert DESK.is_over(100.0)
    assert not ANYONE.is_over(1e12)


@pytest.mark.parametrize("identity", [ANYONE, DESK])
def test_T04_a_ticket_carries_the_rights_of_whoever_asked(identity: Identity) -> None:
    """No more, no less, no longer."""
    assert Identity.from_grant(identity.grant()) == identity
