"""The log: what goes in comes out, in order, once."""

import pytest
from store.made import EPOCH, fill, made, opened

from coindcx_feed.errors import StoreError
from coindcx_feed.store import EpochRow, EventStore


def test_events_come_back_as_they_were(store: EventStore) -> None:
    """Facts, flags and envelopes are the same, byte for byte."""
    source = made(350)
    fill(store, source)
    assert store.read(0, 1_000) == source
    assert [event.record for event in store.read(100, 5)] == [event.record for event in source[100:105]]
    assert (store.oldest_seq, store.last_seq) == (1, 350)


def test_read_is_paged_and_bounded(store: EventStore) -> None:
    """A cursor gets the next numbers only, up to where it asks."""
    fill(store, made(50))
    assert [event.seq for event in store.read(10, 3)] == [11, 12, 13]
    assert [event.seq for event in store.read(10, 30, upto=12)] == [11, 12]
    assert store.read(50, 10) == []


def test_bodies_carry_what_a_client_is_chosen_by(store: EventStore) -> None:
    """Number, type, pair and the very bytes."""
    source = made(20)
    fill(store, source)
    wanted = [(event.seq, event.type, event.facts.pair, event.body) for event in source]
    assert store.bodies(0, 100) == wanted
    assert store.bodies(5, 100, upto=7) == wanted[5:7]


def test_single_events_are_found_by_number(store: EventStore) -> None:
    """Unknown numbers are left out; the order is the one asked for."""
    source = made(1_200)
    fill(store, source)
    assert store.get(7) == source[6]
    assert store.get(5_000) is None
    numbers = [900, 3, 9_999, *range(100, 800)]
    assert [event.seq for event in store.fetch(numbers)] == [900, 3, *range(100, 800)]


def test_a_group_that_is_sent_again_is_stored_once(store: EventStore) -> None:
    """After a commit of which nobody knows whether it happened, the same group may be appended again."""
    source = made(30)
    store.append(source[:20], EPOCH)
    store.append(source[10:], EPOCH)
    assert store.read(0, 100) == source


def test_dropped_numbers_are_gone(store: EventStore) -> None:
    """A group whose commit was in doubt is removed before it is flushed under another epoch."""
    source = made(30)
    fill(store, source)
    store.drop_from(21)
    assert store.last_seq == 20
    store.begin_epoch("epoch-2", 21)
    store.append(source[20:], "epoch-2")
    assert store.epoch_of(20) == EPOCH
    assert store.epoch_of(21) == "epoch-2"


def test_numbers_and_epoch_continue_after_a_restart(url: str) -> None:
    """What was last is known before anything is read."""
    with_events = opened(url)
    fill(with_events, made(25))
    with_events.close()
    again = opened(url)
    assert (again.last_seq, again.last_epoch, again.last_epoch_is_settled) == (25, EPOCH, True)
    assert again.note is None
    again.append(made(5, first=26), EPOCH)
    assert [event.seq for event in again.read(23, 100)] == [24, 25, 26, 27, 28, 29, 30]
    again.close()


def test_an_epoch_is_unsettled_until_said_otherwise(url: str) -> None:
    """A crash between beginning a flush and its end is seen at the next start."""
    store = opened(url)
    store.append(made(3), EPOCH)
    store.begin_epoch("epoch-2", 4, settled=False)
    store.append(made(2, first=4), "epoch-2")
    store.close()
    again = opened(url)
    assert (again.last_epoch, again.last_epoch_is_settled) == ("epoch-2", False)
    again.settle_epoch("epoch-2")
    first, second = again.epochs()
    assert first == EpochRow(EPOCH, 1, 3, first.started_ns, True)
    assert second == EpochRow("epoch-2", 4, 5, second.started_ns, True)
    again.close()
    assert opened(url).last_epoch_is_settled


def test_numbers_without_an_epoch_belong_to_none(store: EventStore) -> None:
    """Nothing is made up about numbers that never came."""
    fill(store, made(5))
    assert store.epoch_of(5) == EPOCH
    assert store.epoch_of(6) is None
    assert store.epoch_of(0) is None


def test_an_unknown_epoch_is_refused(store: EventStore) -> None:
    """An event without a series would be lost to every cursor."""
    with pytest.raises(StoreError, match="expected an epoch that was begun"):
        store.append(made(1), "unheard-of")


def test_marks_are_kept_once_per_second(store: EventStore) -> None:
    """The first price of a second stays; both ends of a range are included."""
    store.append_marks([(10, "B-ETH_USDT", "2900.5"), (11, "B-ETH_USDT", "2901"), (10, "B-BTC_USDT", "67000")])
    store.append_marks([(11, "B-ETH_USDT", "9999"), (12, "B-ETH_USDT", "2902.00")])
    assert store.marks("B-ETH_USDT", 10, 11) == [(10, "2900.5"), (11, "2901")]
    assert store.marks("B-ETH_USDT", 12, 99) == [(12, "2902.00")]


def test_a_stored_body_may_hold_anything(store: EventStore) -> None:
    """Texts that a database cannot keep are replaced in the columns; the envelope stays as it was."""
    (event,) = made(1)
    odd = event._replace(facts=event.facts._replace(message="nul \0 and half \ud800 a pair"))
    store.append([odd], EPOCH)
    (found,) = store.read(0, 1)
    assert found.body == event.body
    assert (found.facts.message or "").startswith("nul ")
