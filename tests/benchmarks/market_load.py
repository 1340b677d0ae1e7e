"""The whole market on one socket: a paced exchange and the feed that takes it, each a process of its own.

Run as ``market_load.py exchange SECONDS`` (prints its port, sends after the join) or ``market_load.py feed PORT
SECONDS`` (prints one JSON line). Rates and sizes are those recorded of the exchange: 504 books at
depth 50, at its peak.
"""

import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from aiohttp import web
from blaster import record, serve_one

FRAMES_PER_S = 1_000
TURN_S = 0.01
ACCOUNT_PER_S = 20
PAIRS = 504
LEVELS = 22
"""Of both sides of an update: makes the 553 to 609 bytes that a frame has in the mean."""


def packet(event: str, inner: str) -> str:
    return "42" + json.dumps([event, {"event": event, "data": inner}], separators=(",", ":"))


def book(pair: int, vs: int, dice: random.Random) -> str:
    """Build an update of a book."""
    sides: list[dict[str, str]] = [{}, {}]
    for _ in range(LEVELS):
        sides[dice.random() < 0.5][f"{60_000 + dice.random() * 100:.1f}"] = f"{dice.random() * 10:.3f}"
    now = 1_790_000_000_000 + vs * 500
    frame = {"ts": now, "vs": vs, "asks": sides[0], "bids": sides[1], "pr": "futures", "s": f"C{pair:03d}USDT"}
    return packet("depth-update", json.dumps(frame, separators=(",", ":")))


def trade(pair: int, number: int) -> str:
    frame = {"T": 1_790_000_000_000 + number, "p": "60012.5", "q": "0.012", "m": number % 2, "s": f"B-C{pair:03d}_USDT"}
    return packet("new-trade", json.dumps(frame | {"pr": "f"}, separators=(",", ":")))


def turns(seconds: int) -> list[list[str]]:
    """Build what is sent, by turns of ``TURN_S``: nine books to one trade."""
    dice, number = random.Random(504), 0
    made = []
    for _ in range(round(seconds / TURN_S)):
        frames = []
        for _ in range(round(FRAMES_PER_S * TURN_S)):
            pair = number % PAIRS
            frames.append(trade(pair, number) if number % 10 == 0 else book(pair, number // PAIRS + 1, dice))
            number += 1
        made.append(frames)
    return made


def account(number: int) -> str:
    """Build an order update that carries the time of its birth."""
    sent = record(number) | {"display_message": f"born {time.monotonic_ns()}"}
    return packet("df-order-update", json.dumps([sent], separators=(",", ":")))


async def exchange(seconds: int) -> None:
    made = turns(seconds)

    async def send(socket: web.WebSocketResponse, _: asyncio.Transport) -> None:
        began, sent = time.monotonic(), 0
        for turn, frames in enumerate(made):
            await asyncio.sleep(max(0.0, began + turn * TURN_S - time.monotonic()))
            for frame in frames:
                await socket.send_str(frame)
            if turn % round(1 / ACCOUNT_PER_S / TURN_S) == 0:
                await socket.send_str(account(sent))
                sent += 1

    await serve_one(send, seconds + 60)


async def feed(port: int, seconds: int) -> dict[str, Any]:
    """Take it all as the runtime does, with the desk of the Market page and no reader of any book."""
    from coindcx_feed.events import new_epoch
    from coindcx_feed.exchange.session import Session
    from coindcx_feed.feed.desk import Desk
    from coindcx_feed.feed.durable import NoStore
    from coindcx_feed.feed.market import MarketFeed
    from coindcx_feed.feed.marks import Marks
    from coindcx_feed.feed.pipeline import Pipeline
    from coindcx_feed.feed.ring import Ring
    from coindcx_feed.feed.state import AccountState
    from coindcx_feed.feed.watchlist import Watchlist

    ring, marks = Ring(50_000, new_epoch()), Marks()
    pipeline = Pipeline(ring, MarketFeed(), marks, AccountState(), NoStore())
    desk = Desk(["B-BTC_USDT"], Watchlist(Path(tempfile.mkdtemp()), "live"), marks)
    pipeline.on_market = desk.take
    ages_ms: list[float] = []

    def look() -> None:
        now_ns = time.monotonic_ns()
        for event in ring.since(len(ages_ms), 1_000):
            born = json.loads(event.body)["data"]["display_message"]
            ages_ms.append((now_ns - int(born.split()[1])) / 1e6)

    pipeline.on_publish(look)
    draining = asyncio.create_task(pipeline.run())
    session = Session(f"ws://127.0.0.1:{port}", pipeline.receive)
    await session.open(10)
    await session.join({"channelName": "go"})
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    expected = round(seconds / TURN_S) * round(FRAMES_PER_S * TURN_S)
    while pipeline.counters["market"] < expected and time.monotonic() < began + seconds + 30 and not draining.done():
        await asyncio.sleep(0.05)
    after, took_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    if draining.done():
        draining.result()
    draining.cancel()
    await session.close()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "market": pipeline.counters["market"],
        "expected": expected,
        "kept_apart": pipeline.quarantine.count,
        "core": cpu_s / took_s,
        "ages_ms": ages_ms,
    }


if __name__ == "__main__":
    role, *numbers = sys.argv[1:]
    if role == "exchange":
        asyncio.run(exchange(int(numbers[0])))
    else:
        print(json.dumps(asyncio.run(feed(int(numbers[0]), int(numbers[1])))), flush=True)
        os._exit(0)
