"""A Socket.IO client that records, a raw WebSocket client, and waiting on a condition with a deadline."""

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import socketio

from coindcx_feed.exchange import codec, signing, wire
from coindcx_feed.simulator.accounts import Account
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.orders import Order, OrderRequest
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer
from coindcx_feed.simulator.topics import Frame

FIXTURES = Path(__file__).parents[1] / "fixtures"
DEADLINE_S = 10.0
START_MS = 1_790_140_000_000


def new_order(
    side: Any = "buy",
    quantity: str = "0.05",
    price: str | None = "2776.5",
    *,
    pair: str = "B-ETH_USDT",
    leverage: int = 5,
    currency: Any = "USDT",
    **more: Any,
) -> Order:
    """Return an order as the engine makes it; the market price of a market order is 2776."""
    limit = None if price is None else Decimal(price)
    request = OrderRequest(side, pair, Decimal(quantity), limit, Decimal(leverage), currency, **more)
    return Order("order-1", instruments()[pair], request, limit or Decimal(2776), START_MS, START_MS, request.quantity)


def funded_exchange(seed: int = 1, usdt: int = 50_000, inr: int = 2_500_000) -> Exchange:
    """Return an engine with money and nothing else, its deposits' frames already taken."""
    exchange = Exchange(seed, START_MS)
    exchange.deposit("USDT", Decimal(usdt))
    exchange.deposit("INR", Decimal(inr))
    exchange.advance(START_MS)
    return exchange


def held(account: Account, orders: Iterable[Order], currency: str) -> Decimal:
    """Return what isolated positions and orders lock of a currency."""
    margins = [p.locked_margin for p in account.positions.values() if p.currency == currency and not p.is_crossed]
    margins += [
        order.locked_margin
        for order in orders
        if (order.request.currency, order.request.margin_type) == (currency, "isolated")
    ]
    return sum(margins, Decimal(0)) * (102 if currency == "INR" else 1)


def statuses(frames: list[Frame], order_id: str | None = None) -> list[str]:
    """Return the statuses in the order records, of one order or of all."""
    rows = records(frames, wire.ORDER_EVENT)
    return [row["status"] for row in rows if order_id in (None, row["id"])]


def near(exchange: Exchange, pair: str, share: str) -> Decimal:
    """Return a price this share above the bid, on a tick; negative is below."""
    instrument = exchange.instrument(pair)
    bid = exchange.market.best_bid(pair, exchange.now_ms)
    return instrument.price(bid + round(bid * float(share)))


def opened(
    exchange: Exchange, pair: str = "B-ETH_USDT", quantity: str = "0.3", side: Any = "buy", **more: Any
) -> Position:
    """Open a position at market and wait until its frames are gone; leverage 5 unless said otherwise."""
    more.setdefault("leverage", Decimal(5))
    exchange.place(OrderRequest(side, pair, Decimal(quantity), None, **more))
    exchange.advance(exchange.now_ms + 2_000)
    return exchange.account.positions[pair, more.get("currency", "USDT")]


def thin(exchange: Exchange, position: Position, share: Decimal) -> None:
    """Take margin out until the liquidation price is this share of the mark away."""
    mark = exchange.mark(position.pair)
    distance = abs(mark - position.liquidation) - mark * share
    exchange.change_margin(position, -(distance * abs(position.active)).quantize(Decimal("1E-6")))


def records(frames: list[Frame], event: str) -> list[dict[str, Any]]:
    """Return the records of all frames of an event, in order, numbers as ``Decimal``."""
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    return [record for frame in frames if frame.event == event for record in decode(frame.data)]


async def eventually(condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Return when a condition holds; fail after the deadline."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + deadline_s
    while not condition():
        assert loop.time() < end_s, "the condition did not come true in time"
        await asyncio.sleep(0.005)


class Recorder:
    """A python-socketio client that keeps every event as (event, argument)."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, Any]] = []
        self.reasons: list[str] = []
        self.client = socketio.AsyncClient(json=codec, reconnection=False)
        self.client.on("*", self._on_event)
        self.client.on("disconnect", self._on_disconnect)

    async def _on_event(self, event: str, *arguments: Any) -> None:
        self.frames.append((event, arguments[0] if arguments else None))

    async def _on_disconnect(self, reason: str) -> None:
        self.reasons.append(reason)

    async def connect(self, server: ExchangeServer) -> None:
        await self.client.connect(server.url, transports=["websocket"])

    async def join(self, server: ExchangeServer, *channels: str) -> None:
        """Join channels, one emit each, and wait until the server has seen them."""
        before = len(server.joins)
        for channel in channels:
            await self.client.emit("join", {"channelName": channel})
        await eventually(lambda: len(server.joins) >= before + len(channels))

    async def join_private(self, server: ExchangeServer, key: str = DEMO_KEY, secret: str = DEMO_SECRET) -> None:
        before = len(server.joins)
        await self.client.emit("join", signing.join_payload(key, secret))
        await eventually(lambda: len(server.joins) > before)

    def events(self, *names: str) -> list[Any]:
        """Return the parsed ``data`` of the frames with these names, or of all."""
        return [msgspec.json.decode(frame["data"]) for event, frame in self.frames if not names or event in names]

    async def __aenter__(self) -> "Recorder":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.client.disconnect()


class RawSocket:
    """Engine.IO text frames as they are on the wire."""

    def __init__(self, server: ExchangeServer) -> None:
        self._server = server
        self._session = aiohttp.ClientSession()

    async def __aenter__(self) -> "RawSocket":
        url = f"{self._server.url}/{wire.SOCKETIO_PATH}/?EIO=4&transport=websocket"
        self.ws = await self._session.ws_connect(url, compress=15, autoclose=False)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.ws.close()
        await self._session.close()

    async def text(self) -> str:
        return await self.ws.receive_str(timeout=DEADLINE_S)

    async def open(self) -> str:
        """Read the open packet, connect, and return the connect reply."""
        await self.text()
        await self.ws.send_str("40")
        return await self.text()


class Clock:
    """A clock that a test moves."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


async def call(
    server: ExchangeServer,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    key: str = DEMO_KEY,
    secret: str = DEMO_SECRET,
) -> tuple[int, Any, str]:
    """Send one request, signed if it has a body; return status, parsed reply and its text."""
    raw, headers = (b"", {}) if body is None else signing.signed_body(key, secret, {"timestamp": START_MS, **body})
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, data=raw or None, headers=headers) as reply,
    ):
        text = await reply.text()
        return reply.status, msgspec.json.Decoder(float_hook=Decimal).decode(text), text
