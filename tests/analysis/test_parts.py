"""Parts: the ring and the log give the same cells, and no part has events of two epochs."""

from analysis.helpers import EPOCH, fill, ledger, new_event, new_ring
from fakes.frames import balance, order, position

from coindcx_feed.analysis.csv_lines import EventLines
from coindcx_feed.analysis.parts import LogPart, RingPart, log_parts, ring_parts
from coindcx_feed.analysis.record_lines import RecordLines

MADE = [
    ("order", order("o-1", display_message='say "hi"')),
    ("position", position()),
    ("balance", balance(free="1650841.59606695345873")),
    ("fill", fill()),
    ("ledger", ledger()),
    ("system", {"message": "=1+1", "state": "live"}),
    ("order", order("o-2", status="日本")),
]


def test_ring_and_log_give_the_same_bytes() -> None:
    """Lines do not depend on where an event was kept, odd ones included."""
    ring = new_ring(*MADE)
    events = [new_event(seq, kind, record) for seq, (kind, record) in enumerate(MADE, 1)]
    from_ring, from_log = RingPart(ring, ring.numbers(None), EPOCH), LogPart(events, EPOCH)
    ours, theirs = EventLines("live")(from_log), EventLines("live")(from_ring)
    assert (bytes(ours.text).count(b"\r\n"), ours.rows) == (7, 7)
    assert bytes(ours.text) == bytes(theirs.text)
    orders = LogPart([events[0], events[6]], EPOCH)
    assert RecordLines("order", "live")(orders).rows == 2


def test_parts_of_the_ring_end_where_an_epoch_begins() -> None:
    """Each line names the series its number belongs to."""
    ring = new_ring(*MADE[:3])
    ring.begin_epoch("second")
    ring.append(new_event(4, "order", order("o-4")))
    ring.append(new_event(5, "order", order("o-5")))
    parts = list(ring_parts(ring, ring.numbers(None), 4))
    assert [(part.epoch, part.ends, len(part)) for part in parts] == [
        (EPOCH, (1, 3), 3),
        ("second", (4, 4), 1),
        ("second", (5, 5), 1),
    ]


def test_parts_of_the_log_end_where_an_epoch_begins() -> None:
    """A slice over three series becomes three parts; one without an event becomes none."""
    events = [new_event(seq, "order", order(f"o-{seq}")) for seq in range(1, 8)]
    epochs = [(1, "a"), (4, "b"), (6, "empty"), (6, "c")]
    parts = list(log_parts(iter([events[:2], events[2:]]), epochs))
    assert [(part.epoch, part.ends) for part in parts] == [("a", (1, 2)), ("a", (3, 3)), ("b", (4, 5)), ("c", (6, 7))]
    assert parts[0].bodies() == [event.body for event in events[:2]]


def test_events_older_than_every_known_epoch_count_to_the_first() -> None:
    """Nothing is left out because the log forgot where its first series began."""
    events = [new_event(seq, "order", order(f"o-{seq}")) for seq in (3, 4)]
    (part,) = log_parts(iter([events]), [(4, "only")])
    assert (part.epoch, len(part)) == ("only", 2)
