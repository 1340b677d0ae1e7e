"""Subscriptions that change while events come, over real sockets: nothing is lost, nothing comes twice."""

import asyncio
import random
from typing import Any

import msgspec
from sidecar.helpers import EPOCH, Client, RawClient, World, eventually, masked
from sidecar.test_library import OLD, RING_FIRST, Shelf, served

from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import Wants
from coindcx_feed.sidecar.subscription import Change

EASY = Limits(messages_per_s=10_000)
KINDS = ("order", "position", "balance", "fill")


def passing(wants: Wants, published: dict[int, str], after: int, upto: int) -> list[int]:
    return [seq for seq in range(after + 1, upto + 1) if wants.passes(published[seq], None)]


async def read_changes(client: Client, count: int) -> tuple[list[int], list[dict[str, Any]]]:
    """Return the numbers that came and so many answers."""
    seqs: list[int] = []
    answers: list[dict[str, Any]] = []
    while len(answers) < count:
        message = await client.next()
        if "seq" in message:
            seqs.append(message["seq"])
        else:
            answers.append(message)
    return seqs, answers


async def test_changes_take_effect_at_the_number_that_the_answer_names() -> None:
    """200 changes among 4,000 events: exactly what each subscription lets through between its answer and the next."""
    chance = random.Random(1)
    async with World(capacity=10_000, limits=EASY) as world, world.connect() as client, world.connect() as other:
        reader = asyncio.create_task(read_changes(client, 201))
        published: dict[int, str] = {}
        changes: list[Change] = []
        for turn in range(200):
            for _ in range(20):
                published[world.ring.version + 1] = kind = chance.choice(KINDS)
                world.publish(kind, None)
                if chance.random() < 0.3:
                    await asyncio.sleep(0)
            action = chance.choice(("subscribe", "unsubscribe")) if turn else "unsubscribe"
            parts = {"types": chance.sample(KINDS, chance.randint(1, 3))}
            changes.append(Change(action, parts))  # type: ignore[arg-type]
            await client.ws.send_str(msgspec.json.encode({"action": action, **parts}).decode())
        await eventually(lambda: world.sidecar.sent >= 4_000)
        await client.ws.send_str('{"action":"subscribe"}')
        seqs, answers = await reader
        assert await other.seqs(4_000) == list(range(1, 4_001))
    wants, expected, before = Wants(), [], 0
    for answer, change in zip(answers, [*changes, Change("subscribe", {})], strict=True):
        expected += passing(wants, published, before, answer["data"]["seq"])
        wants, before = change.applied(wants), answer["data"]["seq"]
        assert answer["type"] == f"{change.action}d"
        assert answer["data"] == wants.to_mapping() | {"seq": before, "epoch": EPOCH}
    assert seqs == expected
    assert len({answer["data"]["seq"] for answer in answers}) > 50, "the changes were meant to fall among the events"


async def test_a_change_while_the_log_is_read_holds_from_the_number_it_names() -> None:
    """The client stands before the ring: what was read for the former subscription is not sent."""
    async with served(Shelf()) as world, world.connect("since=earliest&types=balance") as client:
        answer = await client.ask(action="subscribe", types=["order"])
        seqs = []
        while "seq" in answer:
            seqs.append(answer["seq"])
            answer = await client.next()
        at = answer["data"]["seq"]
        assert seqs == list(range(2, min(at + 1, RING_FIRST), 2))
        assert await client.seqs(RING_FIRST + 9 - at) == list(range(at + 1, RING_FIRST + 10))


async def test_F14_a_change_gives_a_client_that_does_not_read_no_more_time() -> None:
    """It waits for its socket as before; the answers count as unsent."""
    async with World(capacity=5000, limits=Limits(behind_s=0.5, grace_s=0.2, messages_per_s=10_000)) as world:
        raw = await RawClient.open(world, receive_bytes=4096)
        await raw.frame()
        end = asyncio.get_running_loop().time() + 5
        while world.sidecar.slow == 0:
            assert asyncio.get_running_loop().time() < end
            world.publish(count=100, padding=1000)
            await raw.send(masked(0x1, b'{"action":"subscribe","types":["fill"]}'))
            await asyncio.sleep(0.01)
        raw.close()


async def test_subscribing_market_data_begins_now_and_resuming_them_is_not_needed(world: World) -> None:
    """Before it none is sent, after it from the next on; the account feed goes on without a seam."""
    world.publish_market(count=50)
    async with world.connect() as client:
        world.publish()
        assert (await client.next())["seq"] == 1
        assert (await client.ask(action="subscribe", types=["trade"]))["type"] == "subscribed"
        assert world.sidecar.market_types == {"trade"}
        world.publish_market(count=2)
        world.publish()
        assert [(await client.next()).get("seq") for _ in range(3)] == [2, None, None]
        assert (await client.ask(action="unsubscribe", types=["all"]))["data"]["types"] == []
        world.publish_market()
        world.publish()
        assert (await client.ask(action="subscribe", types=["order"]))["data"]["seq"] == 3
        world.publish()
        assert (await client.next())["seq"] == 4


async def test_a_market_client_that_subscribes_to_the_account_begins_now(world: World) -> None:
    """What it never asked for is no gap."""
    async with world.connect("types=trade") as client:
        world.publish(count=1500)
        await asyncio.sleep(0.05)
        assert (await client.ask(action="subscribe", types=["order"]))["data"]["seq"] == 1500
        world.publish()
        assert (await client.next())["seq"] == 1501


async def test_F16_resume_goes_on_from_the_place_it_names(world: World) -> None:
    """As the address does: later events, or first the gap."""
    world.publish(count=1500)
    async with world.connect() as client:
        answer = await client.ask(action="resume", since=1400, epoch=EPOCH)
        assert (answer["type"], answer["data"]["seq"], answer["data"]["epoch"]) == ("resumed", 1400, EPOCH)
        assert await client.seqs(100) == list(range(1401, 1501))
        answer = await client.ask(action="resume", since=100, epoch=EPOCH)
        assert (answer["type"], answer["data"]["seq"]) == ("resumed", 500)
        gap = (await client.next())["data"]
        assert (gap["message"], gap["missed_from"], gap["missed_to"]) == ("resume_gap", 101, 500)
        assert await client.seqs(1000) == list(range(501, 1501))
        answer = await client.ask(action="resume", since="earliest")
        assert answer["data"]["seq"] == 500
        assert await client.seqs(1000) == list(range(501, 1501))


async def test_F16_resume_into_another_epoch_says_where_the_next_begins() -> None:
    """The answer names the epoch of its number."""
    async with served(Shelf(epochs=((1, OLD), (60, EPOCH)))) as world, world.connect() as client:
        answer = await client.ask(action="resume", since=50, epoch=OLD)
        assert (answer["data"]["seq"], answer["data"]["epoch"]) == (50, OLD)
        assert await client.seqs(9) == list(range(51, 60))
        notice = (await client.next())["data"]
        assert (notice["message"], notice["epoch"], notice["first_seq"]) == ("epoch_changed", EPOCH, 60)
        assert await client.seqs(51) == list(range(60, RING_FIRST + 10))


async def test_T10_a_change_that_is_not_understood_changes_nothing(world: World) -> None:
    """A typed error, and the next event arrives as before."""
    async with world.connect("types=order") as client:
        answer = await client.ask(action="subscribe", types=["fill"], sides=["long"])
        assert answer == {"type": "error", "data": {"message": "sides: expected some of buy, sell, was 'long'"}}
        world.publish("fill")
        world.publish()
        assert (await client.next())["seq"] == 2
