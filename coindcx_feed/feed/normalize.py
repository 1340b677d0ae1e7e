"""Turn one frame into its records: pure, no I/O, no state. What does not fit comes out with its reason."""

from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec
from pydantic import ValidationError

from coindcx_feed.errors import FrameError, NotJson, UnknownShape
from coindcx_feed.events import NULL, EventType, Facts
from coindcx_feed.exchange import codec, wire
from coindcx_feed.exchange.numbers import WIDE, parse_exact, plain
from coindcx_feed.exchange.records import (
    BalanceRecord,
    BookRecord,
    CandleRecord,
    CurrentPricesRecord,
    OrderRecord,
    PositionRecord,
    PriceRecord,
    Record,
    TradeRecord,
)

MAX_RECORD_BYTES: Final = 1 << 20
"""One record larger than this is kept in quarantine, not in the ring."""

AccountRecord = OrderRecord | PositionRecord | BalanceRecord
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

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def normalize(frame: Frame) -> Iterator[Item]:
    """Yield every record of a frame, in its order, each with exactly one outcome.

    Numbers keep their text, objects and texts as ``data`` are both accepted, an account frame may be a list (also
    empty) or a single object.
    """
    account = _ACCOUNT.get(frame.event)
    try:
        payload = _payload(frame)
        if account is not None:
            yield from _account_items(payload, *account)
        elif (build := _MARKET.get(frame.event)) is not None:
            yield _market_item(payload, build)
        else:
            raise UnknownShape(f"unknown event {_cut(frame.event)}: expected one of the documented futures events")
    except FrameError as error:
        yield Rejected(str(error), raw_text(frame.argument))


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
        return _encode(data)
    raise UnknownShape(f"expected 'data' as text, object or list, was {_kind(data)}")


def _account_items(
    payload: bytes, kind: EventType, model: type[Record], facts: Callable[[Any], Facts]
) -> Iterator[Item]:
    start = payload.lstrip()[:1]
    try:
        records = [msgspec.Raw(payload)] if start == b"{" else _split(payload)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"expected a list of {kind} records: {_why(error)}") from error
    for piece in records:
        raw = bytes(piece).strip()
        try:
            record = cast(AccountRecord, _validated(raw, model, kind))
        except FrameError as error:
            yield Rejected(str(error), raw)
        else:
            yield AccountItem(kind, record, raw, facts(record))


def _market_item(payload: bytes, build: "_Market") -> Item:
    raw = payload.strip()
    parsed = _parsed(raw, build.kind)
    if isinstance(parsed, dict) and parsed.get("pr") == "spot":
        return Rejected("foreign product: expected futures data, was a spot frame", raw)
    record = _model(parsed, build.model, build.kind)
    pair, exchange_ms = build.read(record)
    return MarketItem(build.kind, record, raw, pair, exchange_ms)


def _validated(raw: bytes, model: type[Record], kind: str) -> Record:
    if len(raw) > MAX_RECORD_BYTES:
        raise UnknownShape(f"expected a {kind} record of at most {MAX_RECORD_BYTES:,} bytes, was {len(raw):,}")
    return _model(_parsed(raw, kind), model, kind)


def _parsed(raw: bytes, kind: str) -> Any:
    try:
        return parse_exact(raw)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"expected JSON of a {kind}: {_why(error)}") from error


def _model(parsed: Any, model: type[Record], kind: str) -> Record:
    if not isinstance(parsed, dict):
        raise UnknownShape(f"expected a {kind} object, was {_kind(parsed)}")
    try:
        return model.model_validate(parsed)
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


_ACCOUNT: Final[dict[str, tuple[EventType, type[Record], Callable[[Any], Facts]]]] = {
    wire.ORDER_EVENT: (EventType.ORDER, OrderRecord, _order_facts),
    wire.POSITION_EVENT: (EventType.POSITION, PositionRecord, _position_facts),
    wire.BALANCE_EVENT: (EventType.BALANCE, BalanceRecord, _balance_facts),
}


class _Market(NamedTuple):
    kind: MarketType
    model: type[Record]
    read: Callable[[Any], tuple[str | None, int | None]]


def _pair_of_book(record: BookRecord) -> str | None:
    symbol = record.s
    return f"B-{symbol[:-4]}_USDT" if symbol is not None and symbol.endswith("USDT") else symbol


_BOOK = _Market("book", BookRecord, lambda record: (_pair_of_book(record), record.ts))
_PRICES = _Market("price", CurrentPricesRecord, lambda record: (None, record.ts))
_MARKET: Final[dict[str, _Market]] = {
    wire.TRADE_EVENT: _Market("trade", TradeRecord, lambda record: (record.s, record.T)),
    wire.PRICE_EVENT: _Market("price", PriceRecord, lambda record: (None, record.T)),
    wire.CANDLE_EVENT: _Market(
        "candle", CandleRecord, lambda record: (record.data[0].pair if record.data else None, record.Ets)
    ),
    wire.DEPTH_SNAPSHOT_EVENT: _BOOK,
    wire.DEPTH_UPDATE_EVENT: _BOOK,
    wire.PRICES_UPDATE_EVENT: _PRICES,
    wire.PRICES_SNAPSHOT_EVENT: _PRICES,
}


def derived_fields(item: AccountItem, mark: Decimal | None) -> dict[str, bytes] | None:
    """Compute the fields this package adds to ``data``, as JSON texts.

    A field that the record itself brings is left as sent.

    Args:
        item: The record.
        mark: A fresh mark price of its pair, USDT, or ``None``.
    """
    record = item.record
    extra = record.model_extra or {}
    if isinstance(record, OrderRecord):
        if "filled_quantity" in extra:
            return None
        filled = record.filled_quantity
        return {"filled_quantity": NULL if filled is None else plain(filled).encode()}
    if isinstance(record, PositionRecord) and "unrealized_pnl" not in extra:
        pnl = unrealized_pnl(record, mark)
        return {"unrealized_pnl": NULL if pnl is None else plain(pnl).encode()}
    return None


def unrealized_pnl(record: PositionRecord, mark: Decimal | None) -> Decimal | None:
    """Signed size times (mark less average), USDT, exact; ``None`` without a mark or an average."""
    if mark is None or record.avg_price is None:
        return None
    with localcontext(WIDE):
        return record.active_pos * (mark - record.avg_price)


def raw_text(argument: object) -> bytes:
    """Return what came as JSON text, for quarantine."""
    if isinstance(argument, dict) and isinstance(argument.get("data"), str) and len(argument) <= 2:
        return cast(str, argument["data"]).encode("utf-8", "surrogatepass")
    if isinstance(argument, str):
        return argument.encode("utf-8", "surrogatepass")
    try:
        return _encode(argument)
    except (TypeError, ValueError, RecursionError):
        return repr(argument).encode()


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "nothing", bool: "true or false"}
    return names.get(type(value), "a number")


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else _cut(str(error))


def _cut(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
