"""The checker itself: what it excuses and what it does not."""

import pytest
from fakes.numbered import Sent
from faults.checker import Span, Taken, Verdict, check_feed
from faults.deliveries import Deliveries

SECOND = 1_000_000_000
START_NS = 1_790_000_000 * SECOND
GAP = Span(START_NS + 10 * SECOND, START_NS + 20 * SECOND)


def _sent(number: int, at_s: float) -> Sent:
    return Sent(number, "order", f"o-{number}", b"%d" % number, False, False, START_NS + int(at_s * SECOND))


def _lost(taken: list[int], delivered: dict[int, float] | None) -> list[str]:
    """Send four records two seconds before a gap and give the findings; ``delivered`` in seconds like the gap."""
    sent = [_sent(number, 8 + number / 10) for number in range(1, 5)]
    events = [Taken(number, b"%d" % number, "stream", START_NS + int(9.9 * SECOND)) for number in taken]
    line = None if delivered is None else {n: [START_NS + int(at_s * SECOND)] for n, at_s in delivered.items()}
    verdict = Verdict()
    check_feed(verdict, sent, events, [], set(), [GAP], line)
    return [finding.split()[1] for finding in verdict.lost]


@pytest.mark.parametrize(
    ("taken", "delivered", "lost"),
    [
        ([1, 2, 3, 4], {}, []),
        ([1, 2], {1: 9.0, 2: 9.1}, []),
        ([1, 2], {1: 9.0, 2: 9.1, 3: 9.2, 4: 9.3}, ["o-3", "o-4"]),
        ([1, 2], {1: 9.0, 2: 9.1, 3: 9.2}, ["o-3"]),
        ([1, 2], {1: 9.0, 2: 9.1, 3: 9.8, 4: 9.9}, []),
        ([1, 2, 4], {1: 9.0, 2: 9.1, 4: 9.9}, ["o-3"]),
        ([1, 2], None, ["o-3", "o-4"]),
    ],
    ids=["all came", "held", "had arrived", "one had", "arrived at the end", "overtaken", "no line"],
)
def test_F29_tail_is_excused_only_while_the_line_held_it(
    taken: list[int], delivered: dict[int, float] | None, lost: list[str]
) -> None:
    """A feed that drops what it has received before a gap is found out, although nothing later came."""
    assert _lost(taken, delivered) == lost


def test_delivery_counts_with_the_end_of_its_frame_and_the_last_byte_on_its_way() -> None:
    """In pieces of any size; a frame that was cut, and one that still waits in the sender, came to nobody."""
    frame = b'42["df-order-update",{"data":"[{\\"id\\":1,\\"x_number\\":17},{\\"x_number\\":18}]"}]'
    for size in (1, 7, len(frame)):
        deliveries, line = Deliveries(), Deliveries
        for at in range(0, len(frame) - size, size):
            deliveries.passed("down", line, frame[at : at + size], True)
            assert deliveries.times == {}
        last = frame[(len(frame) - 1) // size * size :]
        deliveries.passed("down", line, last, False)
        assert deliveries.times == {}
        deliveries.passed("up", line, frame, True)
        deliveries.passed("down", line, b"", True)
        assert {number: len(times) for number, times in deliveries.times.items()} == {17: 1, 18: 1}
