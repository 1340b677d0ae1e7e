"""Reading of events for analyses of money."""

from decimal import Decimal

from fakes.notes import made

from coindcx_feed.analysis.noted import noted


def test_numbers_and_numeric_texts_are_exact() -> None:
    """What the wire writes as a number or as text keeps every digit."""
    found = noted(made("balance", 3, 1_000, balance="40187.717046334274001", currency_short_name="USDT"))
    assert found is not None
    assert found.data.balance == Decimal("40187.717046334274001")
    assert (found.seq, found.currency, found.is_first) == (3, "USDT", True)


def test_time_is_the_exchanges_where_the_record_has_one() -> None:
    """A balance has none: it is as old as its arrival."""
    order, balance = made("order", 1, 1_000, id="a"), made("balance", 2, 1_000, balance="1")
    assert [event.at_ms for event in map(noted, (order, balance)) if event] == [1_000, 1_060]


def test_what_says_nothing_about_money_is_left_out() -> None:
    """Late records moved nothing; the connection's own events are no account's; odd types are not guessed at."""
    assert noted(made("order", 1, 1_000, is_late=True, id="a")) is None
    assert noted(made("system", 1, 1_000, message="joined")) is None
    assert noted(made("order", 1, 1_000, id=["no", "text"])) is None
