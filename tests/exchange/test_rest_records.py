"""Records that only REST brings, against every recorded reply."""

from decimal import Decimal
from typing import Any

import pytest
from fakes.frames import FIXTURES

from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.records import (
    BalanceRecord,
    FillRecord,
    LedgerRecord,
    OrderRecord,
    PositionRecord,
    Record,
    WalletTransactionRecord,
)
from coindcx_feed.exchange.rest_records import (
    ConversionRecord,
    CrossMarginRecord,
    InstrumentRecord,
    PricesRecord,
    RestBookRecord,
    RestCandleRecord,
)

MODELS: dict[str, type[Record]] = {
    "orders_list.*": OrderRecord,
    "positions_list.*": PositionRecord,
    "positions_by_pair.*": PositionRecord,
    "wallets.*": BalanceRecord,
    "trades.*": FillRecord,
    "positions_transactions.*": LedgerRecord,
    "wallets_transactions.*": WalletTransactionRecord,
    "cross_margin_details.*": CrossMarginRecord,
    "conversions.*": ConversionRecord,
    "current_prices.docs*": PricesRecord,
    "public_orderbook.*": RestBookRecord,
    "public_candlesticks.*": RestCandleRecord,
    "instrument.*": InstrumentRecord,
}
UNMODELLED = {
    "client_order_id", "cumulative_funding_fee", "time_in_force_options", "order_types", "settlement", "is_inverse",
    "is_quanto", "allow_post_only", "allow_hidden", "quanto_to_settle_multiplier", "multiplier_up", "multiplier_down",
}  # fmt: skip
FILL: dict[str, Any] = {
    "order_id": "o-1", "pair": "B-ETH_USDT", "price": Decimal("2900.50"), "quantity": Decimal("0.05"),
    "timestamp": 1_790_140_000_123, "side": "buy", "is_maker": False, "fee_amount": Decimal("0.0855"),
}  # fmt: skip


def _rows(pattern: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted((FIXTURES / "rest").glob(f"{pattern}json")):
        reply = parse_exact(path.read_bytes())
        if isinstance(reply, dict) and "instrument" in reply:
            reply = reply["instrument"]
        elif isinstance(reply, dict) and "s" in reply:
            reply = reply["data"]
        found.extend(reply if isinstance(reply, list) else [reply])
    return found


@pytest.mark.parametrize("pattern", MODELS)
def test_every_recorded_row_is_accepted_field_by_field(pattern: str) -> None:
    """Captured and documented replies pass, and nothing but flags of no use here is left unmodelled."""
    rows = _rows(pattern)
    assert rows
    for row in rows:
        record = MODELS[pattern].model_validate(row)
        assert set(record.model_extra or {}) <= UNMODELLED
        for name, value in row.items():
            if isinstance(value, Decimal) and name in type(record).model_fields:
                assert str(getattr(record, name)) in (str(value), str(int(value)))


def test_fill_is_named_by_its_fill_id() -> None:
    """Undocumented, and seen by two sources in 2026."""
    (row,) = _rows("trades.captured.")
    record = FillRecord.model_validate(row)
    assert record.has_own_id
    assert record.key == row["fill_id"]
    assert record.exchange_ms == row["timestamp"]


def test_old_fill_without_id_is_named_by_its_content() -> None:
    """Its time has a fraction of a millisecond, which is cut for sorting and kept for telling apart."""
    (row,) = _rows("trades.docs.")
    record = FillRecord.model_validate(row)
    assert not record.has_own_id
    assert record.exchange_ms == 1_705_645_534_425
    assert str(record.timestamp) == "1705645534425.8374"
    other = FillRecord.model_validate(row | {"timestamp": Decimal("1705645534425.8375")})
    assert other.key != record.key


@pytest.mark.parametrize(
    ("field", "value", "is_same"),
    [
        ("price", Decimal("2900.5"), True),
        ("price", "2900.50000", True),
        ("margin_currency_short_name", "USDT", True),
        ("price", Decimal("2900.51"), False),
        ("quantity", Decimal("0.06"), False),
        ("side", "sell", False),
        ("is_maker", True, False),
        ("order_id", "o-2", False),
        ("timestamp", 1_790_140_000_124, False),
        ("fee_amount", None, False),
    ],
)
def test_made_key_depends_on_what_happened_not_on_how_it_is_written(field: str, value: object, is_same: bool) -> None:
    """The next version of the exchange's API may write ``2900.5`` where this one writes ``2900.50``."""
    key = FillRecord.model_validate(FILL).key
    assert (FillRecord.model_validate(FILL | {field: value}).key == key) is is_same


def test_ledger_rows_of_one_fill_are_told_apart() -> None:
    """An id that is shared by the exit's profit and another row must not merge the two."""
    (row,) = _rows("positions_transactions.captured.")
    records = [LedgerRecord.model_validate(row | {"stage": stage}) for stage in ("tpsl_exit", "default")]
    assert records[0].key != records[1].key
    assert all(record.has_own_id for record in records)


def test_two_currencies_with_one_movement_are_told_apart() -> None:
    """The wallet log has no ids at all."""
    (row,) = _rows("wallets_transactions.docs.")
    usdt, inr = (
        WalletTransactionRecord.model_validate(row | {"currency_short_name": name}) for name in ("USDT", "INR")
    )
    assert usdt.key != inr.key
    assert not usdt.has_own_id
