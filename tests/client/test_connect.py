"""Both iterators against a real sidecar: the same events, clean ends, a place that is kept."""

import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from client.published import publish_orders
from fakes.signals import heeds_ctrl_c
from sidecar.helpers import DEADLINE_S, EPOCH, TOKEN, World, eventually

from coindcx_feed.client import Connection, Gap, Item, OrderEvent, connect
from coindcx_feed.errors import ConfigError, NotAuthorized

ROOT = Path(__file__).parents[2]


def _threads() -> int:
    return sum(thread.name == "coindcx-client" for thread in threading.enumerate())


def _take(connection: Connection, count: int) -> list[Item]:
    found = []
    for item in connection:
        found.append(item)
        if len(found) == count:
            break
    return found


async def _in_thread(connection: Connection, count: int) -> list[Item]:
    return await asyncio.wait_for(asyncio.to_thread(_take, connection, count), DEADLINE_S)


async def test_both_iterators_give_the_same_events(world: World) -> None:
    """Typed, in order, with their bytes."""
    publish_orders(world, 50)
    first = await _in_thread(connect(world.url(), since="earliest"), 50)
    second: list[Item] = []
    async with connect(world.url(), since="earliest") as events:
        async for item in events:
            second.append(item)
            if len(second) == 50:
                break
    assert [item.raw for item in first] == [item.raw for item in second] == world.ring.bodies_since(0, 100)
    assert all(isinstance(item, OrderEvent) and item.epoch == EPOCH for item in first)
    await eventually(lambda: world.sidecar.clients == 0)


async def test_F16_gap_is_never_silent(world: World) -> None:
    """It comes first, then what is kept."""
    publish_orders(world, 1_500)
    gap, after = await _in_thread(connect(world.url(), since=100, epoch=EPOCH), 2)
    assert isinstance(gap, Gap)
    assert (gap.missed_from, gap.missed_to, after.seq) == (101, 500, 501)


async def test_break_ends_thread_and_socket(world: World) -> None:
    """Nothing is left when the loop over it is left."""
    publish_orders(world, 3)
    await _in_thread(connect(world.url(), since="earliest"), 1)
    assert _threads() == 0
    await eventually(lambda: world.sidecar.clients == 0)


async def test_async_break_ends_the_socket_and_complains_of_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Also without a context: what is not referred to any more is closed."""
    caplog.set_level(logging.ERROR)
    publish_orders(world, 3)
    async for item in connect(world.url(), since="earliest"):
        assert item.seq == 1
        break
    await eventually(lambda: world.sidecar.clients == 0)
    assert caplog.text == ""


async def test_C4_second_loop_goes_on_where_the_first_was_left(world: World) -> None:
    """Also what was read ahead and not yet given, in either kind of loop."""
    publish_orders(world, 30)
    connection = connect(world.url(), since="earliest")
    seqs = [item.seq for item in await _in_thread(connection, 10)]
    seqs += [item.seq for item in await _in_thread(connection, 5)]
    async for item in connection:
        seqs.append(item.seq)
        if len(seqs) == 30:
            break
    assert seqs == list(range(1, 31))


async def test_C4_a_second_loop_at_the_same_time_takes_over(world: World) -> None:
    """As in a notebook, where an interrupted loop may never be told so: it ends, and no event is given twice."""
    publish_orders(world, 30)
    connection = connect(world.url(), since="earliest")
    first = iter(connection)
    seqs = [(await asyncio.to_thread(next, first)).seq for _ in range(10)]
    seqs += [item.seq for item in await _in_thread(connection, 20)]
    assert await asyncio.to_thread(list, first) == []
    assert seqs == list(range(1, 31))
    assert _threads() == 0


async def test_C4_from_now_on_is_kept_over_a_pause(world: World) -> None:
    """What is published between two loops arrives in the second one."""
    connection = connect(world.url())
    reading = asyncio.create_task(_in_thread(connection, 1))
    await eventually(lambda: world.sidecar.clients == 1)
    publish_orders(world, 1)
    await reading
    publish_orders(world, 2)
    assert [item.seq for item in await _in_thread(connection, 2)] == [2, 3]


async def test_close_from_another_thread_ends_the_loop(world: World) -> None:
    """A reader that waits is woken."""
    with connect(world.url()) as connection:
        reading = asyncio.create_task(asyncio.to_thread(list, connection))
        await eventually(lambda: world.sidecar.clients == 1)
        await asyncio.to_thread(connection.close)
        assert await asyncio.wait_for(reading, DEADLINE_S) == []
    connection.close()
    assert _threads() == 0


async def test_slow_reader_reads_a_bounded_number_ahead() -> None:
    """What it does not take stays with the server; nothing is lost."""
    async with World(capacity=10_000) as world:
        publish_orders(world, 5_000)
        connection = connect(world.url(), since="earliest")
        reader = iter(connection)
        first = await asyncio.to_thread(next, reader)
        await eventually(lambda: len(connection._ahead) >= 1_000)
        await asyncio.sleep(0)
        assert len(connection._ahead) <= 1_001
        rest = [(await asyncio.to_thread(next, reader)).seq for _ in range(4_999)]
        assert [first.seq, *rest] == list(range(1, 5_001))
        await asyncio.to_thread(connection.close)


async def test_errors_reach_the_reader_after_what_came_before(world: World) -> None:
    """A wrong token ends the loop with the server's line."""
    async with World(token=TOKEN) as guarded:
        with pytest.raises(NotAuthorized, match="expected the configured token"):
            await _in_thread(connect(guarded.url(), token="wrong-token"), 1)
        assert _threads() == 0
        publish_orders(guarded, 1)
        (item,) = await _in_thread(connect(guarded.url(), token=TOKEN, since="earliest"), 1)
        assert item.seq == 1
    with pytest.raises(ConfigError, match="expected an address"):
        connect("http://127.0.0.1:1")


SCRIPT = """
import sys
from coindcx_feed.client import connect
for event in connect(sys.argv[1], since="earliest"):
    print(event.seq, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
async def test_ctrl_c_ends_a_script_that_waits(world: World) -> None:
    """At once, with Python's own KeyboardInterrupt and nothing else."""
    publish_orders(world, 2)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, world.url(), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, preexec_fn=heeds_ctrl_c,
    )  # fmt: skip
    assert process.stdout is not None
    for number in (b"1\n", b"2\n"):
        assert await asyncio.wait_for(process.stdout.readline(), DEADLINE_S) == number
    process.send_signal(signal.SIGINT)
    _, complaint = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert complaint.rstrip().endswith(b"KeyboardInterrupt")
    assert b"Task" not in complaint
    await eventually(lambda: world.sidecar.clients == 0)
