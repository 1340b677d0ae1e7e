"""Recorded frames and records made for a test."""

import json
from pathlib import Path
from typing import Any

from coindcx_feed.exchange import wire
from coindcx_feed.feed.normalize import Frame

FIXTURES = Path(__file__).parents[1] / "fixtures"


def rows(*patterns: str) -> list[dict[str, Any]]:
    """Return the envelopes of the matching files, in file order."""
    found: list[dict[str, Any]] = []
    for pattern in patterns:
        for path in sorted(FIXTURES.glob(pattern)):
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                found.append(row.get("frame", row))
    return found


def frame(event: str, data: object, arrival: int = 1, received_ns: int = 1_790_000_000_000_000_000) -> Frame:
    """Build a frame whose data is sent as JSON text, the way the wire does."""
    text = data if isinstance(data, str) else json.dumps(data)
    return Frame(arrival, event, {"event": event, "data": text}, received_ns)


def order(order_id: str = "o-1", **fields: object) -> dict[str, Any]:
    return {
        "id": order_id,
        "pair": "B-ETH_USDT",
        "side": "buy",
        "status": "open",
        "order_type": "limit_order",
        "price": 2900.5,
        "avg_price": 0,
        "total_quantity": 0.05,
        "remaining_quantity": 0.05,
        "cancelled_quantity": 0,
        "created_at": 1_790_000_000_000,
        "updated_at": 1_790_000_000_000,
        **fields,
    }


def position(position_id: str = "p-1", **fields: object) -> dict[str, Any]:
    return {
        "id": position_id,
        "pair": "B-ETH_USDT",
        "active_pos": 0.2,
        "avg_price": 2887.6,
        "liquidation_price": 2384.12,
        "locked_margin": 115.5,
        "leverage": 5,
        "margin_type": "isolated",
        "margin_currency_short_name": "USDT",
        "updated_at": 1_790_000_000_000,
        **fields,
    }


def balance(wallet_id: str = "w-1", free: str = "100", locked: str = "0", currency: str = "USDT") -> dict[str, Any]:
    return {"id": wallet_id, "balance": free, "locked_balance": locked, "currency_short_name": currency}


ORDER, POSITION, BALANCE = wire.ORDER_EVENT, wire.POSITION_EVENT, wire.BALANCE_EVENT
