"""What is at risk, as plain data: ratio, distances, funding and protection of each open position; exposure by pair."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final, Protocol

from coindcx_feed.analysis import risk
from coindcx_feed.analysis.lives import Life, Lives
from coindcx_feed.analysis.risk import Figure, Held
from coindcx_feed.exchange.numbers import WIDE, plain
from coindcx_feed.feed.marks import Day
from coindcx_feed.views.series import Floats

Rows = list[dict[str, Any]]

DAY_GOOD_NS: Final = 600 * 10**9
"""High and low of the day are told every 15 s or so; older ones say nothing of now."""
SIGMA_GOOD_MS: Final = 5_000
"""The volatility of an hour need not be worked out twice a second."""


class RiskMarks(Protocol):
    """Marks over time, and what else current prices told of a pair."""

    def series(self, pair: str, since_ms: float, now_ms: float) -> tuple[Floats, Floats]: ...

    def day(self, pair: str) -> Day: ...


class Volatility:
    """The volatility of each pair, worked out every few seconds. Threads: any."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Figure]] = {}

    def of(self, marks: RiskMarks, pair: str, now_ms: float) -> Figure:
        known = self._known.get(pair)
        if known is None or not 0 <= now_ms - known[0] < SIGMA_GOOD_MS:
            t_ms, mark = marks.series(pair, now_ms - risk.LOOK_BACK_S * 1000, now_ms)
            known = self._known[pair] = (now_ms, risk.volatility(t_ms, mark))
        return known[1]


def held(row: dict[str, Any]) -> Held:
    """Read a row of ``account.positions``; a mark that computes no PnL is none."""
    mark = row["mark_price"] if row["unrealized_pnl"] is not None else None
    return Held(
        _decimal(row["size"]) or Decimal(0),
        _decimal(row["avg_price"]),
        _decimal(row["margin"]),
        _decimal(row["maintenance_margin"]),
        _decimal(row["liquidation_price"]),
        _decimal(mark),
        row["margin_type"] == "crossed",
    )


def usdt_available(wallets: Rows) -> Decimal | None:
    """Return what crossed positions lean on, from rows of ``account.balances``."""
    return next((Decimal(wallet["available"]) for wallet in wallets if wallet["currency"] == "USDT"), None)


def with_shared_margin(rows: Rows, available: Decimal | None) -> Rows:
    """Give crossed rows of ``account.positions`` what all of them need and have together, as ``crossed_margin``.

    Args:
        available: Of the USDT wallet.
    """
    crossed = [row for row in rows if row["margin_type"] == "crossed" and row["side"] != "flat"]
    shared = risk.crossed_margin([held(row) for row in crossed], available) if available is not None else None
    for row in crossed:
        row["crossed_margin"] = shared
    return rows


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def risks(
    rows: Rows, lives: Lives, marks: RiskMarks, sigma: Volatility, available: Decimal | None, now_ms: float
) -> dict[str, dict[str, Any]]:
    """Return the risk of every open position by its id.

    Args:
        rows: As ``account.positions`` lists them.
        available: Of the USDT wallet, which crossed positions lean on.
    """
    opened = [(row, held(row)) for row in rows if row["side"] != "flat"]
    crossed = [position for _, position in opened if position.is_crossed]
    found = {}
    for row, position in opened:
        ratio = risk.crossed_ratio(crossed, available) if position.is_crossed else risk.margin_ratio(position)
        day = marks.day(row["pair"])
        is_good = now_ms * 1e6 - day.received_ns <= DAY_GOOD_NS
        high, low = (float(price) if price is not None and is_good else None for price in (day.high, day.low))
        time_s = risk.time_to_liquidation(position, sigma.of(marks, row["pair"], now_ms))
        found[row["id"]] = {
            "ratio": ratio._asdict(),
            "ranges": risk.day_ranges(position, high, low)._asdict(),
            "time_s": time_s._asdict(),
            **_protection(row, position),
            **_life(lives.of(row["id"]), row, now_ms),
            "next_funding": _next_funding(row, position, day, lives, now_ms),
        }
    return found


