"""Present orders, positions and balances as plain dictionaries. Money is text, exactly as it is known."""

import time
from decimal import Decimal, localcontext
from typing import Any, Protocol

from coindcx_feed.exchange.numbers import WIDE, plain, written
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.marks import FRESH_S, Mark
from coindcx_feed.feed.normalize import unrealized_pnl
from coindcx_feed.feed.state import AccountState, Entity


class NewestMarks(Protocol):
    """Mark prices of one time: now, or a moment of the past."""

    def newest(self, pair: str) -> Mark | None: ...


def text(number: Decimal | None) -> str | None:
    """Write a decimal with all its digits, without exponent unless it is far beyond any amount."""
    return None if number is None else written(number)


def _given(number: Decimal | None) -> str | None:
    # The exchange writes 0 for "none" in prices.
    return text(number) if number else None


class Orders:
    """The known orders as rows. A row is built once per update of its order: pages ask for thousands, twice a second.

    Threads: any; two that ask at once may build a row twice.
    """

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}

    def rows(self, state: AccountState) -> list[dict[str, Any]]:
        """List every known order, last touched first. The rows are shared: readers must not change them."""
        before, rows = self._rows, []
        for entity in reversed(state.orders()):
            row = before.get(entity.record.id)
            rows.append(row if row is not None and row["seq"] == entity.seq else order_row(entity))
        self._rows = {row["id"]: row for row in rows}
        return rows


def order(state: AccountState, order_id: str) -> dict[str, Any] | None:
    entity = state.order(order_id)
    return None if entity is None else order_row(entity)


def order_row(entity: Entity[OrderRecord]) -> dict[str, Any]:
    record = entity.record
    filled = record.filled_quantity
    share = float(filled / record.total_quantity) if filled is not None and record.total_quantity else None
    return {
        "id": record.id,
        "pair": record.pair,
        "side": record.side,
        "status": record.status,
        "status_is_known": record.has_known_status,
        "order_type": record.order_type,
        "price": _given(record.price),
        "stop_price": _given(record.stop_price),
        "avg_price": _given(record.avg_price),
        "quantity": text(record.total_quantity),
        "remaining_quantity": text(record.remaining_quantity),
        "cancelled_quantity": text(record.cancelled_quantity),
        "filled_quantity": None if filled is None else plain(filled),
        "filled_share": share,
        "leverage": text(record.leverage),
        "margin_currency": record.margin_currency_short_name,
        "fee": text(record.fee_amount),
        "message": record.display_message,
        "created_ms": record.created_at,
        "updated_ms": record.updated_at,
        "received_ms": entity.received_ns / 1e6,
        "seq": entity.seq,
        "is_terminal": record.is_terminal,
    }


def positions(state: AccountState, marks: NewestMarks, at_ns: int | None = None) -> list[dict[str, Any]]:
    """List every known position, open ones first, each group by pair.

    Args:
        at_ns: Time that ages of marks are told for, Unix ns; now by default.
    """
    now_ns = time.time_ns() if at_ns is None else at_ns
    return [position_row(entity, marks, now_ns) for entity in ranked(state)]


def ranked(state: AccountState) -> list[Entity[PositionRecord]]:
    """List every known position, open ones first, each group by pair."""
    return sorted(state.positions(), key=_place)


def _place(entity: Entity[PositionRecord]) -> tuple[bool, str, str, str]:
    record = entity.record
    return not record.active_pos, record.pair, record.margin_currency_short_name or "", record.id


def position_row(entity: Entity[PositionRecord], marks: NewestMarks, now_ns: int) -> dict[str, Any]:
    record = entity.record
    size = record.active_pos
    mark = marks.newest(record.pair)
    age_s = None if mark is None else (now_ns - mark.received_ns) / 1e9
    price = None if mark is None or not size else mark.price
    pnl = unrealized_pnl(record, price)
    margin = record.locked_margin
    is_crossed = record.margin_type == "crossed"
    liquidation = None if is_crossed else record.liquidation_price
    return {
        "id": record.id,
        "pair": record.pair,
        "margin_currency": record.margin_currency_short_name,
        "quote": record.pair.rpartition("_")[2],
        "side": "flat" if not size else "long" if size > 0 else "short",
        "size": text(size),
        "avg_price": _given(record.avg_price),
        "mark_price": None if mark is None else text(mark.price),
        "mark_age_s": age_s,
        "mark_is_fresh": age_s is not None and age_s <= FRESH_S,
        "liquidation_price": _given(liquidation),
        "leverage": text(record.leverage),
        "margin_type": record.margin_type or "isolated",
        "margin": text(margin),
        "maintenance_margin": text(record.maintenance_margin),
        "unrealized_pnl": None if pnl is None else plain(pnl),
        "pnl_share": float(pnl / margin) if pnl is not None and margin else None,
        "liquidation_distance": _distance(price, liquidation),
        "stop": _given(record.stop_loss_trigger),
        "target": _given(record.take_profit_trigger),
        "updated_ms": record.updated_at,
        "received_ms": entity.received_ns / 1e6,
        "seq": entity.seq,
    }


def _distance(mark: Decimal | None, liquidation: Decimal | None) -> float | None:
    # Share of the mark between it and the liquidation price.
    return float(abs(mark - liquidation) / mark) if mark and liquidation else None


def balances(state: AccountState, rate: Decimal | None, rate_ms: int | None) -> list[dict[str, Any]]:
    """List the wallets, one per currency.

    Args:
        rate: Rupees per USDT, or ``None`` when unknown.
        rate_ms: When the rate was learnt.
    """
    return [balance_row(entity, rate, rate_ms) for entity in wallets(state)]


def wallets(state: AccountState) -> list[Entity[BalanceRecord]]:
    """List the newest wallet of each currency."""
    newest: dict[str, Entity[BalanceRecord]] = {}
    for entity in sorted(state.balances(), key=lambda item: item.seq):
        newest[entity.record.currency_short_name] = entity
    return [entity for _, entity in sorted(newest.items(), reverse=True)]


def balance_row(entity: Entity[BalanceRecord], rate: Decimal | None, rate_ms: int | None) -> dict[str, Any]:
    record = entity.record
    currency = record.currency_short_name
    with localcontext(WIDE):
        total = record.balance + record.locked_balance
        share = float(record.locked_balance / total) if total else None
        in_inr = total * rate if rate is not None and currency == "USDT" else None
    return {
        "id": record.id,
        "currency": currency,
        "total": text(total),
        "available": text(record.balance),
        "locked": text(record.locked_balance),
        "locked_share": share,
        "received_ms": entity.received_ns / 1e6,
        "seq": entity.seq,
        "in_inr": None if in_inr is None else {"text": text(in_inr), "rate": text(rate), "rate_ms": rate_ms},
    }
