"""What pages may do to a replay, over a real player."""

from pathlib import Path

import pytest
from fakes.plain import is_plain
from fakes.runtimes import settings_for
from fakes.stored import KeepingStore, stored_account
from fakes.waiting import eventually
from feed.test_replay_runtime import in_memory, replaying

from coindcx_feed.analysis.moments import STEP
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService

STORE, _ = stored_account()


async def test_F30_reader_steps_through_a_replay_and_lets_it_run(tmp_path: Path) -> None:
    """So many events per step, and all the rest at ``max``; paused it stands still and takes steps."""
    async with replaying(in_memory(tmp_path, STEP)) as runtime:
        service = FeedService(runtime)
        for count, shown in ((1, 1), (3, 4)):
            assert service.replaying.step(count)["ok"]
            await eventually(lambda shown=shown: service.version() == shown)
        assert service.replaying.pause()["ok"]
        await eventually(lambda: service.status()["replay"]["phase"] == "paused")
        assert service.replaying.set_speed("max")["ok"]
        assert service.replaying.step()["ok"]
        await eventually(lambda: service.version() == 5)
        assert service.replaying.resume()["ok"]
        await eventually(lambda: service.status()["replay"]["phase"] == "ended")
        assert service.version() == len(STORE.events)


@pytest.mark.parametrize(("count", "speed"), [(0, "fast"), (-1, ""), (10_001, "0")])
def test_F30_wrong_step_or_pace_is_one_line(tmp_path: Path, count: int, speed: str) -> None:
    """What was expected, what came; the replay does not change."""
    runtime = in_memory(tmp_path, STEP)
    service = FeedService(runtime)
    answers = [service.replaying.step(count), service.replaying.set_speed(speed)]
    assert is_plain(answers)
    for answer in answers:
        assert not answer["ok"]
        assert "expected" in answer["message"]
        assert "\n" not in answer["message"]
    assert service.status()["replay"]["speed"] == "step"
    assert isinstance(runtime._source, KeepingStore)


def test_feed_that_is_no_replay_refuses(tmp_path: Path) -> None:
    """It says which mode it is of and how to start a replay."""
    service = FeedService(FeedRuntime(settings_for("http://127.0.0.1:9", tmp_path), "serve"))
    controls = service.replaying
    for answer in (controls.pause(), controls.resume(), controls.step(), controls.set_speed("1")):
        assert not answer["ok"]
        assert "was a feed of mode custom" in answer["message"]
