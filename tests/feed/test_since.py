"""What a browser has not seen, from memory and from the log: the same answer, and no row loaded."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.past import EPOCHS, EVENTS, at_ms, past_log
from fakes.plain import is_plain

from coindcx_feed.events import EventType
from coindcx_feed.feed.moments import Moments
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.since import Since
from coindcx_feed.feed.state import AccountState
from coindcx_feed.feed.watch import Watch
from coindcx_feed.store.log import EventStore
from coindcx_feed.views.moment import fold

NOW_NS = at_ms("2026-11-22T10:05") * 10**6


def _runtime(log: EventStore | None, capacity: int, state: AccountState) -> Any:
    ring = Ring(capacity, EPOCHS[0])
    for event in EVENTS:
        if event.seq == 8:
            ring.begin_epoch(EPOCHS[1])
        ring.append(event)
    return SimpleNamespace(ring=ring, log=log, state=state, watch=Watch(), now_ns=lambda: NOW_NS)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    with past_log(tmp_path) as opened:
        yield opened


@pytest.fixture(params=[100, 2], ids=["memory", "log"])
def since(request: pytest.FixtureRequest, log: EventStore) -> Since:
    """The same two days, whether memory reaches back to the mark or the log has to."""
    return Since(_runtime(log, request.param, fold(log.state_at(log.last_seq))))


def test_everything_after_a_mark_is_told_once(since: Since) -> None:
    """Types, ends, wallets and the gap, wherever they are kept."""
    told = since.told(EPOCHS[0], 1, 12)
    assert is_plain(told)
    assert (told["after"], told["is_known"], told["is_whole"]) == (1, True, True)
    assert told["events"] == {"order": 3, "balance": 2, "fill": 2, "ledger": 3, "system": 1}
    assert told["ended"] == {"filled": 2, "cancelled": 1, "rejected": 0}
    assert told["gaps"] == {"count": 1, "away_s": 3_600.0}
    assert told["since_ms"] == at_ms("2026-11-21T10:00")


def test_wallets_say_what_changed_since_the_mark(since: Since) -> None:
    """Exact; one without an event before the mark is new."""
    (wallet,) = since.told(EPOCHS[0], 5, 12)["wallets"]
    assert wallet == {"currency": "USDT", "total": "5.25", "change": "-1650846.84606695345873"}
    assert since.told(EPOCHS[0], 1, 12)["wallets"][0]["change"] is None
    assert since.told(EPOCHS[1], 9, 12)["wallets"] == []


def test_nothing_is_newer_than_the_newest(since: Since) -> None:
    """Also for a mark that somebody made up."""
    for seq in (12, 10**9):
        told = since.told(EPOCHS[1], seq, 12)
        assert (told["events"], told["gaps"]["count"]) == ({}, 0)


def test_numbers_of_a_lost_tail_are_told_again(since: Since) -> None:
    """The first series ended with 7; a browser that saw 9 of it has not seen 8 and 9 of the next one."""
    assert since.told(EPOCHS[0], 9, 12)["after"] == 7
    assert since.told(EPOCHS[1], 9, 12)["after"] == 9


def test_unknown_series_begins_with_the_present_one(since: Since) -> None:
    """Nothing can be compared, and it says so."""
    told = since.told("20200101T000000-00000000", 500, 12)
    assert (told["after"], told["is_known"]) == (7, False)


def test_upto_is_where_the_page_was_opened(since: Since) -> None:
    """What came later is seen as it comes."""
    assert since.told(EPOCHS[0], 1, 3)["events"] == {"order": 1, "balance": 1}


def test_without_a_log_memory_is_all_there_is(log: EventStore) -> None:
    """What it has forgotten is said to be missing."""
    state = fold(log.state_at(log.last_seq))
    told = Since(_runtime(None, 4, state)).told(EPOCHS[0], 1, 12)
    assert told["is_whole"] is False
    assert sum(told["events"].values()) == 4
    assert Since(_runtime(None, 100, state)).told(EPOCHS[0], 1, 12)["is_whole"] is True


def test_log_is_read_by_columns_not_by_rows(log: EventStore) -> None:
    """At most one row at the mark, two per position and one per wallet are fetched."""
    fetched: list[Any] = []
    get = log.get

    def counted(seq: int) -> Any:
        fetched.append(seq)
        return get(seq)

    log.get = counted  # type: ignore[method-assign]
    runtime = _runtime(log, 2, fold(log.state_at(log.last_seq)))
    Since(runtime).told(EPOCHS[0], 1, 12)
    assert len(fetched) <= 2


def test_wallet_of_then_is_that_of_the_moment(log: EventStore) -> None:
    """The change is measured from what the pages show as known at the mark."""
    runtime = _runtime(log, 2, fold(log.state_at(log.last_seq)))
    then = Moments(runtime).balances_at(5)[0]["total"]
    (wallet,) = Since(runtime).told(EPOCHS[0], 5, 12)["wallets"]
    assert float(then) + float(wallet["change"]) == pytest.approx(float(wallet["total"]))
    assert EventType.BALANCE in {event.type for event in EVENTS}
