"""``to_dataframe``: events as a pandas table with the columns of an export, typed, with units and gaps beside it."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, Literal

from coindcx_feed.analysis.cells import COLUMNS
from coindcx_feed.analysis.fields import (
    ID_FIELDS,
    MESSAGE_FIELDS,
    PRICE_FIELDS,
    QUANTITY_FIELDS,
    STATUS_FIELDS,
    TIME_FIELDS,
)
from coindcx_feed.client.envelope import MOST_SEQ, RESUME_GAP, Envelope, gap_line
from coindcx_feed.client.items import Gap, Item
from coindcx_feed.client.position import Since
from coindcx_feed.client.retained import read_retained
from coindcx_feed.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

Money = Literal["decimal", "float"]

UNITS: Final = {
    "seq": "count within epoch",
    "timestamp": "received, UTC",
    "exchange_ms": "ms since 1970-01-01 UTC, the exchange's clock",
    "price": "quote currency of the pair",
    "quantity": "base coins of the pair; of a balance or ledger row its currency",
    "filled_quantity": "base coins of the pair",
}

_MONEY: Final = ("price", "quantity", "filled_quantity")
_ACCOUNT: Final = frozenset({"order", "position", "balance", "fill", "ledger", "system"})


def to_dataframe(
    events: str | Iterable[Item],
    *,
    since: Since = "earliest",
    epoch: str | None = None,
    types: Iterable[str] | None = None,
    pairs: Iterable[str] | None = None,
    token: str | None = None,
    money: Money = "decimal",
) -> "pd.DataFrame":
    """Return account events as a table with the columns of an export, one row each, in their order.

    From an address it reads what is retained there up to the newest event at the call. Works where a loop runs already,
    as in a notebook. A gap is a ``system`` row without ``seq``, and stands in ``attrs``; market messages are left out.

    Args:
        events: Address of a sidecar, or items of ``connect``: a list, or an iterator that ends.
        since: With an address: last ``seq`` to leave out (with its ``epoch``), or ``earliest``.
        types: With an address: names of types of the account feed.
        pairs: With an address: filters the types that have a pair.
        money: ``decimal`` keeps every digit as ``Decimal`` objects; ``float`` is quicker to compute with and rounds to
            about 16 digits.
    Returns:
        Columns of ``analysis.cells.COLUMNS``: ``timestamp`` is ``datetime64[ns, UTC]``, ``seq`` and ``exchange_ms``
        ``Int64``, money as chosen, the others ``string``. ``attrs`` has ``units``, ``money``, ``mode``, ``epoch`` and
        ``gaps``.
    Raises:
        ConfigError: If the address, the types or ``money`` are not understood.
        ClientError: If there is no sidecar, or it refuses.
    """
    if money not in ("decimal", "float"):
        raise ConfigError(f"money: expected decimal or float, was {money!r:.40}: choose one")
    if isinstance(events, str):
        return _table(list(read_retained(events, since, epoch, types, pairs, token)), money)
    kept = (item for item in events if item.type in _ACCOUNT or isinstance(item, Gap))
    return _table([Envelope(item.raw, item.epoch, item.mode) for item in kept], money)


def _table(envelopes: list[Envelope], money: Money) -> "pd.DataFrame":
    import pandas as pd

    rows = [_row(envelope) for envelope in envelopes]
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(COLUMNS, ())
    table = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    for name in COLUMNS:
        table[name] = _typed(table[name], name, money)
    newest = envelopes[-1] if envelopes else None
    table.attrs = {
        "units": dict(UNITS),
        "money": money,
        "mode": None if newest is None else newest.mode,
        "epoch": None if newest is None else newest.epoch,
        "gaps": [_gap(envelope) for envelope in envelopes if _is_gap(envelope)],
    }
    return table


def _typed(values: Any, name: str, money: Money) -> Any:
    import pandas as pd

    if name == "timestamp":
        return pd.to_datetime(values, utc=True, format="ISO8601").astype("datetime64[ns, UTC]")
    if name in ("seq", "exchange_ms"):
        return values.astype("Int64")
    if name in _MONEY:
        return values if money == "decimal" else values.astype("float64")
    return values.astype("string")


def _row(envelope: Envelope) -> tuple[Any, ...]:
    kind, data = str(envelope["type"]), envelope["data"]
    data = data if isinstance(data, dict) else {}

    def text(field: str | None) -> str | None:
        value = None if field is None else data.get(field)
        return None if value is None else str(value)

    return (
        envelope.get("seq"),
        envelope.epoch,
        envelope["timestamp"],
        _whole(data.get(TIME_FIELDS.get(kind, ""))),
        envelope.mode,
        envelope.get("source", "local"),
        kind,
        text(ID_FIELDS.get(kind, "id")),
        text("currency_short_name" if kind == "balance" else "pair"),
        text("side"),
        text(STATUS_FIELDS.get(kind, "status")),
        _amount(data.get(PRICE_FIELDS.get(kind, ""))),
        _amount(data.get(QUANTITY_FIELDS.get(kind, ""))),
        _amount(data.get("filled_quantity")) if kind == "order" else None,
        gap_line(data) if _is_gap(envelope) else text(MESSAGE_FIELDS.get(kind)),
    )


def _whole(value: object) -> int | None:
    amount = _amount(value)
    # A number of another size is no time, and one with a great exponent would fill the memory.
    return int(amount) if amount is not None and -MOST_SEQ <= amount <= MOST_SEQ else None


def _amount(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _is_gap(envelope: Envelope) -> bool:
    return "seq" not in envelope and envelope["data"].get("message") == RESUME_GAP


def _gap(envelope: Envelope) -> dict[str, Any]:
    data = envelope["data"]
    return {**{name: data.get(name) for name in ("missed_from", "missed_to", "reason")}, "epoch": envelope.epoch}
