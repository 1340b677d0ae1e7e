"""Values that conditions compare: exact, and unknown where they are not known."""

from decimal import Decimal
from typing import Any

import pytest
from alerts.helpers import balance_row, condition, position_row, rule

from coindcx_feed.alerts.values import (
    OVER,
    balance_value,
    decimal,
    event_text,
    event_value,
    figure,
    percent_move,
    position_value,
    sentence,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("liquidation_distance", "4.8"),
        ("margin_ratio", "10"),
        ("unrealized_pnl", "-20"),
        ("pnl_percent", "-20"),
        ("pnl_move", "-20"),
        ("stop_missing", "1"),
        ("size", "0.2"),
        ("leverage", "5"),
        ("margin", "100"),
    ],
)
def test_position_fields(field: str, value: str) -> None:
    """Margin ratio: 8 of 100 − 20."""
    assert position_value(position_row(), field) == Decimal(value)


@pytest.mark.parametrize("field", ["liquidation_distance", "margin_ratio", "unrealized_pnl", "pnl_percent"])
def test_an_old_mark_makes_results_unknown(field: str) -> None:
    """An alarm about a price of long ago misleads."""
    assert position_value(position_row(mark_is_fresh=False), field) is None
    assert position_value(position_row(mark_is_fresh=False), "stop_missing") == 1


def test_margin_that_is_used_up_is_over_every_limit() -> None:
    """The quotient would turn its sign."""
    assert position_value(position_row(unrealized_pnl="-150"), "margin_ratio") == OVER


def test_crossed_positions_are_judged_by_what_they_share() -> None:
    """By the wallet, not by the margin of one; unknown while the wallet or a mark is."""
    shared = {"margin_type": "crossed", "crossed_margin": (Decimal(40), Decimal(50))}
    assert position_value(position_row(**shared), "margin_ratio") == 80
    assert position_value(position_row(**shared, unrealized_pnl="-150"), "margin_ratio") == 80
    used_up = {**shared, "crossed_margin": (Decimal(40), Decimal(-1))}
    assert position_value(position_row(**used_up), "margin_ratio") == OVER
    for unknown in ({}, {"crossed_margin": None}):
        assert position_value(position_row(margin_type="crossed", **unknown), "margin_ratio") is None
    assert position_value(position_row(stop="2800"), "stop_missing") == 0


def test_balance_fields() -> None:
    """A move is one of the total."""
    row = balance_row()
    names = ("total", "available", "locked", "locked_percent", "total_move", "total_move_percent")
    assert [balance_value(row, name) for name in names] == [100, 75, 25, 25, 100, 100]
    assert balance_value(balance_row(total="0"), "locked_percent") is None
    assert percent_move(Decimal(-5), Decimal(-50)) == -10
    assert percent_move(Decimal(5), Decimal(0)) is None


def test_event_values_are_numbers_or_texts_of_numbers() -> None:
    """Nothing else is guessed at."""
    body = b'{"data":{"price":2900.50,"quantity":"0.05","fee_amount":"lots","amount":null,"leverage":{"a":1}}}'
    names = ("price", "quantity", "fee_amount", "amount", "leverage", "filled_quantity")
    assert [event_value(body, name) for name in names] == [Decimal("2900.50"), Decimal("0.05"), None, None, None, None]
    assert event_value(b'{"data":{"total_quantity":7}}', "quantity") == 7


@pytest.mark.parametrize("text", ["NaN", "1e999999", "Infinity", "", "9" * 500, None])
def test_monstrous_figures_are_unknown(text: str | None) -> None:
    """They cost nothing and fire nothing."""
    assert decimal(text) is None


def test_sentence_says_what_was_found_and_asked() -> None:
    """With units, in one line."""
    near = rule(subject="position", condition=condition("liquidation_distance", "below", 5))
    text = sentence(near, "B-ETH_USDT long", Decimal("4.8123456"))
    assert text == "B-ETH_USDT long: distance to liquidation 4.8123 % (below 5 %)"
    bare = rule(subject="position", condition=condition("stop_missing", "is", 1))
    assert sentence(bare, "B-ETH_USDT long", Decimal(1)) == "B-ETH_USDT long: stop is missing"
    assert figure(Decimal("0.0000012")) == "0.0000012"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "B-ETH_USDT buy partially filled at 2,900.5: filled 0 → 0.02 ▲"),
        ({"what_changed": "", "message": "no!"}, "B-ETH_USDT buy partially filled at 2,900.5: no!"),
        ({"price": "84162.3"}, "B-ETH_USDT buy partially filled at 84,162.3: filled 0 → 0.02 ▲"),
        ({"price": "0", "what_changed": "", "message": None}, "B-ETH_USDT buy partially filled"),
        ({"type": "system", "pair": None, "side": None, "status": "live"}, "system live: filled 0 → 0.02 ▲"),
    ],
)  # fmt: skip
def test_event_is_told_from_its_row(changes: dict[str, Any], text: str) -> None:
    """What a table says of it, in one line."""
    row = {"type": "order", "pair": "B-ETH_USDT", "side": "buy", "status": "partially_filled", "price": "2900.5"}
    assert event_text({**row, "what_changed": "filled 0 → 0.02 ▲", "message": None, **changes}) == text
