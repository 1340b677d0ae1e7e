"""Turn one frame into its records: pure, no I/O, no state. What does not fit comes out with its reason."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec
from pydantic import TypeAdapter, ValidationError

from coindcx_feed.errors import FrameError, NotJson, UnknownShape
from coindcx_feed.events import NULL, Event, EventType, Facts
from coindcx_feed.exchange import codec, wire
from coindcx_feed.exchange.numbers import WIDE, parse_exact, plain
from coindcx_feed.exchange.records import (
    BalanceRecord,
    BookRecord,
    CandleRecord,
    CurrentPricesRecord,
    FillRecord,
    LedgerRecord,
    OrderRecord,
    PositionRecord,
    PriceRecord,
    Record,
    TradeRecord,
)

MAX_RECORD_BYTES: Final = 1 << 20
"""One record or market message larger than this is kept in quarantine, not in a buffer that counts entries."""
MAX_EXPONENT: Final = 40
"""Of an amount, also of a zero or of one sent as text: written out in full, 1e-999999999 would be a gigabyte."""

AccountRecord = OrderRecord | PositionRecord | BalanceRecord | FillRecord | LedgerRecord
MarketType = Literal["price", "trade", "candle", "book"]


class Frame(NamedTuple):
    """What arrived: one Socket.IO event with its argument, stamped by the handler. ``arrival`` counts frames."""

    arrival: int
    event: str
    argument: object
    received_ns: int


class AccountItem(NamedTuple):
    """A valid record of the account feed with its text and what tables need of it."""

    type: EventType
    record: AccountRecord
    raw: bytes
    facts: Facts
    has_number_as_text: bool = False


class MarketItem(NamedTuple):
    """A valid message of the market feed. ``pair`` is ``None`` where the exchange names none or several."""

    type: MarketType
    record: Record
    raw: bytes
    pair: str | None
    exchange_ms: int | None


class Rejected(NamedTuple):
    """A record or frame for quarantine."""

    reason: str
    raw: bytes


Item = AccountItem | MarketItem | Rejected
Validate = Callable[[Any], Any]

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def normalize(frame: Frame) -> Sequence[Item]:
    """Return every record of a frame, in its order, each with exactly one outcome.

    Numbers keep their text, objects and texts as ``data`` are both accepted, an account frame may be a list (also
    empty) or a single object.
    """
    if frame.event == wire.LEFT_EVENT:  # what a leave is answered with: no record, and of no documented shape
        return ()
    account = _ACCOUNT.get(frame.event)
    try:
        payload = _payload(frame)
        if account is not None:
            return [_account_item(raw, account) for raw in _pieces(payload, account.kind)]
        if (market := _MARKET.get(frame.event)) is not None:
            return (_market_item(payload, market),)
        raise UnknownShape(f"unknown event {_cut(frame.event)}: expected one of the documented futures events")
    except FrameError as error:
        return (Rejected(str(error), raw_text(frame.argument)),)


def _payload(frame: Frame) -> bytes:
    if frame.event == codec.MALFORMED:
        raise NotJson("expected JSON in the event packet, was text that does not parse")
    argument = frame.argument
    if not isinstance(argument, dict) or "data" not in argument:
        raise UnknownShape(f"expected an object with 'data', was {_kind(argument)}")
    data = argument["data"]
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    if isinstance(data, dict | list):
        try:
            return _encode(data)
        except (TypeError, ValueError, RecursionError) as error:
            raise NotJson(f"expected 'data' that can be written as JSON: {_why(error)}") from error
    raise UnknownShape(f"expected 'data' as text, object or list, was {_kind(data)}")


def _pieces(payload: bytes, kind: EventType) -> list[bytes]:
    if payload.lstrip()[:1] == b"{":
        return [payload.strip()]
    try:
        return [bytes(piece) for piece in _split(payload)]
    except (ValueError, RecursionError) as error:
        raise NotJson(f"expected a list of {kind} records: {_why(error)}") from error


def _account_item(raw: bytes, account: "_Account") -> Item:
    try:
        parsed = _parsed(raw, account.kind)
        record = _validated(parsed, account.kind, account.validate)
        for name in account.amounts:
            amount = getattr(record, name)
            if amount is not None and not -MAX_EXPONENT < amount.adjusted() < MAX_EXPONENT:
                raise UnknownShape(f"{account.kind} field {name}: expected a number within 1e±{MAX_EXPONENT}")
    except FrameError as error:
        return Rejected(str(error), raw)
    # Wallets are always text; elsewhere the exchange documents numbers.
    is_text = account.kind is not EventType.BALANCE and any(type(parsed.get(name)) is str for name in account.amounts)
    return AccountItem(account.kind, record, raw, account.facts(record), is_text)


def _market_item(payload: bytes, market: "_Market") -> Item:
    raw = payload.strip()
    try:
        record = _validated(_parsed(raw, market.kind), market.kind, market.validate)
    except UnknownShape:
        if b'"pr":"spot"' in raw.replace(b" ", b""):
            return Rejected("foreign product: expected futures data, was a spot frame", raw)
        raise
    pair, exchange_ms = market.read(record)
    return MarketItem(market.kind, record, raw, pair, exchange_ms)


def _parsed(raw: bytes, kind: str) -> dict[str, Any]:
    if len(raw) > MAX_RECORD_BYTES:
        raise UnknownShape(f"{kind}: expected at most {MAX_RECORD_BYTES:,} bytes, was {len(raw):,}")
    try:
        parsed = parse_exact(raw)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"{kind}: expected JSON: {_why(error)}") from error
    if not isinstance(parsed, dict):
        raise UnknownShape(f"{kind}: expected an object, was {_kind(parsed)}")
    return parsed


def _validated(parsed: dict[str, Any], kind: str, validate: Validate) -> Any:
    try:
        return validate(parsed)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnknownShape(f"{kind} field {_cut(where)}: {first['msg']}") from None


def _order_facts(record: OrderRecord) -> Facts:
    price = None if record.price is None else float(record.price)
    return Facts(record.id, record.pair, record.side, record.status, price, record.display_message, record.updated_at)


def _position_facts(record: PositionRecord) -> Facts:
    price = float(record.avg_price) if record.avg_price else None
    return Facts(record.id, record.pair, price=price, exchange_ms=record.updated_at)


def _balance_facts(record: BalanceRecord) -> Facts:
    return Facts(record.id)


def _validator(model: type[Record]) -> Validate:
    # The core validator spares the Python layers around it: 2 of 8 microseconds per record.
    return TypeAdapter(model).validator.validate_python


class _Account(NamedTuple):
    kind: EventType
    validate: Validate
    facts: Callable[[Any], Facts]
    amounts: tuple[str, ...]  # what is computed with and written out in full


_ACCOUNT: Final = {
    wire.ORDER_EVENT: _Account(
        EventType.ORDER,
        _validator(OrderRecord),
        _order_facts,
        ("price", "avg_price", "total_quantity", "remaining_quantity", "cancelled_quantity"),
    ),
    wire.POSITION_EVENT: _Account(
        EventType.POSITION,
        _validator(PositionRecord),
        _position_facts,
        ("active_pos", "avg_price", "liquidation_price", "locked_margin", "maintenance_margin"),
    ),
    wire.BALANCE_EVENT: _Account(
        EventType.BALANCE, _validator(BalanceRecord), _balance_facts, ("balance", "locked_balance")
    ),
}


def _fill_facts(record: FillRecord) -> Facts:
    message = f"fill of order {record.order_id}"
    return Facts(record.key, record.pair, record.side, None, float(record.price), message, record.exchange_ms)


def _ledger_facts(record: LedgerRecord) -> Facts:
    return Facts(record.key, record.pair, status=record.stage, exchange_ms=record.created_at)


_READ: Final[dict[EventType, Callable[[Any], Facts]]] = {
    **{account.kind: account.facts for account in _ACCOUNT.values()},
    EventType.FILL: _fill_facts,
    EventType.LEDGER: _ledger_facts,
}


def read_item(kind: EventType, record: AccountRecord, raw: bytes, key: str) -> AccountItem:
    """Make an item of a checked row of a REST read.

    Args:
        raw: The exchange's own text of the row.
        key: Its name among those of its kind.
    """
    return AccountItem(kind, record, raw, _READ[kind](record)._replace(key=key))


_STORED: Final[dict[EventType, Validate]] = {
    **{account.kind: account.validate for account in _ACCOUNT.values()},
    EventType.FILL: _validator(FillRecord),
    EventType.LEDGER: _validator(LedgerRecord),
}


def stored_item(event: Event) -> AccountItem | None:
    """Read the record of an event of the durable log again; ``None`` for a system event and for what no longer fits."""
    validate = _STORED.get(event.type)
    if validate is None:
        return None
    raw = event.record
    try:
        record = _validated(_parsed(raw, event.type), event.type, validate)
    except FrameError:
        return None
    return AccountItem(event.type, record, raw, event.facts)


class _Market(NamedTuple):
    kind: MarketType
    validate: Validate
    read: Callable[[Any], tuple[str | None, int | None]]


def _pair_of_book(record: BookRecord) -> str | None:
    symbol = record.s
    return f"B-{symbol[:-4]}_USDT" if symbol is not None and symbol.endswith("USDT") else symbol


_BOOK = _Market("book", _validator(BookRecord), lambda record: (_pair_of_book(record), record.ts))
_PRICES = _Market("price", _validator(CurrentPricesRecord), lambda record: (None, record.ts))
_MARKET: Final[dict[str, _Market]] = {
    wire.TRADE_EVENT: _Market("trade", _validator(TradeRecord), lambda record: (record.s, record.T)),
    wire.PRICE_EVENT: _Market("price", _validator(PriceRecord), lambda record: (None, record.T)),
    wire.CANDLE_EVENT: _Market(
        "candle", _validator(CandleRecord), lambda record: (record.data[0].pair if record.data else None, record.Ets)
    ),
    wire.DEPTH_SNAPSHOT_EVENT: _BOOK,
    wire.DEPTH_UPDATE_EVENT: _BOOK,
    wire.PRICES_UPDATE_EVENT: _PRICES,
    wire.PRICES_SNAPSHOT_EVENT: _PRICES,
}


def derived_field(item: AccountItem, mark: Decimal | None) -> tuple[str, bytes] | None:
    """Compute the field that this package adds to ``data``: its name and JSON text.

    A field that the record itself brings is left as sent.

    Args:
        item: The record.
        mark: A fresh mark price of its pair, USDT, or ``None``.
    """
    record = item.record
    value: Decimal | None
    if isinstance(record, OrderRecord):
        name, value = "filled_quantity", record.filled_quantity
    elif isinstance(record, PositionRecord):
        name, value = "unrealized_pnl", unrealized_pnl(record, mark)
    else:
        return None
    if record.model_extra and name in record.model_extra:
        return None
    return name, NULL if value is None else plain(value).encode()


def unrealized_pnl(record: PositionRecord, mark: Decimal | None) -> Decimal | None:
    """Signed size times (mark less average), USDT, exact; ``None`` without a mark or an average."""
    if mark is None or record.avg_price is None:
        return None
    return WIDE.multiply(record.active_pos, WIDE.subtract(mark, record.avg_price))


def raw_text(argument: object) -> bytes:
    """Return what came as JSON text, for quarantine."""
    if isinstance(argument, dict) and isinstance(argument.get("data"), str) and len(argument) <= 2:
        return cast(str, argument["data"]).encode("utf-8", "surrogatepass")
    if isinstance(argument, str):
        return argument.encode("utf-8", "surrogatepass")
    try:
        return _encode(argument)
    except (TypeError, ValueError):
        return repr(argument).encode()
    except RecursionError:  # repr would recurse as deep
        return b"(nested too deeply to be written)"


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "nothing", bool: "true or false"}
    return names.get(type(value), "a number")


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else _cut(str(error))


def _cut(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
