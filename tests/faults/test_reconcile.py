"""What the stream lost comes back through signed reads, once, and what cannot is said."""

from pathlib import Path
from typing import Any

from fakes.waiting import eventually
from faults.worlds import World, world

from coindcx_feed.simulator.behaviour import instant

PAIR = "B-ETH_USDT"


async def _lost(there: World, action: str) -> str:
    """Do something while no frame is delivered, cut the connection, and wait for the return."""
    there.exchange.muted = True
    order_id = await there.place("buy", PAIR, "0.1", None if action == "fill" else "2600")
    connects = there.service.status()["counters"]["connects"]
    wanted = "filled" if action == "fill" else "open"
    await eventually(lambda: there.engine.orders[order_id].status == wanted)
    await there.exchange.kick()
    there.exchange.muted = False
    await eventually(lambda: there.service.status()["counters"]["connects"] > connects and there.is_watched)
    return order_id


async def test_C7_order_that_filled_during_a_gap_is_recovered(tmp_path: Path) -> None:
    """The order, its position, wallet and fill come as events with source rest; the gap says how many."""
    async with world(tmp_path) as there:
        await eventually(lambda: there.is_watched)
        order_id = await _lost(there, "fill")
        await eventually(lambda: any(event["data"]["order_id"] == order_id for event in there.events("fill")))
        orders = [event for event in there.events("order") if event["data"]["id"] == order_id]
        assert [(event["source"], event["data"]["status"]) for event in orders] == [("rest", "filled")]
        assert orders[0]["data"]["filled_quantity"] == 0.1
        assert any(event["source"] == "rest" for event in there.events("position"))
        gaps = [e["data"] for e in there.events("system") if e["data"]["message"] == "upstream_gap"]
        assert len(gaps) == 1
        assert gaps[0]["recovered"] >= 2
        assert gaps[0]["unknown"] is None
        assert there.service.gaps()[0]["recovered"] == gaps[0]["recovered"]


async def test_F07_update_that_was_read_and_then_streamed_is_one_event(tmp_path: Path) -> None:
    """The exchange repeats after the join what the read already brought."""
    async with world(tmp_path) as there:
        await eventually(lambda: there.is_watched)
        order_id = await _lost(there, "rest")
        await eventually(lambda: any(event["data"].get("id") == order_id for event in there.events("order")))
        await there.cancel(order_id)
        await eventually(lambda: there.events("order")[-1]["data"]["status"] == "cancelled")
        statuses = [(e["source"], e["data"]["status"]) for e in there.events("order") if e["data"]["id"] == order_id]
        assert statuses == [("rest", "open"), ("stream", "cancelled")]


async def test_C6_agreeing_reads_prove_the_account(tmp_path: Path) -> None:
    """Nothing was missed: no event from REST but what the first look brings, and the state becomes live."""
    async with world(tmp_path) as there:
        await eventually(lambda: there.service.status()["state"] == "live")
        assert {event["data"]["currency_short_name"] for event in there.events("balance")} == {"USDT", "INR"}
        proofs = {(state["state"], state["proof"]) for state in there.service.feed()["states"]}
    assert proofs >= {("quiet", "market frames only"), ("live", "signed reads that match")}


async def test_fills_follow_a_rising_quantity(tmp_path: Path) -> None:
    """The socket never carries fills: each comes once, by its fill_id, with the ledger's row beside it."""
    async with world(tmp_path) as there:
        await eventually(lambda: there.is_watched)
        order_id = await there.place("buy", PAIR, "0.1")
        await eventually(lambda: there.events("fill"))
        await there.place("sell", PAIR, "0.1")
        await eventually(lambda: len({event["data"]["order_id"] for event in there.events("fill")}) == 2)
        await eventually(lambda: there.events("ledger"))
        keys = [event["data"]["fill_id"] for event in there.events("fill")]
        assert len(keys) == len(set(keys))
        assert order_id in {event["data"]["order_id"] for event in there.events("fill")}


async def test_funding_is_in_the_ledger_without_any_fill(tmp_path: Path) -> None:
    """An open position is charged at its hours (here every 2 s): the rows come by themselves, each once."""
    behaviour = instant()
    behaviour.funding_interval_ms = 2_000
    async with world(tmp_path, behaviour=behaviour) as there:
        await eventually(lambda: there.is_watched and there.runtime.recovery is not None)
        assert there.runtime.recovery is not None
        bookings = there.runtime.recovery.bookings
        bookings.funding_s, bookings.booked_s = 2.0, 0.5
        await there.place("buy", PAIR, "0.1")
        await eventually(lambda: len(_stages(there, "funding")) >= 3)
        assert len({event["data"]["id"] for event in there.events("order")}) == 1
    keys = [(event["created_at"], event["amount"]) for event in _stages(there, "funding")]
    assert len(keys) == len(set(keys))


def _stages(there: World, stage: str) -> list[dict[str, Any]]:
    return [event["data"] for event in there.events("ledger") if event["data"]["stage"] == stage]
