"""Money of a range: exact sums per currency, and what a closed trade made."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from fakes.past import PAIR, at_ms, past_log

from coindcx_feed.store.log import EventStore
from coindcx_feed.views import past_money
from coindcx_feed.views.past_groups import Span

SPAN = Span(at_ms("2026-11-21T10:00") * 10**6, at_ms("2026-11-22T10:03") * 10**6)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    with past_log(tmp_path) as opened:
        yield opened


def test_money_is_exact_and_never_added_across_currencies(log: EventStore) -> None:
    """Texts, not floats; rupees stay apart."""
    rows = past_money.money_by(past_money.money(log, SPAN, UTC), "pair")
    found = {(row["pair"], row["currency"]): row for row in rows}
    ethereum = found[PAIR, "USDT"]
    assert (ethereum["volume"], ethereum["fees"], ethereum["fills"]) == ("200.0", "0.25", 1)
    assert (ethereum["pnl"], ethereum["funding"]) == ("12.5", "-2.25")
    assert (found[PAIR, "INR"]["pnl"], found[PAIR, "INR"]["volume"]) == ("100.5", None)
    assert found["B-BTC_USDT", "USDT"]["volume"] == "101.0"


def test_closed_trades_of_each_currency(log: EventStore) -> None:
    """Funding closes nothing; a currency without a closed trade has no rate."""
    rows = {row["currency"]: row for row in past_money.money_by(past_money.money(log, SPAN, UTC), "all")}
    dollars, rupees = rows["USDT"], rows["INR"]
    assert (dollars["closed"], dollars["won"], dollars["win_rate"], dollars["mean_pnl"]) == (1, 1, 1.0, "12.5")
    assert (rupees["closed"], rupees["mean_pnl"]) == (1, "100.5")
    only = past_money.money_by(past_money.money(log, SPAN, UTC, ["B-BTC_USDT"]), "all")
    assert [(row["closed"], row["win_rate"], row["mean_pnl"]) for row in only] == [(0, None, None)]
