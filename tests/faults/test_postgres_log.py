"""Row F22 from end to end: PostgreSQL stops, hangs or has no room: nothing is lost, nothing doubled."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import postgres
from fakes.numbered import numbered_exchange
from fakes.trader import Trader
from fakes.waiting import eventually
from faults.outages import (
    FILLER,
    assert_told,
    fill_up,
    listening,
    plain,
    shown_by,
    small_disk,
    stored,
    through_an_outage,
)
from faults.test_process import EXIT_S, child
from faults.trials import figure
from faults.worlds import world
from pydantic import SecretStr

from coindcx_feed.feed.durable import LIMIT_S

pytestmark = pytest.mark.timeout(120)
DISK = "24m"
ORDERS = 40
"""At about 1 KB each they fill every page that the tables have already."""


async def _outage(
    folder: Path, url: str, begin: Callable[[], object], end: Callable[[], object], *, orders: int = 1
) -> float:
    """Trade through an outage, compare the log with what clients saw, and return how long the first event waited."""
    async with world(folder, store_url=SecretStr(url)) as there, listening(there) as messages:
        await eventually(lambda: there.is_watched)
        waited_s = await through_an_outage(there, messages, begin, end, orders=orders)
        shown = shown_by(there)
    bodies, epochs = stored(there)
    assert bodies[: len(shown)] == [plain(body) for body in shown]
    assert_told(there, messages, epochs)
    return waited_s


async def test_F22_crashed_database_is_said_and_gets_everything_later(tmp_path: Path) -> None:
    """PostgreSQL stops at once, as in a failover, and comes back: nothing is lost, nothing stands there twice."""
    with postgres.running() as server:
        waited_s = await _outage(tmp_path, server.url(), server.stop, server.start)
    figure("F22", fault="crash", waited_s=waited_s, lost=0, doubled=0)


@pytest.mark.timed
async def test_F22_frozen_database_is_not_waited_for_and_gets_everything_later(tmp_path: Path) -> None:
    """Every process of PostgreSQL is stopped (SIGSTOP): a commit that hangs costs 2 s once, and nothing is lost."""
    with postgres.running() as server:
        waited_s = await _outage(tmp_path, server.url(), server.freeze, server.thaw)
    figure("F22", fault="frozen", waited_s=waited_s, lost=0, doubled=0)
    assert waited_s < LIMIT_S + 1.0


async def test_F22_full_disk_of_the_database_is_said_and_gets_everything_later(tmp_path: Path) -> None:
    """The disk of the tables has no page left, that of the server's own journal has: the refusal is PostgreSQL's."""
    with postgres.running() as server, small_disk(server.folder, DISK) as disk:
        begin, end = lambda: fill_up(disk), (disk / FILLER).unlink
        waited_s = await _outage(tmp_path, server.url(disk=disk), begin, end, orders=ORDERS)
    figure("F22", fault="full disk", waited_s=waited_s, lost=0, doubled=0)


@pytest.mark.timed
async def test_F22_feed_ends_in_time_while_its_database_is_frozen(tmp_path: Path) -> None:
    """SIGTERM with a commit that hangs: nobody has to kill the feed, and the next one knows all that was stored."""
    with postgres.running() as server:
        async with numbered_exchange() as exchange, child(exchange, tmp_path, 10.0, store_url=server.url()) as feed:
            trader = Trader(exchange, 22, repeats=0.0)
            await trader.steps(10)
            await asyncio.to_thread(server.freeze)
            await trader.steps(10)
            await eventually(lambda: any(message.get("durable") is False for message in feed.received))
            began_s = time.monotonic()
            feed.process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(feed.process.wait(), EXIT_S + 5)
            exit_s = time.monotonic() - began_s
    figure("F22", fault="ended while frozen", exit_s=exit_s, code=code)
    assert code == 0
    assert exit_s < EXIT_S
