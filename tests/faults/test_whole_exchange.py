"""The whole simulated exchange, every switch of its frames and lists on: in the end the feed shows the truth."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
from fakes.waiting import eventually
from faults.trials import figure
from faults.worlds import World, world

from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.orders import OrderRequest, Refusal

PAIRS = ("B-ETH_USDT", "B-SOL_USDT")
SIZES = {"B-ETH_USDT": "0.1", "B-SOL_USDT": "2"}
MOVES = 60
SEED = 12


class Busy:
    """Places, cancels, protects and closes, by seed."""

    def __init__(self, there: World, seed: int) -> None:
        self._there, self._random = there, random.Random(seed)

    def move(self) -> None:
        """Do one thing; what the exchange refuses is no matter."""
        engine, chance = self._there.engine, self._random.random()
        pair = self._random.choice(PAIRS)
        with suppress(Refusal):
            if chance < 0.6:
                engine.place(self._order(pair, is_market=chance < 0.35))
            elif chance < 0.75:
                engine.cancel_all(pair)
            else:
                self._on_position(pair, is_exit=chance > 0.9)

    def _order(self, pair: str, *, is_market: bool) -> OrderRequest:
        side, last = self._random.choice(("buy", "sell")), self._there.engine.mark(pair)
        price = None if is_market else last * Decimal("0.95" if side == "buy" else "1.05")
        tick = None if price is None else price.quantize(Decimal("0.1"))
        return OrderRequest(side, pair, Decimal(SIZES[pair]), tick, Decimal(5))  # type: ignore[arg-type]

    def _on_position(self, pair: str, *, is_exit: bool) -> None:
        engine = self._there.engine
        position = engine.account.positions.get((pair, "USDT"))
        if position is None or not position.active:
            return
        if is_exit:
            engine.exit(position, 2)
            return
        beyond = Decimal("1.2") if position.active > 0 else Decimal("0.8")
        engine.protect(position, (engine.mark(pair) * beyond).quantize(Decimal("0.1")))


def _faults() -> dict[str, object]:
    return {
        "repeat_share": 0.2, "repeat_kind": "identical", "terminal_repeats": 1, "twin_share": 0.1, "jitter_ms": 80,
        "late_share": 0.1, "late_ms": 700, "drop_share": 0.1, "drop_balance_share": 0.2, "batch_ms": 20,
        "initial_repeat": "later", "rest_lag_ms": 300, "rest_reply_ms": 30, "shows_sibling": False,
    }  # fmt: skip


async def test_F09_F28_every_switch_of_the_simulator_ends_in_its_truth(tmp_path: Path) -> None:
    """Frames repeated, delayed, merged and lost, lists that trail, three kicks: nothing wrong, nothing twice."""
    behaviour = replace(instant(), numbered=True, fault_seed=SEED, **_faults())  # type: ignore[arg-type]
    async with world(tmp_path, behaviour=behaviour) as there:
        await eventually(lambda: there.is_watched)
        busy = Busy(there, SEED)
        for number in range(MOVES):
            busy.move()
            await asyncio.sleep(0.05)  # the pace of the account
            if number % 20 == 10:
                await there.exchange.kick()
        _calm(there)
        await asyncio.sleep(2.0)  # what is late arrives
        await there.exchange.kick()
        await eventually(lambda: not _differences(there))
        await eventually(lambda: _keys(there) == Counter(fill.fill_id for fill in there.engine.account.fills))
        doubled = _doubled(there)
        fates = Counter(row.fate for row in there.exchange.emissions)
        events, apart = len(there.events()), there.runtime.pipeline.quarantine.newest(10_000)
        counters = there.service.status()["counters"]
    counted = {name: counters[name] for name in ("duplicates", "late", "quarantined")}
    figure("F28", seed=SEED, records=sum(fates.values()), dropped=fates["dropped"], events=events, **counted, wrong=0)
    assert doubled == []
    assert {kept.reason.partition(":")[0] for kept in apart} == {"unknown event order-update"}
    assert fates["dropped"] > 10


def _calm(there: World) -> None:
    quiet = instant()
    for name in _faults():
        setattr(there.engine.behaviour, name, getattr(quiet, name))


def _differences(there: World) -> list[str]:
    state, engine = there.runtime.state, there.engine
    shown = {entity.record.id: entity.record.status for entity in state.orders()}
    sizes = {entity.record.pair: entity.record.active_pos for entity in state.positions() if entity.record.active_pos}
    truth = {pair: position.active for (pair, _), position in engine.account.positions.items() if position.active}
    wrong = [f"order {key} {order.status}" for key, order in engine.orders.items() if shown.get(key) != order.status]
    return wrong + ([] if sizes == truth else [f"positions {sizes} {truth}"])


def _keys(there: World) -> Counter[str]:
    return Counter(event["data"]["fill_id"] for event in there.events("fill"))


def _doubled(there: World) -> list[tuple[str, int]]:
    # A record's number stands for its content; a balance is news each time the exchange sends it.
    ring = there.runtime.ring
    found: Counter[tuple[str, int]] = Counter()
    for event in ring.since(0, 1_000_000):
        number = msgspec.json.decode(event.record).get("x_number") if str(event.source) == "stream" else None
        if number is not None and str(event.type) != "balance":
            found[str(event.type), number] += 1
    return [key for key, count in found.items() if count > 1]
