"""Rows F07, F08, F09: repeats, values that return, and records out of order, over the wire."""

import itertools
import random
from pathlib import Path
from typing import Any

from fakes.frames import order, position
from fakes.waiting import eventually
from faults.trials import Trial, figure, trial

MOVES = 150


def _wallet(free: str) -> dict[str, Any]:
    return {"id": "w-1", "balance": free, "locked_balance": "0", "currency_short_name": "INR"}


async def test_F07_repeats_within_and_across_connections_are_one_event(tmp_path: Path) -> None:
    """Half of all frames come twice, and after a new join the exchange plays its last ones again."""
    async with trial(tmp_path, seed=7) as there:
        there.trader.repeats = 0.5
        await there.trader.steps(MOVES)
        await there.end()  # what the kick would cut off could not be counted
        before = len(there.joins)
        await there.exchange.server.kick()
        await there.rejoined(before)
        played = [one for one in there.exchange.sent[-30:] if one.kind != "balance" and not one.is_repeat]
        for one in played:
            await there.exchange.repeat(one)
        repeats = sum(one.is_repeat for one in there.exchange.sent)
        # Nothing else tells that they have arrived.
        await eventually(lambda: there.runtime.pipeline.duplicates.count >= repeats)
        verdict = await there.end()
        shown = there.service.feed()["duplicates"]
    figure("F07", repeats=repeats, kept_apart=verdict.duplicates, checker=verdict)
    assert len(played) > 10
    assert verdict.duplicates == repeats
    assert shown[0]["raw"].startswith("{")


async def test_F07_replay_of_what_a_read_brought_is_one_event(tmp_path: Path) -> None:
    """The same versions come first by a read, then by the stream."""
    async with trial(tmp_path) as there:
        await there.trader.steps(20)
        before = len(there.joins)
        there.exchange.is_swallowing = True
        await there.exchange.server.kick()
        await there.trader.steps(20)
        await there.rejoined(before)
        there.exchange.is_swallowing = False
        newest = [record["x_number"] for kind in ("order", "position") for record in _listed(there, kind)]
        missed = [one for one in there.exchange.sent if one.is_swallowed and one.number in newest]
        for one in missed:
            await there.exchange.repeat(one)
        verdict = await there.end()
    figure("F07", read_then_streamed=len(missed), checker=verdict)
    assert len(missed) >= 5
    assert verdict.duplicates >= len(missed)


def _listed(there: Trial, kind: str) -> list[dict[str, Any]]:
    return [record for record in there.exchange.present(kind).values() if record.get("status") != "initial"]


async def test_F08_wallet_that_returns_to_a_former_value_is_news(tmp_path: Path) -> None:
    """A, B, A, B, … byte for byte, with repeats between: every return is an event, every repeat is none."""
    chance = random.Random(8)
    async with trial(tmp_path) as there:
        (first,) = await there.exchange.update("balance", _wallet("100"))
        (second,) = await there.exchange.update("balance", _wallet("90"))
        news = 2
        for number in range(MOVES):
            one = (first, second)[number % 2]
            await there.exchange.again(one)
            news += 1
            if chance.random() < 0.3:
                await there.exchange.repeat(one)
        verdict = await there.end()
        events = [event for event in there.taken() if event.source == "stream"]
    figure("F08", returns=MOVES, wrongly_dropped=news - len(events), checker=verdict)
    assert len(events) == news


async def test_F09_older_update_is_kept_in_its_place_and_marked_late(tmp_path: Path) -> None:
    """Each order's updates arrive shuffled: arrival order in the log, the newest in the state."""
    chance = random.Random(9)
    async with trial(tmp_path) as there:
        await there.exchange.update("order", order("o-late", status="open", remaining_quantity=0.05, updated_at=9_000))
        expected_late = 0
        for number in range(40):
            base = 10_000 + number * 100
            newest = order(f"o-{number}", status="filled", remaining_quantity=0, updated_at=base + 50)
            older = [order(f"o-{number}", status="open", updated_at=base + step) for step in (10, 20, 30)]
            before = chance.sample(older, chance.randint(0, 3))
            shuffled = sorted(before, key=lambda record: int(record["updated_at"]))
            await there.exchange.send_old("order", *shuffled)
            await there.exchange.update("order", newest)
            after = [record for record in older if record not in before]
            chance.shuffle(after)
            for record in after:
                await there.exchange.send_old("order", record)
            expected_late += len(after)
        await there.exchange.update("position", position("p-1", active_pos=0.4, updated_at=20_000))
        await there.exchange.send_old("position", position("p-1", active_pos=0.1, updated_at=15_000))
        verdict = await there.end()
        await eventually(lambda: there.service.status()["counters"]["late"] == expected_late + 1)
        marked = sum(bool(message.get("late")) for message in there.received)
        assert there.service.positions()[0]["size"] == "0.4"
    figure("F09", late=marked, inversions=len(verdict.reordered), wrong_states=len(verdict.wrong), checker=verdict)
    assert marked == expected_late + 1


async def test_F09_order_across_types_is_the_order_of_arrival(tmp_path: Path) -> None:
    """Wallet before order, position before wallet: nothing is sorted."""
    chance = random.Random(10)
    async with trial(tmp_path) as there:
        for number in range(MOVES):
            kind = chance.choice(("order", "position", "balance"))
            record = {
                "order": order(f"o-{number}", status="open"),
                "position": position(f"p-{number % 3}", updated_at=1_790_000_000_000 - number),
                "balance": _wallet(str(number)),
            }[kind]
            await there.exchange.send_old(kind, record)
        await eventually(lambda: len(there.taken()) == MOVES)
        await eventually(lambda: len(there.received) >= MOVES)
        verdict = await there.end()
        numbers = [message["data"]["x_number"] for message in there.received if message["type"] != "system"]
    figure("F09", frames=MOVES, inversions=sum(b < a for a, b in itertools.pairwise(numbers)), checker=verdict)
    assert numbers == sorted(numbers)
    assert len(numbers) == MOVES
