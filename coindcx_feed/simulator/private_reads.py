"""Signed reads of the account: orders, positions, wallets, fills and ledger rows, with the filters' known quirks."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, TypeVar

from aiohttp import web

from coindcx_feed.simulator.accounts import Fill, LedgerRow
from coindcx_feed.simulator.jstext import rest_text
from coindcx_feed.simulator.margin import INR_PEG, rounded
from coindcx_feed.simulator.orders import CURRENCIES, Order, Refusal, conversion_rate, order_record
from coindcx_feed.simulator.positions import Position, position_record
from coindcx_feed.simulator.requests import Live, parse_page

_PAGE_SIZE: Final = 100
_PAGE_LIMIT: Final = 1_000

Row = TypeVar("Row")
Body = dict[str, Any]


class PrivateReads:
    """Replies as Python values; numbers are ``Decimal``."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def orders(self, _request: web.Request, body: Body) -> object:
        """List orders, newest first: by status (one comma-separated text), side and margin currency."""
        statuses = body.get("status")
        if statuses is not None and not isinstance(statuses, str):
            raise Refusal(422, "status should be a comma separated string")
        wanted = {name.strip() for name in (statuses or "").split(",") if name.strip()}
        currencies = _currencies(body)
        found = [
            order
            for order in reversed(self._live.exchange.orders.values())
            if (not wanted or order.status in wanted)
            and body.get("side") in (None, order.request.side)
            and order.request.currency in currencies
        ]
        return [self.order_row(order) for order in _page(found, body)]

    def order_row(self, order: Order) -> dict[str, Any]:
        """Return an order's REST row: the socket's fields without ``trades``."""
        record = order_record(order)
        del record["trades"]
        return record

    def positions(self, _request: web.Request, body: Body) -> object:
        """List positions, flat ones too, by pairs or ids (comma-separated texts) and margin currency."""
        pairs, ids = _names(body, "pairs"), _names(body, "position_ids")
        currencies = _currencies(body)
        found = [
            position
            for position in self._live.exchange.account.positions.values()
            if (not pairs or position.pair in pairs)
            and (not ids or position.id in ids)
            and position.currency in currencies
        ]
        return [self._position_row(position) for position in _page(found, body)]

    def _position_row(self, position: Position) -> dict[str, Any]:
        orders = self._live.exchange.open_orders(position.pair, position.currency)
        return position_record(position, orders) | {"cumulative_funding_fee": None}

    def wallets(self, _request: web.Request, _body: Body) -> object:
        """List the wallets; all amounts are text."""
        account = self._live.exchange.account
        crossed = {"cross_order_margin": "0.0", "cross_user_margin": "0.0"}
        return [account.wallet_record(currency, rest_text) | crossed for currency in CURRENCIES]

    def trades(self, _request: web.Request, body: Body) -> object:
        """List fills, newest first: by order, or by pair and two dates (UTC, both included)."""
        order_id, pair = body.get("order_id"), body.get("pair")
        if order_id is None and None in (pair, body.get("from_date"), body.get("to_date")):
            raise Refusal(400, "Invalid Request.")
        start_ms, end_ms = _day_ms(body.get("from_date"), time.min), _day_ms(body.get("to_date"), time.max)
        currencies = _currencies(body)
        found = [
            fill
            for fill in reversed(self._live.exchange.account.fills)
            if order_id in (None, fill.order.id)
            and pair in (None, fill.order.request.pair)
            and (start_ms is None or fill.at_ms >= start_ms)
            and (end_ms is None or fill.at_ms <= end_ms)
            and fill.order.request.currency in currencies
        ]
        found.sort(key=lambda fill: fill.at_ms, reverse=True)
        return [_fill_row(fill) for fill in _page(found, body)]

    def transactions(self, _request: web.Request, body: Body) -> object:
        """List ledger rows of positions, newest first, by stage and margin currency; amounts in that currency."""
        stage = body.get("stage", "all")
        currencies = _currencies(body)
        found = [
            row
            for row in reversed(self._live.exchange.account.rows)
            if stage in ("all", row.order.request.stage) and row.order.request.currency in currencies
        ]
        return [_ledger_row(row) for row in _page(found, body)]

    def wallet_log(self, request: web.Request, _body: Body) -> object:
        """List movements that changed a wallet's total, newest first."""
        rows = []
        for entry in reversed(self._live.exchange.account.ledger.journal):
            change = entry.postings.get("available", Decimal(0)) + entry.postings.get("locked", Decimal(0))
            if change:
                rows.append(
                    {
                        "transaction_type": "credit" if change > 0 else "debit",
                        "amount": abs(change),
                        "currency_short_name": entry.currency,
                        "reason": entry.reason,
                        "created_at": entry.at_ms,
                    }
                )
        return _page(rows, dict(request.query))


def _fill_row(fill: Fill) -> dict[str, Any]:
    request = fill.order.request
    return {
        "price": fill.price,
        "quantity": fill.quantity,
        "is_maker": fill.is_maker,
        "fee_amount": fill.fee,
        "pair": request.pair,
        "side": request.side,
        "timestamp": fill.at_ms,
        "fill_id": fill.fill_id,
        "order_id": fill.order.id,
        "settlement_currency_conversion_price": conversion_rate(request.currency),
        "margin_currency_short_name": request.currency,
    }


def _ledger_row(row: LedgerRow) -> dict[str, Any]:
    request = row.order.request
    in_usdt = Decimal(1) if request.currency == "USDT" else rounded(1 / INR_PEG)
    return {
        "pair": request.pair,
        "stage": request.stage,
        "amount": row.profit,
        "fee_amount": row.fee,
        "price_in_inr": INR_PEG / conversion_rate(request.currency),
        "price_in_usdt": in_usdt,
        "source": "user",
        "parent_type": "Derivatives::Futures::Order",
        "parent_id": row.order.id,
        "settlement_amount": 0,
        "fill_id": row.fill_id,
        "margin_currency_short_name": request.currency,
        "position_id": row.position_id,
        "created_at": row.at_ms,
        "updated_at": row.at_ms,
    }


def _currencies(body: Body) -> list[str]:
    # A text instead of an array is an internal error on the real API; leaving it out means USDT only.
    value = body.get("margin_currency_short_name", ["USDT"])
    if not isinstance(value, list):
        raise Refusal(500, "")
    return [str(name) for name in value]


def _names(body: Body, name: str) -> list[str]:
    return [part.strip() for part in str(body.get(name) or "").split(",") if part.strip()]


def _day_ms(value: object, at: time) -> int | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        raise Refusal(400, "Invalid Request.") from None
    return int(datetime.combine(day, at, UTC).timestamp() * 1_000)


def _page(rows: Iterable[Row], body: Body) -> list[Row]:
    page = parse_page(body.get("page"), 1, 1_000_000)
    size = parse_page(body.get("size"), _PAGE_SIZE, _PAGE_LIMIT)
    return list(rows)[(page - 1) * size : page * size]
