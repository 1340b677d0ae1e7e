"""Every route beside the socket, and the commands that the README shows for them."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from fakes.frames import ORDER, POSITION, order, position
from sidecar.helpers import EPOCH
from sidecar.test_http_state import new_world

from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar.guard import NEEDS, Need
from coindcx_feed.sidecar.http_routes import routes
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.site import Figures, Site

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r'^curl -s "http://127\.0\.0\.1:8000(/[^"]*)"$', README, re.MULTILINE)


def served_paths() -> set[str]:
    site = Site(Ring(10, EPOCH), Limits(), dict, lambda: Figures(0, 0, 0, 0, {}))
    return {route.path for route in routes(site)}


async def test_every_command_of_the_readme_works_as_written() -> None:
    """With curl itself, but for the port."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    world, feed = new_world()
    async with world:
        await feed.take(ORDER, order(status="filled"))
        await feed.take(POSITION, position())
        for target in COMMANDS:
            url = f"http://127.0.0.1:{world.sidecar.port}{target}"
            process = await asyncio.create_subprocess_exec(curl, "-sf", url, stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            assert process.returncode == 0, target
            assert any(word in output for word in (b"asyncapi", b"ready", b"B-ETH_USDT", b"coindcx_feed_seq")), target


def test_the_readme_shows_the_routes() -> None:
    """One command for each kind; the paths exist."""
    assert {target.partition("?")[0] for target in COMMANDS} <= served_paths()
    assert len(COMMANDS) >= 4


def test_T24_only_health_and_readiness_are_open() -> None:
    """All others are refused without the configured credential; the status then shows counts only."""
    opened = {path for path in served_paths() if NEEDS.get(path, Need.PROOF) is not Need.PROOF}
    assert opened == {"/healthz", "/readyz", "/api/v1/ws/status"}
