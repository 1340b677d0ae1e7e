"""What a follower keeps, message by message."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from fakes.frames import order

from coindcx_feed.client.envelope import Envelope
from coindcx_feed.errors import ConfigError
from coindcx_feed.events import EventType, Source, encode_envelope
from coindcx_feed.exchange.records import OrderRecord
from coindcx_feed.feed.durable import NoStore
from coindcx_feed.feed.follow_mirror import FollowDesk, FollowedPairs, FollowRing, Mirror
from coindcx_feed.feed.follow_start import Known, Start
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.normalize import read_item
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.stage import ReplayState
from coindcx_feed.feed.watchlist import MOST_PAIRS
from coindcx_feed.sidecar import protocol


class Side:
    """A mirror with what it fills and tells."""

    def __init__(self) -> None:
        self.ring, self.state = FollowRing(1_000, "none"), ReplayState()
        self.pipeline = Pipeline(self.ring, MarketFeed(), Marks(), self.state, NoStore())
        self.published = self.sent_away = 0
        self.gaps: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.mirror = Mirror(
            self.pipeline, self.ring, self.state, self._publish, self.gaps.append, self.told.append, self._anew()
        )

    def _publish(self) -> None:
        self.published += 1

    def _anew(self) -> Callable[[], Awaitable[None]]:
        async def anew() -> None:
            self.sent_away += 1

        return anew

    async def order(self, seq: int, order_id: str = "o-1", epoch: str = "A", mode: str = "live", **flags: Any) -> None:
        raw = msgspec.json.encode(order(order_id))
        body, _ = encode_envelope(seq, EventType.ORDER, Source.STREAM, 10**18 + seq, raw, **flags)
        await self.mirror.take(Envelope(body, epoch, mode))

    async def say(self, raw: bytes) -> None:
        await self.mirror.take(Envelope(raw, "A", "live"))


@pytest.fixture
def side() -> Side:
    return Side()


async def test_numbers_begin_where_the_other_process_stands(side: Side) -> None:
    """And go on; the history of an id is linked by them."""
    await side.order(700)
    await side.order(701)
    assert (side.ring.oldest, side.ring.version, side.ring.epoch) == (700, 701, "A")
    assert [event.seq for event in side.ring.history(701)] == [701, 700]
    assert (side.published, side.sent_away, side.mirror.taken) == (2, 0, 2)
    assert sum(side.ring.published.values()) == 2


async def test_F16_hole_is_skipped_and_told(side: Side) -> None:
    """What is before it is let go: the ring has no holes."""
    await side.order(1)
    await side.say(protocol.resume_gap(2, 9, "overwritten"))
    await side.order(10)
    assert (side.ring.oldest, side.ring.version) == (10, 10)
    assert side.gaps == ["events 2 to 9 are missing: overwritten"]
    assert side.sent_away == 0


async def test_numbers_that_begin_anew_leave_nothing_of_before(side: Side) -> None:
    """Clients are sent away, once."""
    await side.order(500, "old")
    await side.say(protocol.resume_gap(501, None, "epoch A is not kept"))
    await side.order(1, "new", epoch="B")
    await side.order(2, "new", epoch="B")
    assert (side.ring.oldest, side.ring.version, side.ring.epochs) == (1, 2, ((1, "B"),))
    assert [entity.record.id for entity in side.state.orders()] == ["new"]
    assert (side.sent_away, side.gaps) == (1, ["the numbers of the other process begin anew: epoch A is not kept"])


async def test_new_epoch_of_a_log_that_waits_keeps_the_account(side: Side) -> None:
    """Unlike that of a replay, which begins anew."""
    await side.order(1)
    await side.order(2, "o-2", epoch="B", is_durable=False)
    assert side.ring.epochs == ((1, "A"), (2, "B"))
    assert len(side.state.orders()) == 2
    assert b'"durable":false' in side.ring.bodies_since(1, 1)[0]
    await side.order(3, "o-3", epoch="C", mode="replay")
    assert [entity.record.id for entity in side.state.orders()] == ["o-3"]


async def test_late_event_leaves_the_account_as_it_is(side: Side) -> None:
    """As where it was received."""
    await side.order(1)
    await side.order(2, is_late=True)
    assert side.state.orders()[0].seq == 1
    assert side.ring.latest(1)[0].is_late
    assert side.pipeline.counters["late"] == 1


async def test_C1_what_is_no_event_is_kept_apart(side: Side) -> None:
    """A number that came already, and a message of another dialect."""
    await side.order(5)
    await side.order(5)
    await side.say(b'{"seq":6,"type":"order","data":{}}')
    await side.say(b'{"mseq":1,"type":"trade","data":{}}')
    await side.say(b'{"mseq":2,"type":"book","data":[]}')
    assert [kept.reason for kept in side.pipeline.quarantine.newest(10)] == [
        *["expected a market message of this kind of feed, was another"] * 2,
        "expected an event of this kind of feed, was another message",
        "expected an event after 5, was 5",
    ]
    assert side.ring.version == 5


async def test_account_of_the_start_stands_behind_the_first_event(side: Side) -> None:
    """The next event of an id follows it."""
    raw = msgspec.json.encode(order("idle"))
    item = read_item(EventType.ORDER, OrderRecord.model_validate(order("idle")), raw, "idle")
    side.mirror.begin(Start(40_000, "A", [Known(item, 700, 10**18)]))
    assert [entity.seq for entity in side.state.orders()] == [700]
    assert (side.ring.version, len(side.ring)) == (40_000, 0)
    await side.order(40_001, "idle")
    assert (side.ring.latest(1)[0].previous, side.sent_away, side.gaps) == (700, 0, [])


async def test_system_events_are_told(side: Side) -> None:
    """Their data, after they were published."""
    body, _ = encode_envelope(1, EventType.SYSTEM, Source.LOCAL, 10**18, b'{"message":"upstream_gap","unknown":"x"}')
    await side.say(body)
    assert side.told == [{"message": "upstream_gap", "unknown": "x"}]
    assert side.mirror.taken == 0


def test_pairs_are_met_within_a_bound_and_cannot_be_chosen() -> None:
    """A feed that invents pairs fills nothing."""
    desk = FollowDesk((), FollowedPairs(), Marks())
    for number in range(MOST_PAIRS + 5):
        desk.meet(f"B-X{number}_USDT")
    desk.meet("../../etc")
    desk.meet(None)
    assert len(desk.pairs) == MOST_PAIRS
    for choose in (desk.watch, desk.unwatch):
        with pytest.raises(ConfigError, match="choose them in its own dashboard"):
            choose("B-X1_USDT")


def test_ring_with_another_start_is_still_a_ring() -> None:
    """The base class refuses holes; only the follower's may skip."""
    ring: Ring = FollowRing(10, "A")
    assert ring.version == 0
    assert isinstance(ring, FollowRing)
    ring.skip_to(50)
    assert (ring.version, len(ring), ring.oldest) == (49, 0, 50)
