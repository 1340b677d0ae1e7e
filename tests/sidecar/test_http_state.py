"""The present state over HTTP: records verbatim, derived values apart, and what the reader stands on."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import jwt
import pytest
from fakes.frames import BALANCE, ORDER, POSITION, order, position
from fakes.pipelines import new_pipeline
from fakes.stored import KeepingStore
from sidecar.helpers import World

from coindcx_feed.errors import StoreError
from coindcx_feed.events import Event
from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.feed.durable import Durable
from coindcx_feed.feed.lag import LoopLag
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.state import AccountState
from coindcx_feed.feed.watch import Watch
from coindcx_feed.sidecar.http_state import STATE_PATH

SECRET = "canary-5e2d48609f3c1b7a-0123456789abcdef"
WALLET = (
    '{"id":"w-1","balance":"1650841.59606695345873","locked_balance":"0.10","currency_short_name":"USDT","new":[1e2]}'
)


class Shelf:
    """A log that keeps every event."""

    def __init__(self, store: KeepingStore) -> None:
        self._store = store
        self.is_broken = False

    def fetch(self, seqs: Any) -> list[Event]:
        if self.is_broken:
            raise StoreError("gone")
        return [event for event in self._store.events if event.seq in set(seqs)]


@dataclass
class Feed:
    """What a sidecar reads of a running feed."""

    pipeline: Pipeline
    log: Shelf | None
    durable: Durable | None = None

    def __post_init__(self) -> None:
        self.watch, self.lag = Watch(), LoopLag()

    @property
    def state(self) -> AccountState:
        return self.pipeline.state

    @property
    def marks(self) -> Marks:
        return self.pipeline.marks

    def now_ns(self) -> int:
        return time.time_ns()

    async def take(self, event: str, *records: object) -> None:
        """Let records arrive; a text is taken as the exchange's own."""
        texts = [record if isinstance(record, str) else json.dumps(record) for record in records]
        self.pipeline.receive(event, {"event": event, "data": f"[{','.join(texts)}]"})
        await self.pipeline.drain()


def new_world(capacity: int = 100, store: KeepingStore | None = None, **options: Any) -> tuple[World, Feed]:
    """Build a sidecar in front of a pipeline with a log."""
    store = store or KeepingStore()
    feed = Feed(new_pipeline(capacity, store), Shelf(store))
    world = World(ring=feed.pipeline.ring, market=feed.pipeline.market, **options)
    world.sidecar.account = feed
    return world, feed


@pytest.fixture
async def placed() -> AsyncIterator[tuple[World, Feed]]:
    """Two orders, one of which has ended, a position and a wallet."""
    world, feed = new_world()
    async with world:
        await feed.take(ORDER, order("o-1", status="filled", remaining_quantity=0), order("o-2", pair="B-BTC_USDT"))
        await feed.take(POSITION, position("p-1"))
        await feed.take(BALANCE, WALLET)
        yield world, feed


async def rows(world: World, name: str, query: str = "") -> list[dict[str, Any]]:
    status, body = await world.get(STATE_PATH + name, query)
    assert status == 200, body
    return list(body[name])


async def test_the_head_says_what_the_reader_stands_on(placed: tuple[World, Feed]) -> None:
    """Time, state, and the place from which the socket goes on."""
    world, _ = placed
    world.status |= {"state": "stale", "connected": False}
    _, body = await world.get(f"{STATE_PATH}balances")
    head = {name: body[name] for name in ("mode", "state", "coindcx_connected", "epoch", "seq", "total")}
    assert head == {
        "mode": "demo",
        "state": "stale",
        "coindcx_connected": False,
        "epoch": "epoch-1",
        "seq": 4,
        "total": 1,
    }
    assert body["as_of"].endswith("Z")


async def test_records_are_the_exchanges_own_text(placed: tuple[World, Feed]) -> None:
    """Every digit, unknown fields, numbers as numbers; what this program computes stands apart."""
    world, _ = placed
    async with world.http.get(world.url("", f"{STATE_PATH}balances", "http")) as answer:
        text = await answer.text()
    assert f'"data":{WALLET},"derived":{{"total":"1650841.69606695345873"' in text
    assert '"verbatim":true' in text
    (row,) = await rows(world, "orders")
    assert row["data"] == order("o-2", pair="B-BTC_USDT")
    assert row["derived"] == {"filled_quantity": "0", "filled_share": 0.0, "is_terminal": False}


