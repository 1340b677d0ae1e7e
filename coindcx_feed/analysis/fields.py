"""What the fields of a record mean to a reader: which one is the price, which hold money, how they are called."""

from decimal import Decimal
from typing import Final, get_args

from coindcx_feed.exchange.records import BalanceRecord, FillRecord, LedgerRecord, OrderRecord, PositionRecord, Record

ID_FIELDS: Final = {"fill": "fill_id", "ledger": "fill_id", "system": None}
"""Field with the exchange's own id, where it is not ``id``."""
STATUS_FIELDS: Final = {"ledger": "stage", "system": "state"}
"""Field that says how far something is, where it is not ``status``."""
MESSAGE_FIELDS: Final = {"order": "display_message", "system": "message"}
PRICE_FIELDS: Final = {"order": "price", "position": "avg_price", "fill": "price"}
QUANTITY_FIELDS: Final = {
    "order": "total_quantity",
    "position": "active_pos",
    "balance": "balance",
    "fill": "quantity",
    "ledger": "amount",
}
TIME_FIELDS: Final = {"order": "updated_at", "position": "updated_at", "fill": "timestamp", "ledger": "created_at"}
"""Field with the exchange's own time, ms. Balances have none."""
DERIVED_FIELDS: Final = {"order": ("filled_quantity",), "position": ("unrealized_pnl",)}
"""Fields this package adds to ``data``."""

_MODELS: Final[dict[str, type[Record]]] = {
    "order": OrderRecord,
    "position": PositionRecord,
    "balance": BalanceRecord,
    "fill": FillRecord,
    "ledger": LedgerRecord,
}

RECORD_FIELDS: Final = {kind: tuple(model.model_fields) for kind, model in _MODELS.items()}
"""Every documented field of the types that have a full export list, in documented order."""


def _holds_decimal(annotation: object) -> bool:
    return annotation is Decimal or any(_holds_decimal(part) for part in get_args(annotation))


MONEY_FIELDS: Final = frozenset({"filled_quantity", "unrealized_pnl"}).union(
    name for model in _MODELS.values() for name, field in model.model_fields.items() if _holds_decimal(field.annotation)
)
"""Fields whose text, when it is a plain decimal, is a number. Any other text is text."""

_LABELS: Final = {
    "active_pos": "size",
    "balance": "available",
    "locked_balance": "locked",
    "fee_amount": "fee",
    "total_quantity": "quantity",
    "inactive_pos_buy": "buy orders",
    "inactive_pos_sell": "sell orders",
    "locked_order_margin": "margin in orders",
    "locked_user_margin": "margin invested",
    "take_profit_trigger": "take profit",
    "stop_loss_trigger": "stop loss",
    "take_profit_price": "take profit",
    "stop_loss_price": "stop loss",
    "position_margin_type": "margin type",
    "margin_currency_short_name": "margin currency",
    "unrealized_pnl": "unrealised PnL",
    "display_message": "message",
}


def label(field: str) -> str:
    """Name a field for people: ``fee_amount`` is *fee*, ``avg_price`` is *avg price*."""
    return _LABELS.get(field, field.replace("_", " "))
