"""Signed reads of the account: orders, positions, wallets, fills and ledger rows, with the filters' known quirks.

With :attr:`Behaviour.rest_lag_ms` every list shows the account as it was that long ago.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, TypeVar

from aiohttp import web

from coindcx_feed.simulator.accounts import Purse
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.crossed import crossed_margin
from coindcx_feed.simulator.jstext import rest_text
from coindcx_feed.simulator.ledger import Wallet
from coindcx_feed.simulator.margin import INR_PEG, rounded
from coindcx_feed.simulator.orders import CURRENCIES, Currency, Order, Refusal, conversion_rate, order_record
from coindcx_feed.simulator.positions import Position, position_record
from coindcx_feed.simulator.requests import Live, parse_page
from coindcx_feed.simulator.statements import Fill, LedgerRow

_PAGE_SIZE: Final = 100
_PAGE_LIMIT: Final = 1_000
_NAMES: Final[dict[Currency, str]] = {"USDT": "Tether", "INR": "Indian Rupee"}

Row = TypeVar("Row")
Body = dict[str, Any]


def order_row(order: Order) -> dict[str, Any]:
    """Return an order's REST row: the socket's fields without ``trades``."""
    record = order_record(order)
    del record["trades"]
    return record


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
            for order in reversed(self._orders())
            if (not wanted or order.status in wanted)
            and body.get("side") in (None, order.request.side)
            and order.request.currency in currencies
        ]
        return [order_row(order) for order in _page(found, body)]

    def positions(self, _request: web.Request, body: Body) -> object:
        """List positions, flat ones too, by pairs or ids (comma-separated texts) and margin currency."""
        pairs, ids = _names(body, "pairs"), _names(body, "position_ids")
        currencies = _currencies(body)
        found = [
            position
            for position in self._positions()
            if (not pairs or position.pair in pairs)
            and (not ids or position.id in ids)
            and position.currency in currencies
        ]
        orders = [order for order in self._orders() if not order.is_terminal]
        return [position_row(position, orders) for position in _page(found, body)]

    def wallets(self, _request: web.Request, _body: Body) -> object:
        """List the wallets; all amounts are text."""
        rows = []
        for currency in CURRENCIES:
            purse = self._purse(currency)
            crossed = {
                "cross_order_margin": rest_text(purse.order_margin),
                "cross_user_margin": rest_text(purse.user_margin),
            }
            rows.append(self._core.account.wallet_record(currency, rest_text, purse.wallet) | crossed)
        return rows

    def trades(self, _request: web.Request, body: Body) -> object:
        """List fills, newest first: by order, or by pair and two dates (UTC, both included)."""
        order_id, pair = body.get("order_id"), body.get("pair")
        if order_id is None and None in (pair, body.get("from_date"), body.get("to_date")):
            raise Refusal(400, "Invalid Request.")
        start_ms, end_ms = _day_ms(body.get("from_date"), time.min), _day_ms(body.get("to_date"), time.max)
        currencies, until_ms = _currencies(body), self._until_ms
        found = [
            fill
            for fill in reversed(self._core.account.fills)
            if fill.booked_ms <= until_ms
            and order_id in (None, fill.order.id)
            and pair in (None, fill.order.request.pair)
            and (start_ms is None or fill.at_ms >= start_ms)
            and (end_ms is None or fill.at_ms <= end_ms)
            and fill.order.request.currency in currencies
        ]
        found.sort(key=lambda fill: fill.at_ms, reverse=True)
        return [fill_row(fill) for fill in _page(found, body)]

    def transactions(self, _request: web.Request, body: Body) -> object:
        """List ledger rows of positions, newest first, by stage and margin currency; amounts in that currency."""
        stage = body.get("stage", "all")
        currencies, until_ms = _currencies(body), self._until_ms
        found = [
            row
            for row in reversed(self._core.account.rows)
            if row.at_ms <= until_ms and stage in ("all", row.stage) and row.currency in currencies
        ]
        return [ledger_row(row) for row in _page(found, body)]

    def wallet_log(self, request: web.Request, _body: Body) -> object:
        """List movements that changed a wallet's total, newest first."""
        rows = []
        for entry in reversed(self._core.account.ledger.journal):
            change = entry.postings.get("available", Decimal(0)) + entry.postings.get("locked", Decimal(0))
            if change and entry.at_ms <= self._until_ms:
                currency: Currency = "INR" if entry.currency == "INR" else "USDT"
                rows.append(
                    {
                        "derivatives_futures_wallet_id": self._core.account.wallet_id(currency),
                        "transaction_type": "credit" if change > 0 else "debit",
                        "amount": abs(change),
                        "currency_short_name": currency,
                        "currency_full_name": _NAMES[currency],
                        "reason": entry.reason,
                        "created_at": entry.at_ms,
                    }
                )
        return _page(rows, dict(request.query))

    def crossed(self, _request: web.Request, _body: Body) -> object:
        """Return the crossed margin of the USDT wallet, at the marks of now."""
        return crossed_margin(self._core.account, self._core.now_ms).record()

    @property
    def _core(self) -> Core:
        return self._live.exchange

    @property
    def _until_ms(self) -> int:
        return self._core.now_ms - self._core.behaviour.rest_lag_ms

    @property
    def _is_behind(self) -> bool:
        return self._core.behaviour.rest_lag_ms > 0

    def _orders(self) -> list[Order]:
        orders, versions = list(self._core.orders.values()), self._core.versions
        if not self._is_behind:
            return orders
        former = (versions.at(order.id, self._until_ms, Order) for order in orders)
        return [order for order in former if order is not None]

    def _positions(self) -> list[Position]:
        positions, versions = list(self._core.account.positions.values()), self._core.versions
        if not self._is_behind:
            return positions
        former = (versions.at(position.id, self._until_ms, Position) for position in positions)
        return [position for position in former if position is not None]

    def _purse(self, currency: Currency) -> Purse:
        if not self._is_behind:
            return self._core.account.purse(currency)
        former = self._core.versions.at((Purse, currency), self._until_ms, Purse)
        return former or Purse(Wallet(currency, Decimal(0), Decimal(0)), Decimal(0), Decimal(0))


def position_row(position: Position, orders: Iterable[Order]) -> dict[str, Any]:
    """Return a position's REST row: the socket's fields and the funding so far, which is null on a flat one."""
    own = [o for o in orders if (o.request.pair, o.request.currency) == (position.pair, position.currency)]
    funding = position.funding if position.active else None
    return position_record(position, own) | {"cumulative_funding_fee": funding}


def fill_row(fill: Fill) -> dict[str, Any]:
    """Return a row of the fills read."""
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


def ledger_row(row: LedgerRow) -> dict[str, Any]:
    """Return a row of the ledger read; amounts in the margin currency."""
    return {
        "pair": row.pair,
        "stage": row.stage,
        "amount": row.profit,
        "fee_amount": row.fee,
        "price_in_inr": INR_PEG / conversion_rate(row.currency),
        "price_in_usdt": Decimal(1) if row.currency == "USDT" else rounded(1 / INR_PEG),
        "source": "user",
        "parent_type": row.parent_type,
        "parent_id": row.parent_id,
        "settlement_amount": 0,
        "fill_id": row.fill_id,
        "margin_currency_short_name": row.currency,
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