def _protection(row: dict[str, Any], position: Held) -> dict[str, Any]:
    return {f"{name}_distance": risk.distance(position, _decimal(row[name])) for name in ("stop", "target")}


def _life(life: Life | None, row: dict[str, Any], now_ms: float) -> dict[str, Any]:
    nothing = {"opened_ms": None, "is_whole": False, "bare_since_ms": None, "bare_ms": None, "funding": None}
    if life is None or life.opened_ms is None:
        return nothing
    told = sum(1 for funding in life.fundings if funding.is_told)
    return {
        "opened_ms": life.opened_ms,
        "is_whole": life.is_whole,
        "bare_since_ms": life.bare_since_ms,
        "bare_ms": life.bare_ms(now_ms),
        "funding": {
            "amount": plain(life.funding),
            "count": len(life.fundings),
            "told": told,
            "currency": row["margin_currency"],
            # The margin of a crossed position does not move with its fundings: only ledger rows tell of them.
            "is_certain": row["margin_type"] != "crossed" or told > 0,
        },
    }


def _next_funding(row: dict[str, Any], position: Held, day: Day, lives: Lives, now_ms: float) -> dict[str, Any]:
    at_ms = lives.next_funding_ms(row["pair"], now_ms)
    if day.funding_rate is None or position.mark is None:
        reason = "no fresh mark" if position.mark is None else "the rate is not known"
        return {"amount": None, "rate": None, "at_ms": at_ms, "reason": reason}
    with localcontext(WIDE):
        amount = -position.size * position.mark * day.funding_rate
    return {"amount": plain(amount), "rate": plain(day.funding_rate), "at_ms": at_ms, "reason": None}


def exposure(rows: Rows, rate: Decimal | None) -> Rows:
    """Return sizes at mark by pair, largest first, and in total as the last row, whose pair is empty.

    Args:
        rate: Rupees per USDT, for reading only; amounts in INR are ``None`` without it.
    Units: quote currency, and INR.
    """
    opened = [row for row in rows if row["side"] != "flat"]
    pairs = dict.fromkeys(row["pair"] for row in opened)
    found = [_exposed(pair, [row for row in opened if row["pair"] == pair], rate) for pair in pairs]
    found.sort(key=lambda row: -Decimal(row["total"]))
    if opened:
        found.append(_exposed("", opened, rate))
    whole = Decimal(found[-1]["total"]) if found else Decimal(0)
    return [row | {"share": float(Decimal(row["total"]) / whole) if whole else None} for row in found]


def _exposed(pair: str, rows: Sequence[dict[str, Any]], rate: Decimal | None) -> dict[str, Any]:
    sums = risk.exposure(held(row) for row in rows)
    amounts = {"long": sums.long, "short": sums.short, "total": sums.total, "net": sums.net}
    texts = {name: plain(amount) for name, amount in amounts.items()}
    with localcontext(WIDE):
        in_inr = {f"{name}_inr": None if rate is None else plain(amount * rate) for name, amount in amounts.items()}
    pnl = _added(row["unrealized_pnl"] for row in rows)
    quote = rows[0]["quote"] if pair else ", ".join(dict.fromkeys(row["quote"] for row in rows))
    known = len(rows) - sums.unknown
    ages = [row["mark_age_s"] for row in rows if row["unrealized_pnl"] is not None and row["mark_age_s"] is not None]
    return {
        "pair": pair,
        "quote": quote,
        "positions": len(rows),
        "known": known,
        "unrealized_pnl": pnl,
        "mark_age_s": max(ages, default=None),
        **texts,
        **in_inr,
    }


def _added(texts: Iterable[str | None]) -> str | None:
    known = [Decimal(text) for text in texts if text is not None]
    with localcontext(WIDE):
        return plain(sum(known, Decimal(0))) if known else None
