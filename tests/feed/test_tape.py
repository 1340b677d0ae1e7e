"""The newest trades of a pair."""

from decimal import Decimal

from coindcx_feed.exchange.records import TradeRecord
from coindcx_feed.feed.tape import KEPT, Tape


def _trade(number: int, m: int | None = 0) -> TradeRecord:
    return TradeRecord(T=number, p=Decimal("2941.5"), q=Decimal("0.2"), s="B-ETH_USDT", m=m, pr="f")


def test_newest_trades_come_first_and_equal_ones_are_told_apart() -> None:
    """The exchange gives no id."""
    tape = Tape()
    for at in (1, 2, 2):
        tape.add(_trade(at), 10)
    assert [(trade.number, trade.exchange_ms) for trade in tape.newest(2)] == [(3, 2), (2, 2)]


def test_side_is_who_took() -> None:
    """1: the buyer was the maker, so the seller took."""
    tape = Tape()
    for m in (1, 0, None):
        tape.add(_trade(1, m), 10)
    assert [trade.side for trade in reversed(tape.newest(9))] == ["sell", "buy", None]


def test_tape_is_bounded_and_leaves_absurd_sizes_out() -> None:
    """Written out in full, 1e-999999 would be a megabyte."""
    tape = Tape()
    tape.add(_trade(1).model_copy(update={"q": Decimal("1e-999999")}), 10)
    assert tape.newest(5) == []
    for number in range(KEPT + 5):
        tape.add(_trade(number), 10)
    assert len(tape.newest(10 * KEPT)) == KEPT
