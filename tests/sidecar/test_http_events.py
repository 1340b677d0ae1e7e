"""Events as pages over HTTP: from the ring, from the log, with filters, gaps and epochs."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from sidecar.helpers import EPOCH, Client, World, event
from sidecar.test_library import OLD, RING_FIRST, Shelf, served
from yarl import URL

from coindcx_feed.errors import BadRequest
from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar.http_events import EVENTS_PATH, MOST_BYTES, Page, parse_page
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.site import Figures, Site

SECRET = "canary-5e2d48609f3c1b7a-0123456789abcdef"


async def page(world: World, query: str = "") -> dict[str, Any]:
    status, body = await world.get(EVENTS_PATH, query)
    assert status == 200, body
    assert list(body) == ["epoch", "events", "position", "next", "gap"]
    return dict(body)


async def pages(world: World, query: str) -> list[dict[str, Any]]:
    """Follow ``next`` to the end."""
    found = [await page(world, query)]
    while found[-1]["next"] is not None:
        after = found[-1]["next"]
        more = "&".join(part for part in query.split("&") if not part.startswith(("since", "epoch")))
        found.append(await page(world, f"{more}&since={after['since']}&epoch={after['epoch']}"))
        assert len(found) < 100
    return found


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for each in found for event in each["events"]]


async def test_an_empty_feed_is_an_empty_page(world: World) -> None:
    """Its position is where the first event will be found."""
    body = await page(world)
    place = {"since": 0, "epoch": EPOCH}
    assert body == {"epoch": EPOCH, "events": [], "position": place, "next": None, "gap": None}


async def test_pages_hold_the_bytes_of_the_ring_oldest_first(world: World) -> None:
    """Not encoded again: the exchange's own digits."""
    world.publish(count=10)
    async with world.http.get(world.url("limit=4", EVENTS_PATH, "http")) as answer:
        raw = await answer.read()
    assert b",".join(world.ring.bodies_since(0, 4)) in raw
    assert msgspec.json.decode(raw)["next"] == {"since": 4, "epoch": EPOCH}


@pytest.mark.parametrize("limit", [1, 3, 100, 1000, 5000, 0])
async def test_following_next_gives_every_event_once(world: World, limit: int) -> None:
    """Whatever the page's size; 0 and what is too much are clamped."""
    world.publish(count=40)
    found = await pages(world, f"limit={limit}")
    assert numbers(found) == list(range(1, 41))
    assert len(found[0]["events"]) == min(max(limit, 1), 40)
    assert found[-1]["position"] == {"since": 40, "epoch": EPOCH}


async def test_a_position_is_good_for_the_next_question_and_for_the_socket(world: World) -> None:
    """A script reads what is there, then listens on without a seam."""
    world.publish(count=5)
    place = (await page(world))["position"]
    world.publish(count=2)
    assert numbers([await page(world, f"since={place['since']}&epoch={place['epoch']}")]) == [6, 7]
    async with world.connect(f"since={place['since']}&epoch={place['epoch']}") as client:
        assert await client.seqs(2) == [6, 7]


async def test_the_filter_is_that_of_the_socket(world: World) -> None:
    """The same names, the same events."""
    world.publish(side="buy", status="open", price=10.0)
    world.publish(side="sell", status="filled", price=20.0, message="ETH limit")
    world.publish("balance", "USDT")
    world.publish("order", "B-ETH_USDT", side="buy", status="filled", price=30.0)
    for query, expected in {
        "types=order&pairs=B-ETH_USDT": [4],
        "sides=buy": [1, 4],
        "statuses=filled&price_max=25": [2],
        "text=eth": [2],
        "types=all": [1, 2, 3, 4],
        "text='; DROP TABLE events; --": [],
    }.items():
        body = await page(world, query)
        assert (numbers([body]), body["position"]["since"]) == (expected, 4)


async def test_a_filter_that_finds_little_gives_short_pages() -> None:
    """Ten thousand events are looked at per request; ``next`` goes on behind them."""
    async with World(capacity=50_000) as world:
        world.publish(count=12_000)
        world.publish("balance", "USDT")
        first = await page(world, "types=balance")
        assert (first["events"], first["next"]["since"]) == ([], 10_000)
        assert numbers(await pages(world, "types=balance")) == [12_001]


async def test_a_page_is_bounded_in_bytes(world: World) -> None:
    """Large events end it before their number does, and each page has one at least."""
    world.publish(count=6, padding=400_000)
    found = await pages(world, "limit=1000")
    assert numbers(found) == list(range(1, 7))
    assert len(found[0]["events"]) == MOST_BYTES // 400_000 + 1


async def test_F16_what_memory_no_longer_has_is_a_gap(world: World) -> None:
    """The socket's message, then everything kept."""
    world.publish(count=1500)
    body = await page(world, f"since=100&epoch={EPOCH}")
    gap = body["gap"]["data"]
    assert (gap["message"], gap["missed_from"], gap["missed_to"]) == ("resume_gap", 101, 500)
    assert numbers([body])[0] == 501
    body = await page(world, "since=100&epoch=another")
    assert (body["gap"]["data"]["missed_to"], numbers([body])[0]) == (None, 501)


async def test_what_is_older_than_memory_comes_from_the_log() -> None:
    """Into memory without a seam, with and without a filter that looks at more than type and pair."""
    async with served(Shelf()) as world:
        assert numbers(await pages(world, "limit=30")) == list(range(1, RING_FIRST + 10))
        assert numbers(await pages(world, "limit=30&text=9&types=order")) == [
            *range(9, 91, 10),
            *range(91, 101, 2),
            109,
        ]


