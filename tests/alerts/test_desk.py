"""The desk: plain data for pages, changes from any thread, and rules that run."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alerts.helpers import SetSight, condition
from alerts.test_channels import FlakySender
from fakes.frames import ORDER, order
from fakes.pipelines import feed, new_pipeline, row
from fakes.plain import is_plain
from fakes.stored import KeepingStore
from fakes.waiting import eventually

from coindcx_feed.alerts.desk import AlertDesk
from coindcx_feed.alerts.rules import BUILT_IN, WAYS
from coindcx_feed.errors import BadRequest, StoreGone
from coindcx_feed.feed.pipeline import Pipeline

NEW = {
    "id": "",
    "name": "Big",
    "subject": "event",
    "filter": {"types": ["order"]},
    "condition": condition("quantity", "at_least", 1),
    "channels": ["toast", "webhook:ops"],
}


@contextlib.asynccontextmanager
async def running(folder: Path, sender: FlakySender) -> AsyncIterator[tuple[AlertDesk, Pipeline]]:
    pipeline, desk = new_pipeline(), AlertDesk(folder, "live", SetSight())
    task = asyncio.create_task(desk.run(pipeline.ring, [sender], pipeline.on_publish))
    await eventually(lambda: desk.state()["is_running"])
    try:
        yield desk, pipeline
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_new_rule_fires_and_is_sent(tmp_path: Path) -> None:
    """Saved by a page, at work at once, counted in the list."""
    sender = FlakySender()
    async with running(tmp_path, sender) as (desk, pipeline):
        assert desk.channel_names() == [*WAYS, "webhook:ops"]
        assert await asyncio.to_thread(desk.save, NEW) == "own-1"
        await feed(pipeline, [row(ORDER, order("o-1")), row(ORDER, order("o-2", total_quantity=2))])
        await eventually(lambda: sender.got)
        assert sender.got[0].text.startswith("Big: B-ETH_USDT buy open at 2,900.5")
        (shown,) = [known for known in desk.state()["rules"] if known["id"] == "own-1"]
        assert (shown["fired"], shown["is_built_in"], shown["what"]) == (1, False, "order: quantity at least 1")
        brief = desk.brief()
        assert (brief["newest"], brief["unread"], brief["recent"][0]["seq"]) == (1, 1, 2)
        assert is_plain([brief, desk.state(), desk.newest()])
        desk.mark_read()
        assert desk.brief()["unread"] == 0
    assert not desk.state()["is_running"]


async def test_test_message_goes_to_a_destination(tmp_path: Path) -> None:
    """Asked for by another thread; an unknown one is refused."""
    sender = FlakySender()
    async with running(tmp_path, sender) as (desk, _):
        await asyncio.to_thread(desk.test, "webhook:ops")
        await eventually(lambda: desk.state()["channels"][0]["sent"] == 1)
        with pytest.raises(BadRequest, match="expected a destination"):
            desk.test("webhook:https://evil.example")


def test_switching_and_removing(tmp_path: Path) -> None:
    """A rule that is gone is told."""
    desk = AlertDesk(tmp_path, "live", SetSight())
    desk.switch("fill", False)
    assert not desk.state()["rules"][0]["enabled"]
    desk.remove("fill")
    assert [known["enabled"] for known in desk.state()["rules"]] == [known.enabled for known in BUILT_IN]
    with pytest.raises(BadRequest, match="expected one of the book"):
        desk.switch("nothing", True)
    desk.set_quiet(30, {"start": "22:00", "end": "07:00", "zone": "UTC"})
    assert (desk.state()["group_s"], desk.state()["quiet"]["start"]) == (30, "22:00")


async def test_rehearsal_answers_in_plain_data(tmp_path: Path) -> None:
    """Counts, or why it cannot be; without a log it says what to set."""
    desk, store = AlertDesk(tmp_path, "live", SetSight()), KeepingStore()
    pipeline = new_pipeline(store=store)
    await feed(pipeline, [row(ORDER, order("o-1", total_quantity=2))])
    found = desk.rehearse(NEW, store, 7)
    assert (found["why"], found["fired"], found["is_whole"]) == (None, 1, True)
    assert found["to_ms"] - found["from_ms"] == 7 * 86_400_000
    assert abs(found["to_ms"] - time.time() * 1000) < 60_000
    assert "running feed" in desk.rehearse(BUILT_IN[-1].to_mapping(), store, 7)["why"]
    assert is_plain(found)
    with pytest.raises(StoreGone, match="COINDCX_STORE_URL"):
        desk.rehearse(NEW, None, 7)
    with pytest.raises(BadRequest):
        desk.rehearse({**NEW, "subject": "x"}, store, 7)


def test_locked_desk_changes_nothing(tmp_path: Path) -> None:
    """And says why."""
    desk = AlertDesk(tmp_path, "replay", SetSight(), "a replay raises no alerts")
    with pytest.raises(BadRequest, match="a replay raises no alerts"):
        desk.save(NEW)
    assert desk.state()["locked"] == "a replay raises no alerts"
