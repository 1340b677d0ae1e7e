"""Risk and exposure as plain data."""

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from fakes.notes import PAIR, ledger, position
from fakes.plain import is_plain
from fakes.traded import traded
from ui.fake_service import FakeService

from coindcx_feed.analysis.lives import Lives
from coindcx_feed.feed.marks import Day
from coindcx_feed.views import account, risks
from coindcx_feed.views.books import Followed
from coindcx_feed.views.series import Floats

NOW_MS = 10_000_000.0


class Marks:
    """Marks of one pair that move 0.1 % each minute."""

    asked = 0

    def series(self, pair: str, since_ms: float, now_ms: float) -> tuple[Floats, Floats]:
        self.asked += 1
        t_ms = np.arange(since_ms, now_ms, 1_000.0)
        return t_ms, 2_900.0 * (1 + 0.001 * (t_ms // 60_000 % 2))

    def day(self, pair: str) -> Day:
        return Day(D(2_990), D(2_890), D("0.0001"), int((NOW_MS - 20_000) * 1e6)) if pair == PAIR else Day()


def rows(**changes: Any) -> list[dict[str, Any]]:
    return [FakeService().positions()[0] | changes]


def found(lives: Lives | None = None, marks: Marks | None = None, **changes: Any) -> dict[str, Any]:
    known = lives or Lives()
    return risks.risks(rows(**changes), known, marks or Marks(), risks.Volatility(), D(900), NOW_MS)["p-eth"]


def test_risk_of_one_position_is_plain() -> None:
    """Every figure with its reason or basis; money as text."""
    risk = found()
    assert is_plain(risk)
    assert risk["ratio"]["value"] == pytest.approx(7.35 / (144.92 + 10.775))
    assert risk["ranges"]["value"] == pytest.approx((2941.5 - 2384.12) / 100)
    assert risk["time_s"]["value"] > 0
    assert risk["stop_distance"] == pytest.approx((2941.5 - 2790) / 2941.5)
    assert risk["target_distance"] is None
    assert risk["next_funding"] == {"amount": "-0.0735375", "rate": "0.0001", "at_ms": None, "reason": None}


def test_without_a_mark_nothing_is_computed() -> None:
    """Each figure says that it is the mark that is missing."""
    risk = found(unrealized_pnl=None)
    assert [risk[name]["reason"] for name in ("ratio", "ranges", "time_s")] == ["no fresh mark"] * 3
    assert risk["next_funding"]["reason"] == "no fresh mark"
    assert risk["stop_distance"] is None


def test_crossed_position_leans_on_the_wallet() -> None:
    """One ratio for all; no liquidation price, so no distance."""
    risk = found(margin_type="crossed", liquidation_price=None)
    assert risk["ratio"]["value"] == pytest.approx(7.35 / 910.775)
    assert risk["ranges"]["value"] is None


def test_life_tells_funding_and_protection() -> None:
    """Since the opening, in the margin currency."""
    lives = Lives()
    for event in (position(1, 0, "0", id="p-eth"), position(2, 9_000_000, "1", id="p-eth")):
        lives.take(event)
    lives.take(ledger(3, 9_600_000, "funding", "-0.25", position_id="p-eth"))
    risk = found(lives)
    assert risk["opened_ms"] == risk["bare_since_ms"] == 9_000_000
    assert risk["bare_ms"] == 1_000_000
    assert risk["funding"] == {"amount": "-0.25", "count": 1, "told": 1, "currency": "USDT", "is_certain": True}
    assert found()["funding"] is None


def test_old_range_of_the_day_is_none() -> None:
    """High and low of an hour ago say nothing of now."""

    class Old(Marks):
        def day(self, pair: str) -> Day:
            return Day(D(2_990), D(2_890), None, int((NOW_MS - 3_600_000) * 1e6))

    risk = found(marks=Old())
    assert risk["ranges"]["reason"] == "the day's range is not known"
    assert risk["next_funding"]["reason"] == "the rate is not known"


def test_volatility_is_not_worked_out_at_every_refresh() -> None:
    """Once per pair and 5 s; again when time steps back, as in a replay."""
    marks, sigma = Marks(), risks.Volatility()
    for now_ms in (NOW_MS, NOW_MS + 500, NOW_MS + 4_999, NOW_MS + 5_000, NOW_MS - 60_000):
        sigma.of(marks, PAIR, now_ms)
    assert marks.asked == 3


def test_exposure_by_pair_and_in_total() -> None:
    """Largest first, the total last; flat positions expose nothing; rupees only with a rate."""
    shown = risks.exposure(FakeService().positions(), D(89))
    assert [row["pair"] for row in shown] == ["B-SOL_USDT", "B-BTC_USDT", "B-ETH_USDT", ""]
    total = shown[-1]
    assert (total["long"], total["short"], total["total"]) == ("2385.159", "1002.1776", "3387.3366")
    assert (total["net"], total["total_inr"], total["share"]) == ("1382.9814", "301472.9574", 1.0)
    assert is_plain(shown)
    assert risks.exposure(FakeService().positions(), None)[-1]["total_inr"] is None
    assert risks.exposure([], D(89)) == []


def test_exposure_without_marks_is_unknown() -> None:
    """Counted, not valued at 0."""
    (row, total) = risks.exposure(rows(unrealized_pnl=None), None)
    assert (row["positions"], row["known"], row["unrealized_pnl"], row["mark_age_s"]) == (1, 0, None, None)
    assert (total["total"], total["share"]) == ("0", None)


def test_ratio_of_the_simulated_account_is_the_exchanges_own() -> None:
    """Isolated: the formula at the exchange's margins and mark."""
    exchange, pipeline = traded(7, 2)
    now_ns = int((exchange.now_ms - 5_000) * 1e6)
    shown = account.positions(pipeline.state, pipeline.marks, now_ns)
    lives = Followed(pipeline.ring).lives()
    assert lives is not None
    all_risks = risks.risks(shown, lives, pipeline.marks, risks.Volatility(), None, now_ns / 1e6)
    isolated = [row for row in shown if row["side"] != "flat" and row["margin_type"] == "isolated"]
    assert isolated
    for row in isolated:
        equity = D(row["margin"]) + D(row["unrealized_pnl"])
        assert all_risks[row["id"]]["ratio"]["value"] == pytest.approx(float(D(row["maintenance_margin"]) / equity))
