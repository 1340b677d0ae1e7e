"""Rows F13, F17, F20 and F21 from end to end: the feed is killed, its log is locked or full, and nothing is lost."""

import asyncio
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from fakes.numbered import numbered_exchange
from fakes.trader import Trader
from fakes.waiting import eventually
from faults.outages import (
    FILLER,
    assert_told,
    fill_up,
    listening,
    log_of,
    plain,
    shown_by,
    small_disk,
    stored,
    through_an_outage,
)
from faults.test_process import checked, child, knows_all
from faults.trials import figure
from faults.worlds import world


@pytest.mark.timeout(600)
async def test_F17_killed_feed_goes_on_with_every_event_that_anyone_saw(tmp_path: Path, is_long: bool) -> None:
    """Killed at random instants; each start serves everything that an earlier one had shown, byte for byte."""
    rounds, chance = (30 if is_long else 3), random.Random(17)
    seen: dict[int, bytes] = {}
    async with numbered_exchange() as exchange:
        trader = Trader(exchange, 17, repeats=0.0)
        for _ in range(rounds):
            async with child(exchange, tmp_path, 10.0) as feed:
                await eventually(lambda feed=feed, known=seen: len(feed.raws) >= len(known))
                for _ in range(chance.randrange(5, 60)):
                    await trader.step()
                    await asyncio.sleep(chance.random() * 0.01)
                feed.process.kill()
                await feed.process.wait()
            shown = {message["seq"]: raw for message, raw in zip(feed.received, feed.raws, strict=True)}
            assert sorted(shown) == list(range(1, len(shown) + 1))
            assert {seq: shown.get(seq) for seq in seen} == seen
            seen = shown
        await trader.settle()
        async with child(exchange, tmp_path, 10.0) as feed:
            await eventually(lambda: knows_all(exchange, feed), 30)
    verdict = checked(exchange, feed)
    figure("F17", rounds=rounds, events=len(feed.received), lost_acknowledged=0, checker=verdict)
    assert verdict.findings == {}


def _numbers(messages: list[dict[str, Any]]) -> set[int]:
    return {message["data"].get("x_number", 0) for message in messages}


@pytest.mark.timeout(120)
async def test_F21_locked_log_is_said_and_gets_everything_later(tmp_path: Path) -> None:
    """Another program holds the file: live view and clients go on, marked, and nothing is missing at the end."""
    async with world(tmp_path) as there, listening(there) as messages:
        other = sqlite3.connect(log_of(tmp_path), isolation_level=None, check_same_thread=False)
        await eventually(lambda: there.is_watched)
        await through_an_outage(
            there, messages, lambda: other.execute("BEGIN IMMEDIATE"), lambda: other.execute("COMMIT")
        )
        other.close()
        shown = shown_by(there)
    bodies, epochs = stored(there)
    assert bodies[: len(shown)] == [plain(body) for body in shown]
    assert_told(there, messages, epochs)


@pytest.mark.timeout(120)
async def test_F21_removed_file_is_said_and_another_one_begun(tmp_path: Path) -> None:
    """Every event from the outage on is in the new log."""
    async with world(tmp_path) as there, listening(there) as messages:
        await eventually(lambda: there.is_watched)
        await through_an_outage(there, messages, log_of(tmp_path).unlink, lambda: None, is_over=True)
        await eventually(lambda: any("was removed" in str(message["data"].get("message")) for message in messages))
        first = there.runtime.ring.epochs[1][0]
        shown = [event.body for event in there.runtime.ring.since(first - 1, 1_000_000)]
    bodies, epochs = stored(there, first)
    assert bodies[: len(shown)] == [plain(body) for body in shown]
    assert epochs == list(there.runtime.ring.epochs[1:])


@pytest.mark.timeout(120)
async def test_F20_full_disk_is_said_and_gets_everything_later(tmp_path: Path) -> None:
    """Events wait in memory until there is space again."""
    with small_disk(tmp_path, "2m") as disk:
        async with world(disk) as there, listening(there) as messages:
            await eventually(lambda: there.is_watched)
            await through_an_outage(there, messages, lambda: fill_up(disk), (disk / FILLER).unlink)
            shown = shown_by(there)
        bodies, epochs = stored(there)
    assert bodies[: len(shown)] == [plain(body) for body in shown]
    assert_told(there, messages, epochs)


async def test_F17_restart_knows_the_account_the_numbers_and_the_time_between(tmp_path: Path) -> None:
    """The time between two processes is a gap; a client of the first resumes at the second without one."""
    async with numbered_exchange() as exchange:
        trader = Trader(exchange, 3, repeats=0.0)
        async with child(exchange, tmp_path, 10.0) as feed:
            await trader.steps(20)
            await eventually(lambda: _numbers(feed.received) >= {one.number for one in exchange.sent})
            last = feed.received[-1]["seq"]
        await trader.steps(5)
        async with child(exchange, tmp_path, 10.0) as feed:
            await eventually(lambda: bool(feed.system("upstream_gap")), 30)
            (gap,) = feed.system("upstream_gap")
            later = [message for message in feed.received if message.get("seq", 0) > last]
    assert gap["cause"] == "not running"
    assert gap["recovered"] >= 1
    assert gap["unknown"] is None
    assert {message["source"] for message in later} <= {"rest", "local"}
