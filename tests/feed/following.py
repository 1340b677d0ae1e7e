"""A feed in this process and those that follow it, on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fakes.runtimes import settings_for
from fakes.waiting import eventually

from coindcx_feed.feed.follow_runtime import FollowRuntime
from coindcx_feed.feed.runtime import FeedRuntime, Role
from coindcx_feed.settings import Settings


def address(runtime: FeedRuntime) -> str:
    return f"ws://127.0.0.1:{runtime.sidecar.port}"


def follower_settings(folder: Path, **more: Any) -> Settings:
    """Build settings of a follower: no key, a port of its own, a short limit of silence."""
    return Settings(_env_file=None, **{"sidecar_port": 0, "data_dir": folder, "proof_limit_s": 3, **more})


@contextlib.asynccontextmanager
async def following(
    url: str, folder: Path, role: Role = "serve", token: str | None = None, **more: Any
) -> AsyncIterator[FollowRuntime]:
    """Run a follower and stop it at the end."""
    runtime = FollowRuntime(follower_settings(folder, **more), role, url, token)
    await asyncio.to_thread(runtime.start)
    try:
        yield runtime
    finally:
        await asyncio.to_thread(runtime.stop)


async def caught_up(follower: FeedRuntime, leader: FeedRuntime) -> None:
    """Wait until a follower shows the other one's state and has all of its events."""
    await eventually(
        lambda: follower.change.state is leader.change.state and follower.ring.version == leader.ring.version > 0
    )


def bodies(runtime: FeedRuntime, after: int = 0) -> list[bytes]:
    """Return the envelopes of all kept events after a number."""
    return runtime.ring.bodies_since(max(after, runtime.ring.oldest - 1), 1_000_000)


__all__ = ["address", "bodies", "caught_up", "follower_settings", "following", "settings_for"]