async def test_F16_a_hole_of_the_log_begins_a_page() -> None:
    """The page before it ends there; each number is in a page or in a gap."""
    async with served(Shelf(missing=(*range(50, 60), 100))) as world:
        found = await pages(world, "limit=1000")
    gaps = [(body["gap"]["data"]["missed_from"], body["gap"]["data"]["missed_to"]) for body in found if body["gap"]]
    assert gaps == [(50, 59), (100, 100)]
    assert numbers(found) == [*range(1, 50), *range(60, 100), *range(101, RING_FIRST + 10)]
    assert [body["events"][0]["seq"] for body in found if body["gap"]] == [60, 101]


async def test_F16_a_page_holds_events_of_one_epoch() -> None:
    """The next one names the next epoch, also when the filter leaves the first empty."""
    async with served(Shelf(epochs=((1, OLD), (60, EPOCH)))) as world:
        found = await pages(world, "limit=1000")
        assert [(body["epoch"], body["position"]["since"]) for body in found] == [(OLD, 59), (EPOCH, RING_FIRST + 9)]
        assert found[0]["next"] == {"since": 59, "epoch": OLD}
        found = await pages(world, "sides=buy")
        assert [(body["epoch"], body["events"]) for body in found] == [(OLD, []), (EPOCH, [])]


async def test_F21_a_log_that_cannot_be_read_is_said() -> None:
    """503: the same question may be answered later."""
    shelf = Shelf()
    async with served(shelf) as world:
        shelf.is_broken = True
        status, body = await world.get(EVENTS_PATH)
    assert (status, body) == (503, {"error": "expected a readable log, was none now: try again later"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=-1", "limit: expected 1 to 1000, was -1"),
        ("limit=", "limit: expected 1 to 1000, was (empty)"),
        ("limit=1e9", "limit: expected"),
        ("limit=%D9%A5", "limit: expected"),
        ("limit=1&limit=2", "limit: expected once"),
        (f"since={'9' * 400}&epoch=E", "since: expected a seq"),
        ("since=5", "since: expected epoch"),
        ("types=trade", "types: expected account types, was a market type"),
        ("__proto__=1", "expected only types, pairs, sides"),
        ("text=" + "x" * 201, "text: expected at most 200"),
        ("statuses=" + ",".join("x" * 201), "statuses: expected at most 200"),
    ],
)
async def test_T10_anything_else_is_400_with_one_line(world: World, query: str, expected: str) -> None:
    """Before anything is read."""
    status, body = await world.get(EVENTS_PATH, query)
    assert status == 400
    assert body["error"].startswith(expected)


@given(
    name=st.sampled_from(("limit", "since", "epoch", "types", "sides", "price_min", "text")), value=st.text(max_size=40)
)
def test_T10_generated_parameters_give_a_page_or_one_line(name: str, value: str) -> None:
    """Through the parser and a page of a ring with events."""
    ring = Ring(10, EPOCH)
    for seq in range(1, 13):
        ring.append(event(seq))
    site = Site(ring, Limits(), dict, lambda: Figures(0, 0, 0, 0, {}))
    path = str(URL("/api/v1/events").with_query({name: value, "types": "order"} | {name: value}))
    try:
        query, limit = parse_page(make_mocked_request("GET", path))
    except BadRequest as problem:
        line = str(problem)
    else:
        line = ""
        body = msgspec.json.decode(asyncio.run(Page(site, query, limit, asyncio.Lock()).read()))
        assert set(body) == {"epoch", "events", "position", "next", "gap"}
    assert line.isprintable()
    assert len(line) < 300


@pytest.fixture
async def guarded() -> AsyncIterator[World]:
    """A sidecar that wants signed tokens."""
    async with World(jwt_secret=SECRET) as running:
        yield running


def scoped(**claims: Any) -> dict[str, str]:
    token = jwt.encode({"aud": "coindcx-feed", "exp": int(time.time()) + 60, **claims}, SECRET, "HS256")
    return {"Authorization": f"Bearer {token}"}


async def test_T24_pages_hold_what_the_token_may_see(guarded: World) -> None:
    """Its types and pairs where nothing is asked for; asking for more is refused."""
    guarded.publish()
    guarded.publish("order", "B-ETH_USDT")
    guarded.publish("balance", "USDT")
    status, body = await guarded.get(EVENTS_PATH, **scoped(types=["order"], pairs=["B-ETH_USDT"]))
    assert (status, numbers([body])) == (200, [2])
    status, body = await guarded.get(EVENTS_PATH, "types=balance", **scoped(types=["order"]))
    assert (status, list(body)) == (401, ["error"])
    assert (await guarded.get(EVENTS_PATH))[0] == 401


async def test_T24_a_subscription_stays_within_the_token(guarded: World) -> None:
    """Messages give no more than the address would."""
    async with guarded.http.ws_connect(guarded.url(), headers=scoped(types=["order"], pairs=["B-ETH_USDT"])) as ws:
        client = Client(ws)
        await client.next()
        answer = await client.ask(action="subscribe", types=["balance"])
        assert answer["data"]["message"].startswith("types: expected some of order (the token's scope), was balance")
        assert (await client.ask(action="subscribe", pairs=None))["data"]["pairs"] == ["B-ETH_USDT"]
        guarded.publish()
        guarded.publish("balance", "USDT")
        guarded.publish("order", "B-ETH_USDT")
        assert (await client.next())["seq"] == 3
