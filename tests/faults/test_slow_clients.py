"""Row F14: a client that never reads and one that reads a byte now and then, beside many that read."""

import asyncio
from pathlib import Path

import pytest
from faults.readers import Readers, wrong
from faults.test_resume_storm import desk
from faults.trials import figure, percentile
from sidecar.helpers import EPOCH, RawClient, World, eventually

from coindcx_feed.sidecar.limits import Limits

QUIET_S = 1.5
SMALL_BYTES = 4096
PADDING = 3_000
P99_MS = 500.0


async def _sip(client: RawClient) -> None:
    """Read one byte ten times a second, until cut off."""
    while await client.read(1):
        await asyncio.sleep(0.1)


def _unsent(world: World) -> int:
    return max((session._transport.get_write_buffer_size() for session in world.sidecar._sessions), default=0)


@pytest.mark.timed
@pytest.mark.timeout(300)
async def test_F14_clients_that_hardly_read_are_closed_and_those_that_read_get_all(
    tmp_path: Path, is_long: bool
) -> None:
    """Both are closed as slow; they never hold more than the bound; the others get every event once and in time."""
    count, limits = (
        (100 if is_long else 20),
        Limits(behind_s=1.0, grace_s=0.2, connections_per_ip=1_000, handshakes_per_minute=1_000),
    )
    async with desk(tmp_path, 500, 5_000, limits, PADDING) as there, Readers() as good:
        world, publishing = there.world, asyncio.create_task(there.go_on())
        await good.ask("connect", world.sidecar.port, [f"since=0&epoch={EPOCH}"] * count)
        await good.ask("caught_up")
        await good.ask("ages")
        await asyncio.sleep(QUIET_S)
        quiet = await good.ask("ages")
        silent, sipping = [await RawClient.open(world, "since=earliest", SMALL_BYTES) for _ in range(2)]
        sips = asyncio.create_task(_sip(sipping))
        most = 0

        def are_closed() -> bool:
            nonlocal most
            most = max(most, _unsent(world))
            return world.sidecar.slow == 2

        await eventually(are_closed, 120.0)
        beside = await good.ask("ages")
        publishing.cancel()
        sips.cancel()
        await asyncio.gather(publishing, sips, return_exceptions=True)
        await there.publish()
        last = world.ring.version
        assert wrong(await good.ask("upto", last), [0] * count, last) == []
        await eventually(lambda: world.sidecar.clients == count)
        for client in (silent, sipping):
            client.close()
    quiet_ms, p99_ms = percentile(quiet, 0.99), percentile(beside, 0.99)
    figure("F14", good=count, live=len(beside), quiet_p99_ms=quiet_ms, p99_ms=p99_ms, most_unsent_kib=most / 1024)
    assert most <= limits.behind_bytes + limits.slice_bytes
    assert p99_ms < P99_MS + quiet_ms
