"""The side of a script: read a sidecar's events, or make a table of them.

``connect`` yields typed events and gaps, ``events`` the messages as they are; both reconnect and resume.
"""

from coindcx_feed.client.connect import Connection, connect
from coindcx_feed.client.envelope import Envelope
from coindcx_feed.client.frame import to_dataframe
from coindcx_feed.client.items import (
    BalanceEvent,
    BookEvent,
    CandleEvent,
    FillEvent,
    Gap,
    Item,
    LedgerEvent,
    OrderEvent,
    OtherEvent,
    PositionEvent,
    PriceEvent,
    SystemEvent,
    TradeEvent,
)
from coindcx_feed.client.subscribe import events

__all__ = [
    "BalanceEvent",
    "BookEvent",
    "CandleEvent",
    "Connection",
    "Envelope",
    "FillEvent",
    "Gap",
    "Item",
    "LedgerEvent",
    "OrderEvent",
    "OtherEvent",
    "PositionEvent",
    "PriceEvent",
    "SystemEvent",
    "TradeEvent",
    "connect",
    "events",
    "to_dataframe",
]
