"""Wallet rows that trail the socket are told from those that bring what was missed."""

import pytest
from fakes.frames import balance

from coindcx_feed.exchange.records import BalanceRecord
from coindcx_feed.feed.trailing import MAX_WALLETS, TRAILS_S, Wallets

NOW_NS = 1_790_000_000_000_000_000
SECOND = 1_000_000_000


def _record(free: str) -> BalanceRecord:
    return BalanceRecord.model_validate(balance(free=free))


def _said(*values: tuple[float, str]) -> Wallets:
    wallets = Wallets()
    for ago_s, free in values:
        wallets.add(_record(free), int(NOW_NS - ago_s * SECOND))
    return wallets


@pytest.mark.parametrize(
    ("said", "away_ago_s", "row", "is_trailing"),
    [
        ([], None, "1", False),
        ([(1, "2")], None, "1", True),
        ([(TRAILS_S + 1, "2")], None, "1", False),
        ([(5, "1"), (3, "2")], 3, "1", True),
        ([(5, "1"), (3, "2")], 3, "7", False),
        ([(5, "1"), (1, "2")], 3, "7", True),
    ],
    ids=["unknown", "just said", "said long ago", "former value after a gap", "new value after a gap", "after the gap"],
)
def test_F28_wallet_row_is_judged_by_what_the_stream_said_lately(
    said: list[tuple[float, str]], away_ago_s: float | None, row: str, is_trailing: bool
) -> None:
    """The stream is believed while it goes on; after a gap only a value that it said before is taken as old."""
    away_ns = 0 if away_ago_s is None else int(NOW_NS - away_ago_s * SECOND)
    assert _said(*said).is_trailing(_record(row), NOW_NS, away_ns) is is_trailing


def test_F28_wallets_are_judged_apart() -> None:
    """What was said of one says nothing of another."""
    other = BalanceRecord.model_validate(balance("w-2", "1"))
    assert not _said((1, "2")).is_trailing(other, NOW_NS, 0)


def test_C8_longest_silent_wallet_is_forgotten() -> None:
    """A feed that invents ids fills a bounded table."""
    wallets = _said((1, "2"))
    for number in range(MAX_WALLETS):
        wallets.add(BalanceRecord.model_validate(balance(f"made-{number}")), NOW_NS)
    assert len(wallets._said) == MAX_WALLETS
    assert not wallets.is_trailing(_record("1"), NOW_NS, 0)