async def test_orders_are_those_that_can_still_change(placed: tuple[World, Feed]) -> None:
    """``ended=1`` adds the others; the last touched comes first."""
    world, _ = placed
    assert [row["data"]["id"] for row in await rows(world, "orders", "ended=0")] == ["o-2"]
    assert [row["data"]["id"] for row in await rows(world, "orders", "ended=1")] == ["o-2", "o-1"]
    assert await rows(world, "orders", "pairs=B-SOL_USDT&ended=1") == []
    assert len(await rows(world, "positions", "pairs=B-ETH_USDT")) == 1


async def test_values_of_a_mark_need_a_fresh_one(placed: tuple[World, Feed]) -> None:
    """Without one, and with an old one, they are null."""
    world, feed = placed
    (row,) = await rows(world, "positions")
    assert (row["derived"]["unrealized_pnl"], row["derived"]["mark_price"]) == (None, None)
    prices = CurrentPricesRecord.model_validate({"pr": "futures", "prices": {"B-ETH_USDT": {"mp": Decimal("2900.1")}}})
    feed.marks.update(prices, time.time_ns(), ())
    (row,) = await rows(world, "positions")
    assert (row["derived"]["unrealized_pnl"], row["derived"]["mark_price"]) == ("2.5", "2900.1")
    feed.marks.update(prices, time.time_ns() - 60 * 10**9, ())
    (row,) = await rows(world, "positions")
    assert (row["derived"]["unrealized_pnl"], row["derived"]["mark_is_fresh"]) == (None, False)


async def test_what_memory_forgot_comes_from_the_log_and_else_says_so() -> None:
    """Without a log, or with one that cannot be read, every digit is there but not how it was written."""
    world, feed = new_world(capacity=2)
    async with world:
        await feed.take(BALANCE, WALLET)
        await feed.take(ORDER, *(order(f"o-{n}") for n in range(5)))
        assert feed.log is not None
        (row,) = await rows(world, "balances")
        assert (row["verbatim"], row["data"]["new"]) == (True, [100.0])
        feed.log.is_broken = True
        (row,) = await rows(world, "balances")
        feed.log = None
        assert [row] == await rows(world, "balances")
        assert (row["verbatim"], row["data"]["balance"]) == (False, "1650841.59606695345873")


async def test_lists_are_bounded() -> None:
    """The newest thousand, and how many there are."""
    world, feed = new_world(capacity=5000)
    async with world:
        await feed.take(ORDER, *(order(f"o-{n}") for n in range(1200)))
        _, body = await world.get(f"{STATE_PATH}orders")
    assert (body["total"], len(body["orders"]), body["orders"][0]["data"]["id"]) == (1200, 1000, "o-1199")


@pytest.mark.parametrize(
    ("name", "query", "expected"),
    [
        ("orders", "status=open", "orders: expected only pairs, ended, was status: leave it out"),
        ("orders", "ended=yes", "ended: expected 0 or 1, was yes"),
        ("positions", "ended=1", "positions: expected only pairs, was ended"),
        ("positions", "pairs=x", "pairs: expected pairs like"),
        ("balances", "pairs=B-ETH_USDT", "balances: expected no parameters, was pairs"),
    ],
)
async def test_T10_anything_else_is_400_with_one_line(
    placed: tuple[World, Feed], name: str, query: str, expected: str
) -> None:
    """What was expected, what came."""
    status, body = await placed[0].get(STATE_PATH + name, query)
    assert status == 400
    assert body["error"].startswith(expected)


async def test_without_a_feed_it_is_503(world: World) -> None:
    """A ring alone knows no state."""
    assert await world.get(f"{STATE_PATH}orders") == (
        503,
        {"error": "expected a running feed, was none: try again later"},
    )


async def test_T24_rows_are_those_the_token_may_see() -> None:
    """Its pairs; a type beyond its scope is refused, and nothing is told without a token."""
    world, feed = new_world(jwt_secret=SECRET)
    claims = {"aud": "coindcx-feed", "exp": int(time.time()) + 60, "types": ["order"], "pairs": ["B-ETH_USDT"]}
    bearer = {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}
    async with world:
        await feed.take(ORDER, order("o-1"), order("o-2", pair="B-BTC_USDT"))
        status, body = await world.get(f"{STATE_PATH}orders", **bearer)
        assert (status, body["total"], body["orders"][0]["data"]["id"]) == (200, 1, "o-1")
        assert (await world.get(f"{STATE_PATH}balances", **bearer))[0] == 401
        for name in ("orders", "positions", "balances"):
            assert (await world.get(STATE_PATH + name))[0] == 401


async def test_requests_are_no_viewers(placed: tuple[World, Feed]) -> None:
    """On demand, the exchange is joined for clients of the socket only."""
    world, _ = placed
    await asyncio.gather(*(world.get(STATE_PATH + name) for name in ("orders", "positions", "balances")))
    assert world.sidecar.clients == 0
