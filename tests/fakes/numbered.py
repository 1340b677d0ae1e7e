"""The scriptable exchange: every account record carries a number inside, and what was sent and listed is kept."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, NamedTuple

import msgspec

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour, instant
from coindcx_feed.simulator.hub import Credentials
from coindcx_feed.simulator.server import ExchangeServer
from fakes.rest_api import KEY, SECRET, Call, FakeApi, Say

EVENTS: Final = {"order": wire.ORDER_EVENT, "position": wire.POSITION_EVENT, "balance": wire.BALANCE_EVENT}
REFUSED: Final = Say({"code": 401, "message": "Invalid credentials", "status": "error"}, 401)
PRICES_S: Final = 0.1
PRICES: Final = {pair: {"ls": 2900.5, "mp": 2900.4} for pair in ("B-ETH_USDT", "B-BTC_USDT", "B-SOL_USDT")}

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Sent(NamedTuple):
    """One record of one frame. ``is_repeat``: the exchange meant no news. ``is_swallowed``: never put on the wire."""

    number: int
    kind: str
    key: str
    text: bytes
    is_repeat: bool
    is_swallowed: bool
    at_ns: int


class _Version(NamedTuple):
    mono: float
    text: bytes
    record: dict[str, Any]


class NumberedExchange:
    """Socket and reads of one account whose every move a test decides.

    A record's number, ``x_number``, stands for its content: a repeat has the same one. What REST lists is the newest
    version of each record, or that of ``lag_s`` seconds ago.

    Attributes:
        sent: Every record of every frame, in order.
        listed: Text of every row that a read was given.
        lag_s: How far the lists trail the socket.
        trouble: Answer to every read instead of the truth.
        is_revoked: Key and secret are no longer good.
        has_prices: Whether current prices flow.
        prices: What they say.

    Threads: one loop.
    """

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.api = FakeApi()
        self.server = ExchangeServer(
            port=0,
            behaviour=behaviour or instant(),
            credentials=Credentials(KEY, SECRET),
            routes=self.api.routes(),
            background=[self._send_prices],
        )
        self.sent: list[Sent] = []
        self.listed: set[bytes] = set()
        self.fills: list[dict[str, Any]] = []
        self.ledger: list[dict[str, Any]] = []
        self.lag_s = 0.0
        self.trouble: Say | None = None
        self.is_swallowing = False
        self.is_revoked = False
        self.has_prices = True
        self.prices: dict[str, dict[str, float]] = dict(PRICES)
        self._number = 0
        self._versions: dict[str, dict[str, list[_Version]]] = {kind: {} for kind in EVENTS}
        for name, rows in (("orders", self._orders), ("positions", self._positions)):
            self._serve_pages(name, rows)
        self._serve_pages("fills", lambda call: self._rows(self.fills, pair=call.body["pair"]))
        self._serve_pages("ledger", lambda _call: self._rows(self.ledger))
        self.api.serve("wallets", lambda call: self._answer(call, self._view("balance")))

    def present(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the newest version of every record of a kind, by id."""
        return {key: versions[-1].record for key, versions in self._versions[kind].items()}

    async def update(self, kind: str, *records: dict[str, Any]) -> list[Sent]:
        """Change records, together in one frame; each gets the next number."""
        return await self._send(kind, [self.change(kind, record) for record in records])

    async def send_old(self, kind: str, *records: dict[str, Any]) -> list[Sent]:
        """Send records, numbered and new to everybody, that are not what the account looks like."""
        return await self._send(kind, [self._numbered(kind, record)[0] for record in records])

    async def repeat(self, *sent: Sent) -> list[Sent]:
        """Send records of one kind once more, byte for byte."""
        return await self._send(sent[0].kind, [one._replace(is_repeat=True) for one in sent])

    async def again(self, *sent: Sent) -> list[Sent]:
        """Send records of one kind once more, byte for byte, as real news: what returned to a former value."""
        return await self._send(sent[0].kind, list(sent))

    def change(self, kind: str, record: dict[str, Any]) -> Sent:
        """Change a record without a frame: the reads show it."""
        sent, version = self._numbered(kind, record)
        self._versions[kind].setdefault(sent.key, []).append(version)
        return sent

    def _numbered(self, kind: str, record: dict[str, Any]) -> tuple[Sent, _Version]:
        self._number += 1
        whole = {**record, "x_number": self._number}
        text = _encode(whole)
        return Sent(self._number, kind, record["id"], text, False, False, 0), _Version(time.monotonic(), text, whole)

    async def _send(self, kind: str, records: Iterable[Sent]) -> list[Sent]:
        now_ns, is_lost = time.time_ns(), self.is_swallowing
        sent = [one._replace(at_ns=now_ns, is_swallowed=is_lost) for one in records]
        self.sent += sent
        if not is_lost:
            data = b"[" + b",".join(one.text for one in sent) + b"]"
            await self.server.emit(EVENTS[kind], data.decode(), wire.PRIVATE_CHANNEL)
        return sent

    async def close_engine(self) -> None:
        """End every session on the Engine.IO level: packet ``1``, with the socket closed behind it."""
        hub = self.server.hub
        for peer in list(hub._peers.values()):
            await hub.sio.eio.disconnect(peer.eio_sid)

    def revoke(self) -> None:
        """Make the credentials bad from now on, for joins and reads."""
        self.is_revoked = self.server.reject_joins = True

    async def _send_prices(self, server: ExchangeServer) -> None:
        while True:
            if self.has_prices:
                await server.emit(wire.PRICES_UPDATE_EVENT, {"prices": self.prices, "pr": "futures"})
            await asyncio.sleep(PRICES_S)

    def _orders(self, call: Call) -> list[bytes]:
        wanted = call.body["status"].split(",")
        rows = [
            version
            for version in self._seen("order")
            if version.record["side"] == call.body["side"] and version.record["status"] in wanted
        ]
        return [version.text for version in sorted(rows, key=lambda row: -row.record["updated_at"])]

    def _positions(self, _call: Call) -> list[bytes]:
        return self._view("position")

    def _rows(self, rows: list[dict[str, Any]], **wanted: str) -> list[bytes]:
        chosen = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
        return [_encode(row) for row in reversed(chosen)]

    def _view(self, kind: str) -> list[bytes]:
        return [version.text for version in self._seen(kind)]

    def _seen(self, kind: str) -> list[_Version]:
        until = time.monotonic() - self.lag_s
        found = []
        for versions in self._versions[kind].values():
            old = [version for version in versions[-50:] if version.mono <= until]
            if old:
                found.append(old[-1])
        return found

    def _serve_pages(self, name: str, rows: Any) -> None:
        def page(call: Call) -> Say:
            size, number = int(call.body["size"]), int(call.body["page"])
            return self._answer(call, rows(call)[(number - 1) * size : number * size])

        self.api.serve(name, page)

    def _answer(self, call: Call, rows: list[bytes]) -> Say:
        if not call.is_signed or self.is_revoked:
            return REFUSED
        if self.trouble is not None:
            return self.trouble
        self.listed.update(rows)
        return Say(b"[" + b",".join(rows) + b"]")


@contextlib.asynccontextmanager
async def numbered_exchange(behaviour: Behaviour | None = None) -> AsyncIterator[NumberedExchange]:
    """Run one on a free port."""
    exchange = NumberedExchange(behaviour)
    async with exchange.server:
        yield exchange
