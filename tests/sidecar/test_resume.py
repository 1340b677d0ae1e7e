"""Where a cursor begins: one distinct answer per kind of position."""

import msgspec
from sidecar.helpers import EPOCH, event

from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar.query import Query, parse_query
from coindcx_feed.sidecar.resume import begin, continued, is_given


def filled(count: int, capacity: int = 10) -> Ring:
    ring = Ring(capacity, EPOCH)
    for seq in range(1, count + 1):
        ring.append(event(seq))
    return ring


def gap(message: bytes | None) -> tuple[object, object, str]:
    assert message is not None
    data = msgspec.json.decode(message)["data"]
    assert data["message"] == "resume_gap"
    assert data["recovered"] is False
    return data["missed_from"], data["missed_to"], data["reason"]


def test_without_position_it_begins_after_the_newest() -> None:
    """From now on."""
    assert begin(filled(5), Query()) == (5, None)
    assert begin(filled(0), Query()) == (0, None)


def test_earliest_begins_at_the_oldest_kept() -> None:
    """What was overwritten before the client asked is not a gap: it asked for what there is."""
    assert begin(filled(25), Query(since="earliest")) == (15, None)
    assert begin(filled(0), Query(since="earliest")) == (0, None)


def test_F16_inside_the_ring_it_continues() -> None:
    """The last event seen, and the edge where the next event is the oldest kept."""
    assert begin(filled(25), Query(since=20, epoch=EPOCH)) == (20, None)
    assert begin(filled(25), Query(since=25, epoch=EPOCH)) == (25, None)
    assert begin(filled(25), Query(since=15, epoch=EPOCH)) == (15, None)


def test_F16_too_old_names_exactly_what_is_missing() -> None:
    """From the one after the last seen to the one before the oldest kept."""
    start = begin(filled(25), Query(since=14, epoch=EPOCH))
    assert start.seq == 15
    missed_from, missed_to, reason = gap(start.gap)
    assert (missed_from, missed_to) == (15, 15)
    assert reason.startswith("overwritten: the oldest kept is 16")


def test_F16_numbers_before_this_ring_began_are_missing_too() -> None:
    """A ring that continues another process's numbers does not hide what it never held."""
    ring = Ring(10, EPOCH, first_seq=100)
    ring.append(event(100))
    assert gap(begin(ring, Query(since=40, epoch=EPOCH)).gap)[:2] == (41, 99)
    assert begin(ring, Query(since=99, epoch=EPOCH)) == (99, None)


def test_F16_another_epoch_has_an_open_end() -> None:
    """How many events that epoch had later is not known here."""
    start = begin(filled(5), Query(since=3, epoch="another"))
    assert start.seq == 0
    missed_from, missed_to, reason = gap(start.gap)
    assert (missed_from, missed_to) == (4, None)
    assert "epoch another" in reason
    assert EPOCH in reason


def test_F16_a_future_number_is_named_as_such() -> None:
    """It was never given, so nothing can be said about what is missing."""
    start = begin(filled(5), Query(since=6, epoch=EPOCH))
    assert start.seq == 0
    assert gap(start.gap) == (None, None, "seq 6 was never given in this epoch; the newest is 5: sent from the oldest")


def test_market_only_clients_have_no_position() -> None:
    """A gap of account events would mean nothing to them."""
    wants = parse_query([("types", "trade")]).wants
    assert begin(filled(25), Query(wants, 1, EPOCH)) == (25, None)


def test_F13_an_overtaken_cursor_continues_after_the_gap() -> None:
    """Used for connected clients too."""
    seq, message = continued(filled(25), 5)
    assert seq == 15
    assert gap(message)[:2] == (6, 15)
    assert continued(filled(25), 15) == (15, None)


def test_position_was_given_in_an_epoch_that_is_known() -> None:
    """A number beyond the newest, one of the next epoch and a foreign epoch were not."""
    ring = filled(25)
    ring.begin_epoch("next")
    assert is_given(ring, None, 25, EPOCH)
    assert is_given(ring, None, 3, EPOCH)
    assert not is_given(ring, None, 26, EPOCH)
    assert is_given(ring, None, 25, "next")
    assert not is_given(ring, None, 3, "other")
    assert not is_given(ring, None, -1, EPOCH)
