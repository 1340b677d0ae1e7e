"""The exchange is joined only while somebody looks."""

from pathlib import Path

import aiohttp
from fakes.waiting import eventually
from faults.worlds import world

from coindcx_feed.feed.watch import ON_DEMAND


async def test_session_comes_with_the_first_viewer_and_leaves_after_the_last(tmp_path: Path) -> None:
    """A sidecar client is a viewer, a status request is none; the time without viewers is no failure."""
    async with world(tmp_path, upstream="on-demand") as there:
        base = f"http://127.0.0.1:{there.runtime.sidecar.port}/api/v1/ws"
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{base}/status") as answer:
                assert (await answer.json())["coindcx_connected"] is False
            assert there.exchange.connections == 0
            for _ in range(2):
                async with http.ws_connect(f"{base}/coindcx"):
                    await eventually(lambda: there.is_watched)
                await eventually(lambda: there.exchange.connections == 0)
        assert not there.is_watched
        assert {gap.cause for gap in there.runtime.watch.gaps()} == {ON_DEMAND}
        complete = there.service.status()["completeness"]
        assert (complete["share"], complete["gaps"]) == (1.0, 0)
        assert "not watching" in there.service.status()["reason"]


async def test_open_page_is_a_viewer(tmp_path: Path) -> None:
    """Counted by the server's own connections, not by what scripts say."""
    async with world(tmp_path, upstream="on-demand") as there:
        there.service.page_opened()
        await eventually(lambda: there.is_watched)
        there.service.page_closed()
        assert there.service.status()["viewers"] == 0
