"""``GET /api/v1/state/...``: the present orders, positions and balances, each record verbatim, derived values apart."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web

from coindcx_feed.errors import BadRequest, NotAuthorized, StoreError
from coindcx_feed.events import EventType, iso_ms
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord, Record
from coindcx_feed.feed.state import AccountState, Entity
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.guard import Refusal
from coindcx_feed.sidecar.identity import IDENTITY, Identity
from coindcx_feed.sidecar.query import MOST_PAIRS, parse_pairs
from coindcx_feed.sidecar.site import Account, Events, Site, json_response
from coindcx_feed.views import account as views

STATE_PATH: Final = "/api/v1/state/"
STATE_NAMES: Final = ("pairs", "ended")
MOST_ROWS: Final = 1000
ROWS_PER_TURN: Final = 50
LOOKED_AT_PER_TURN: Final = 2_000
"""What the loop does in one go: 1 to 2 ms. Fifty thousand orders may be known."""

_ORDER: Final = ("filled_quantity", "filled_share", "is_terminal")
_POSITION: Final = ("side", "mark_price", "mark_age_s", "mark_is_fresh")
_OF_FRESH_MARK: Final = ("unrealized_pnl", "pnl_share", "liquidation_distance")
_BALANCE: Final = ("total", "locked_share")


class Kind(NamedTuple):
    """One of the three lists: its entities in order, and what this program computes from one of them."""

    name: str
    type: EventType
    entities: Callable[[AccountState, bool], list[Entity[Any]]]
    derived: Callable[[Entity[Any], Account], dict[str, object]]


def _orders(state: AccountState, is_ended_too: bool) -> list[Entity[Any]]:
    return (state.orders() if is_ended_too else state.working_orders())[::-1]


def _of_order(entity: Entity[OrderRecord], _: Account) -> dict[str, object]:
    shown = views.order_row(entity)
    return {name: shown[name] for name in _ORDER}


def _of_position(entity: Entity[PositionRecord], account: Account) -> dict[str, object]:
    shown = views.position_row(entity, account.marks, account.now_ns())
    of_mark = {name: shown[name] if shown["mark_is_fresh"] else None for name in _OF_FRESH_MARK}
    return {name: shown[name] for name in _POSITION} | of_mark


def _of_balance(entity: Entity[BalanceRecord], _: Account) -> dict[str, object]:
    shown = views.balance_row(entity, None, None)
    return {name: shown[name] for name in _BALANCE}


KINDS: Final = (
    Kind("orders", EventType.ORDER, _orders, _of_order),
    Kind("positions", EventType.POSITION, lambda state, _: views.ranked(state), _of_position),
    Kind("balances", EventType.BALANCE, lambda state, _: views.wallets(state), _of_balance),
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
        head, entities = self._head(account), kind.entities(account.state, is_ended_too)
        entities = await _shown(entities, pairs, identity)
        texts = []
        for start in range(0, min(len(entities), MOST_ROWS), ROWS_PER_TURN):
            part = entities[start : start + ROWS_PER_TURN]
            derived = [kind.derived(entity, account) for entity in part]
            records = await self._records(kind.type, part, account.log)
            texts += [_row_text(*row) for row in zip(part, records, derived, strict=True)]
            await asyncio.sleep(0)
        whole = (head, len(entities), kind.name.encode(), b",".join(texts))
        return json_response(b'{%b,"total":%d,"%b":[%b]}' % whole)

    def _head(self, account: Account) -> bytes:
        status, ring = self._site.status(), self._site.ring
        head = {
            "as_of": iso_ms(account.now_ns()),
            "mode": status["mode"],
            "state": status["state"],
            "coindcx_connected": bool(status["connected"]),
            "epoch": ring.epoch,
            "seq": ring.version,
        }
        return msgspec.json.encode(head)[1:-1]

    async def _records(self, kind: EventType, entities: list[Entity[Any]], log: Events | None) -> list[bytes | None]:
        """Return the exchange's text of each row, ``None`` where neither memory nor log has it any more."""
        found: dict[str, bytes] = {}
        older: list[int] = []
        for entity in entities:
            stored = self._site.ring.get(entity.seq)
            if stored is None:
                older.append(entity.seq)
            elif stored.type is kind:
                found[entity.record.id] = stored.record
        if older and log is not None:
            try:
                events = await asyncio.to_thread(log.fetch, older)
            except StoreError:
                events = []
            found |= {event.facts.key: event.record for event in events if event.type is kind}
        return [found.get(entity.record.id) for entity in entities]


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


async def _shown(entities: list[Entity[Any]], pairs: frozenset[str], identity: Identity) -> list[Entity[Any]]:
    scope = identity.pairs
    if not pairs and scope is None:
        return entities
    wanted, found = pairs if scope is None else scope & pairs if pairs else scope, []
    for start in range(0, len(entities), LOOKED_AT_PER_TURN):
        part = entities[start : start + LOOKED_AT_PER_TURN]
        named = ((entity, getattr(entity.record, "pair", None)) for entity in part)
        found += [entity for entity, pair in named if pair is None or pair in wanted]
        await asyncio.sleep(0)
    return found


def _row_text(entity: Entity[Any], record: bytes | None, derived: Mapping[str, object]) -> bytes:
    head = {"seq": entity.seq, "received": iso_ms(entity.received_ns), "verbatim": record is not None}
    data = _rewritten(entity.record) if record is None else record
    return b'{%b,"data":%b,"derived":%b}' % (msgspec.json.encode(head)[1:-1], data, msgspec.json.encode(derived))


def _rewritten(record: Record) -> bytes:
    # Every digit is there, but no longer whether the exchange wrote a number or a text.
    return msgspec.json.encode(record.model_dump(exclude_unset=True))
