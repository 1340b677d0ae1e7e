"""A feed runtime against an exchange on loopback."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from coindcx_feed.exchange.states import Timings
from coindcx_feed.feed.runtime import FeedRuntime, Role
from coindcx_feed.settings import Settings
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET

FAST = Timings(joined_after_s=0.1, retry_first_s=0.02, retry_most_s=0.1, tick_s=0.02)


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a port of loopback can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def settings_for(url: str, folder: Path, **more: Any) -> Settings:
    """Build live settings whose hosts are all the given exchange's, with the simulator's credentials."""
    fields: dict[str, Any] = {
        "mode": "live",
        "api_key": SecretStr(DEMO_KEY),
        "api_secret": SecretStr(DEMO_SECRET),
        "stream_url": url.replace("http", "ws", 1),
        "api_url": url,
        "public_url": url,
        "sidecar_port": 0,
        "data_dir": folder,
        **more,
    }
    return Settings(_env_file=None, **fields)


@contextlib.asynccontextmanager
async def running(settings: Settings, role: Role = "serve") -> AsyncIterator[FeedRuntime]:
    """Start a runtime with short delays and stop it at the end."""
    runtime = FeedRuntime(settings, role, timings=FAST)
    await asyncio.to_thread(runtime.start)
    try:
        yield runtime
    finally:
        await asyncio.to_thread(runtime.stop)


def events(runtime: FeedRuntime) -> list[dict[str, Any]]:
    """Return all kept events as clients get them, oldest first."""
    return [json.loads(body) for body in runtime.ring.bodies_since(runtime.ring.oldest - 1, 1_000_000)]
