"""Rules that the exchange breaks, counted."""

import json
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, balance, order

from coindcx_feed.events import new_epoch
from coindcx_feed.feed.durable import NoStore
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.quirks import Quirk, Quirks
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState


async def _met(*frames: tuple[str, Any]) -> dict[Quirk, int]:
    pipeline = Pipeline(Ring(1_000, new_epoch()), MarketFeed(), Marks(), AccountState(), NoStore())
    for event, record in frames:
        pipeline.receive(event, {"event": event, "data": json.dumps([record])})
    await pipeline.drain()
    return {met.quirk: met.total for met in pipeline.quirks.met()}


LATER = 1_790_000_000_500


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([(ORDER, order())], {}),
        ([(BALANCE, balance())], {}),
        ([(ORDER, order(status="filled")), (ORDER, order(updated_at=LATER))], {Quirk.AFTER_END: 1}),
        ([(ORDER, order(updated_at=LATER)), (ORDER, order())], {Quirk.BACKWARDS: 1}),
        ([(ORDER, order(price="2900.5"))], {Quirk.NUMBER_AS_TEXT: 1}),
        ([(ORDER, order(status="paused"))], {Quirk.UNKNOWN_STATUS: 1}),
        ([(ORDER, order(new=1)), (ORDER, order("o-2", new=2))], {Quirk.UNKNOWN_FIELD: 2}),
        ([("df-trade-update", {})], {Quirk.UNKNOWN_EVENT: 1}),
        ([(ORDER, {"status": "open"})], {Quirk.NO_ID: 1}),
    ],
)
async def test_quirk_is_counted_by_its_rule(frames: list[tuple[str, Any]], expected: dict[Quirk, int]) -> None:
    """One rule each; ordinary records meet none."""
    assert await _met(*frames) == expected


def test_first_last_and_one_sample_are_kept() -> None:
    """The sample is the newest, cut."""
    quirks = Quirks()
    quirks.meet(Quirk.NO_ID, 1, b"first")
    quirks.meet(Quirk.NO_ID, 9, b"x" * 10_000)
    (met,) = quirks.met()
    assert (met.total, met.first_ns, met.last_ns, len(met.sample)) == (2, 1, 9, 4_096)
