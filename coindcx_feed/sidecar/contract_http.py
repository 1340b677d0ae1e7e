"""The bodies of the HTTP routes as types, for the published schema; see ``contract`` for the rules."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord
from coindcx_feed.sidecar.contract import AccountEvent, Count, Epoch, Flag, Mode, Newest, ResumeGap, Timestamp


class Place(TypedDict):
    since: Newest
    epoch: Epoch


class EventsPage(TypedDict):
    """``GET /api/v1/events``: events of one epoch without a hole. ``next`` is null at the newest."""

    epoch: Epoch
    events: list[AccountEvent]
    position: Place
    next: Place | None
    gap: ResumeGap | None


class StateRow(TypedDict):
    seq: Newest
    received: Timestamp
    verbatim: Flag
    derived: dict[str, Any]


class OrderRow(StateRow):
    data: OrderRecord


class PositionRow(StateRow):
    data: PositionRecord


class BalanceRow(StateRow):
    data: BalanceRecord


class StateHead(TypedDict):
    """What the lists are worth: when they were read, and whether the account is being watched."""

    as_of: Timestamp
    mode: Mode
    state: str
    coindcx_connected: Flag
    epoch: Epoch
    seq: Newest
    total: Count


class OrdersState(StateHead):
    orders: list[OrderRow]


class PositionsState(StateHead):
    positions: list[PositionRow]


class BalancesState(StateHead):
    balances: list[BalanceRow]


class Status(TypedDict):
    """``GET /api/v1/ws/status``; more fields with the configured credential."""

    active_connections: Count
    coindcx_connected: Flag


class Health(TypedDict):
    """``GET /healthz`` and ``/readyz``."""

    status: Literal["ok", "ready", "not ready"]
    state: NotRequired[str]


class Problem(TypedDict):
    """The body of every HTTP answer of 400 and more, but of ``/readyz``."""

    error: str
