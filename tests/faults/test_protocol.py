"""Row F06: both generations of the protocol. The exchange speaks Engine.IO 4 and 3, the client library only 4."""

from pathlib import Path

from fakes.old_dialect import old_exchange
from fakes.runtimes import running, settings_for
from fakes.waiting import eventually
from faults.trials import figure, trial

from coindcx_feed.feed.service import FeedService


async def test_F06_only_the_right_generation_connects_and_the_other_is_named(tmp_path: Path) -> None:
    """Engine.IO 4 is watched; Engine.IO 3 is never called connected, and the reason names both."""
    matrix = {}
    async with trial(tmp_path / "four") as there:
        await there.trader.steps(5)
        await there.end()
        matrix["engine_io_4"] = there.service.status()["label"]
    async with (
        old_exchange() as url,
        running(settings_for(url.replace("ws", "http", 1), tmp_path / "three")) as runtime,
    ):
        service = FeedService(runtime)
        await eventually(lambda: service.status()["counters"]["connects"] >= 3)
        matrix["engine_io_3"] = service.status()["label"]
        reason = service.status()["reason"]
        assert not any(change.state.is_connected for change in runtime.watch.changes())
    figure("F06", **matrix)
    assert matrix == {"engine_io_4": "Live", "engine_io_3": "Reconnecting"}
    assert "expected Engine.IO 4" in reason
    assert "was Engine.IO 3" in reason
