"""The past as the fake service tells it: rows of the ring's form, and figures of a week."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from coindcx_feed.errors import FeedError

DAYS = ("2026-11-22", "2026-11-21")


class FakePast:
    """Answers like ``PastService``.

    Args:
        service: The fake service whose rows are stored, too.
        failure: Raised by everything, if any.
        is_kept: Whether there is a log at all.
    """

    def __init__(self, service: Any, failure: FeedError | None = None, *, is_kept: bool = True) -> None:
        self.service, self.failure, self.is_kept = service, failure, is_kept
        self.lacking_until_ms: float | None = None
        self.activity: dict[str, Any] | None = self._activity("day")
        self.asked: list[dict[str, Any]] = []

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure

    def span(self) -> dict[str, Any]:
        count = self.service.count if self.is_kept else 0
        ends = (self.service.now_ms - 7 * 86_400_000, self.service.now_ms) if count else (None, None)
        times = {"first_ms": ends[0], "newest_ms": ends[1], "lacking_until_ms": self.lacking_until_ms}
        return {"is_kept": self.is_kept, "newest_seq": count, **times}

    def seen(self) -> dict[str, list[str]]:
        return {"pairs": ["B-OLD_USDT"], "statuses": []}

    def count(self, criteria: dict[str, Any], *_range: float | None, upto: int | None = None) -> dict[str, int]:
        self._answer()
        self.asked.append({"criteria": criteria, "range": _range})
        return {"matching": self.service.select(criteria, limit=10_000)["matching"], "newest": self.service.count}

    def select(
        self, criteria: dict[str, Any], *_range: float | None, limit: int = 500, before: int | None = None
    ) -> dict[str, Any]:
        self._answer()
        upto = None if before is None else before - 1
        found = self.service.select(criteria, limit=limit + 1, upto=upto)["rows"]
        return {"rows": found[:limit], "has_more": len(found) > limit}

    def event(self, seq: int) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.service.event(seq)
        return found

    def gaps(self, *_range: float | None) -> list[dict[str, Any]]:
        gaps: list[dict[str, Any]] = self.service.gaps()
        return gaps

    def figures(
        self, name: str, *_range: float | None, zone: str = "UTC", by: str = "day", pairs: Sequence[str] = ()
    ) -> Any:
        self._answer()
        self.asked.append({"figures": name, "range": _range, "pairs": tuple(pairs)})
        if name == "activity":
            return self.activity
        made: Any = getattr(self, f"_{name}")(by)
        return made

    def _activity(self, _by: str) -> dict[str, Any]:
        t_ms = np.arange(100) * 600_000.0 + self.service.now_ms - 60_000_000
        types = {kind: np.full(100, 1.5) for kind in ("order", "position", "balance", "fill", "system")}
        busiest = [{"pair": self.service.text, "events": 120, "order": 80, "fill": 4}, {"pair": "USDT", "events": 9}]
        return {"bucket_s": 600, "t_ms": t_ms, "types": types, "events": self.service.count, "busiest": busiest}

    def _orders(self, by: str) -> list[dict[str, Any]]:
        counts = {"ended": 8, "filled": 5, "cancelled": 2, "rejected": 1, "fill_ms": 75_000, "fills_timed": 5}
        rates = {"fill_rate": 0.625, "cancelled_share": 0.25, "rejected_share": 0.125}
        times = {"mean_fill_ms": 15_000.0, "median_fill_ms": 4_200.0}
        return [{**key, **counts, **rates, **times} for key in _keys(by, self.service.text)]

    def _money(self, by: str) -> list[dict[str, Any]]:
        texts = {"volume": "18427.5", "fees": "9.0625", "pnl": "-12.5", "funding": None, "unrealized": "4.25"}
        closed = {
            "won": 1,
            "lost": 3,
            "closed": 4,
            "win_rate": 0.25,
            "wins": "2.5",
            "losses": "-15",
            "mean_pnl": "-3.125",
        }
        rows = [{**key, "currency": "USDT", "fills": 12, **texts, **closed} for key in _keys(by, self.service.text)]
        rupees = {"currency": "INR", "pnl": "1305.1716", "volume": None, "fees": None, "fills": 0, "won": 2, "lost": 0}
        rupees |= {"closed": 2, "win_rate": 1.0, "wins": "1305.1716", "losses": None, "mean_pnl": "652.5858"}
        return [*rows, {**rows[0], **rupees}]

    def _balances(self, _by: str) -> dict[str, Any]:
        t_ms = self._activity("day")["t_ms"]
        line = {
            "t_ms": t_ms,
            "total": np.full(100, 110.0),
            "available": np.full(100, 100.0),
            "locked": np.full(100, 10.0),
        }
        last = {"total": "110.0", "available": "100.0", "locked": "10.0"}
        return {"bucket_s": 600, "series": {"USDT": line}, "last": {"USDT": last}}


def _keys(by: str, pair: str) -> list[dict[str, str | None]]:
    if by == "all":
        return [{"day": None, "pair": None}]
    if by == "pair":
        return [{"day": None, "pair": pair}]
    return [{"day": day, "pair": None if by == "day" else pair} for day in DAYS]
