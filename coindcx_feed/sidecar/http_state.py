"""``GET /api/v1/state/...``: the present orders, positions and balances, each record verbatim, derived values apart."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web

from coindcx_feed.errors import BadRequest, NotAuthorized, StoreError
from coindcx_feed.events import EventType, iso_ms
from coindcx_feed.exchange.records import Record
from coindcx_feed.feed.state import Entity
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.guard import Refusal
from coindcx_feed.sidecar.identity import IDENTITY, Identity
from coindcx_feed.sidecar.query import MOST_PAIRS, parse_pairs
from coindcx_feed.sidecar.site import Account, Events, Site, json_response
from coindcx_feed.views import account as views

STATE_PATH: Final = "/api/v1/state/"
STATE_NAMES: Final = ("pairs", "ended")
MOST_ROWS: Final = 1000

_ORDER: Final = ("filled_quantity", "filled_share", "is_terminal")
_POSITION: Final = ("side", "mark_price", "mark_age_s", "mark_is_fresh")
_OF_FRESH_MARK: Final = ("unrealized_pnl", "pnl_share", "liquidation_distance")
_BALANCE: Final = ("total", "locked_share")


class Row(NamedTuple):
    """One record: where its last event stands, and what this program computed from it."""

    key: str
    entity: Entity[Any]
    derived: Mapping[str, object]


class Kind(NamedTuple):
    """One of the three lists."""

    name: str
    type: EventType
    rows: Callable[[Account, bool], Iterable[Row]]


def _orders(account: Account, is_ended_too: bool) -> Iterable[Row]:
    state = account.state
    for entity in reversed(state.orders() if is_ended_too else state.working_orders()):
        shown = views.order(state, entity.record.id)
        yield Row(entity.record.id, entity, {} if shown is None else {name: shown[name] for name in _ORDER})


def _positions(account: Account, _: bool) -> Iterable[Row]:
    entities = {entity.record.id: entity for entity in account.state.positions()}
    for shown in views.positions(account.state, account.marks, account.now_ns()):
        derived = {name: shown[name] for name in _POSITION}
        derived |= {name: shown[name] if shown["mark_is_fresh"] else None for name in _OF_FRESH_MARK}
        yield Row(shown["id"], entities[shown["id"]], derived)


def _balances(account: Account, _: bool) -> Iterable[Row]:
    entities = {entity.record.id: entity for entity in account.state.balances()}
    for shown in views.balances(account.state, None, None):
        yield Row(shown["id"], entities[shown["id"]], {name: shown[name] for name in _BALANCE})


KINDS: Final = (
    Kind("orders", EventType.ORDER, _orders),
    Kind("positions", EventType.POSITION, _positions),
    Kind("balances", EventType.BALANCE, _balances),
)


class StateLists:
    """The three routes. Threads: the loop's; the log is read in a thread."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def handler(self, kind: Kind) -> Callable[[web.Request], Any]:
        """Return the handler of one list."""

        async def serve(request: web.Request) -> web.Response:
            return await self._serve(request, kind)

        return serve

    async def _serve(self, request: web.Request, kind: Kind) -> web.Response:
        pairs, is_ended_too = parse_state(request.query, kind)
        identity = request[IDENTITY]
        if not identity.sees(kind.type):
            raise NotAuthorized(f"{kind.name}: expected a token whose scope holds {kind.type}, was another: ask for it")
        account = self._site.account
        if account is None:
            raise Refusal(503, "feed", "expected a running feed, was none: try again later")
        rows = [row for row in kind.rows(account, is_ended_too) if _is_shown(row, kind, pairs, identity)]
        head = self._head(account, len(rows))
        rows = rows[:MOST_ROWS]
        records = await self._records(kind.type, rows, account.log)
        texts = [_row_text(row, record) for row, record in zip(rows, records, strict=True)]
        return json_response(b'{%b,"%b":[%b]}' % (head, kind.name.encode(), b",".join(texts)))

    def _head(self, account: Account, total: int) -> bytes:
        status, ring = self._site.status(), self._site.ring
        head = {
            "as_of": iso_ms(account.now_ns()),
            "mode": status["mode"],
            "state": status["state"],
            "coindcx_connected": bool(status["connected"]),
            "epoch": ring.epoch,
            "seq": ring.version,
            "total": total,
        }
        return msgspec.json.encode(head)[1:-1]

    async def _records(self, kind: EventType, rows: list[Row], log: Events | None) -> list[bytes | None]:
        """Return the exchange's text of each row, ``None`` where neither memory nor log has it any more."""
        found: dict[str, bytes] = {}
        older: list[int] = []
        for row in rows:
            stored = self._site.ring.get(row.entity.seq)
            if stored is None:
                older.append(row.entity.seq)
            elif stored.type is kind:
                found[row.key] = stored.record
        if older and log is not None:
            try:
                events = await asyncio.to_thread(log.fetch, older)
            except StoreError:
                events = []
            found |= {event.facts.key: event.record for event in events if event.type is kind}
        return [found.get(row.key) for row in rows]


def parse_state(query: Mapping[str, str], kind: Kind) -> tuple[frozenset[str], bool]:
    """Read the parameters of a list: ``pairs``, and ``ended`` for orders.

    Raises:
        BadRequest: One line.
    """
    allowed = {"orders": STATE_NAMES, "positions": STATE_NAMES[:1]}.get(kind.name, ())
    for name in query:
        if name not in allowed:
            expected = f"expected only {', '.join(allowed)}" if allowed else "expected no parameters"
            raise BadRequest(f"{kind.name}: {expected}, was {printable(name)}: leave it out")
    pairs = parse_pairs(query["pairs"].split(",", MOST_PAIRS)) if "pairs" in query else frozenset()
    ended = query.get("ended", "0")
    if ended not in ("0", "1"):
        raise BadRequest(f"ended: expected 0 or 1, was {printable(ended) or '(empty)'}")
    return pairs, ended == "1"


def _is_shown(row: Row, kind: Kind, pairs: frozenset[str], identity: Identity) -> bool:
    pair = getattr(row.entity.record, "pair", None)
    return (not pairs or pair in pairs) and identity.sees(kind.type, pair)


def _row_text(row: Row, record: bytes | None) -> bytes:
    entity = row.entity
    head = {"seq": entity.seq, "received": iso_ms(entity.received_ns), "verbatim": record is not None}
    data = _rewritten(entity.record) if record is None else record
    derived = msgspec.json.encode(row.derived)
    return b'{%b,"data":%b,"derived":%b}' % (msgspec.json.encode(head)[1:-1], data, derived)


def _rewritten(record: Record) -> bytes:
    # Every digit is there, but no longer whether the exchange wrote a number or a text.
    return msgspec.json.encode(record.model_dump(exclude_unset=True))
