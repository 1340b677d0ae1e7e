"""Matching of the account's orders against the simulated market. Pure functions: they decide, the account books."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from coindcx_feed.simulator.book import Book
from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.market import PublicTrade
from coindcx_feed.simulator.orders import Order

# No recording tells how much of a sweep an order catches; this makes large orders fill in several parts.
SWEEP: Final = 3


class Match(NamedTuple):
    """One execution decided on."""

    price: Decimal
    quantity: Decimal
    is_maker: bool
    at_ms: int


def sweep(order: Order, book: Book, at_ms: int) -> list[Match]:
    """Take what the book offers to a newly arrived order, level by level.

    Args:
        order: A market order takes any price, a limit order up to its own.
        book: The book when it arrives; its levels are not changed.
        at_ms: Time of the trades.
    Returns:
        Executions of at most the remaining quantity, best price first; empty if the order does not cross.
    """
    instrument, remaining = order.instrument, order.remaining
    matches: list[Match] = []
    for tick, lots in book.asks if order.sign > 0 else book.bids:
        price = instrument.price(tick)
        if remaining <= 0 or not _reaches(order, price):
            break
        quantity = min(remaining, instrument.quantity(lots))
        matches.append(Match(price, quantity, False, at_ms))
        remaining -= quantity
    return matches


def _reaches(order: Order, price: Decimal) -> bool:
    if order.is_market:
        return True
    return price <= order.price if order.sign > 0 else price >= order.price


def queue_ahead(order: Order, book: Book) -> Decimal:
    """Return the quantity that was at the order's price before it came."""
    side = book.bids if order.sign > 0 else book.asks
    instrument = order.instrument
    for tick, lots in side:
        if instrument.price(tick) == order.price:
            return instrument.quantity(lots)
    return Decimal(0)


def take_trades(order: Order, trades: Iterable[PublicTrade]) -> list[Match]:
    """Let public trades fill a resting order.

    A trade at its price first uses up the queue ahead of it (``order.queue_ahead`` is changed). A trade beyond its
    price has swept it on its way and fills up to ``SWEEP`` times its own quantity: a large order holds the price for a
    while. The fill's price is always the order's.

    Returns:
        Executions of at most the remaining quantity, in time order.
    """
    instrument, remaining = order.instrument, order.remaining
    matches: list[Match] = []
    for trade in trades:
        if remaining <= 0:
            break
        quantity = min(remaining, _share(order, instrument, trade))
        if quantity > 0:
            matches.append(Match(order.price, quantity, True, trade.at_ms))
            remaining -= quantity
    return matches


def _share(order: Order, instrument: Instrument, trade: PublicTrade) -> Decimal:
    if trade.buyer_is_maker != (order.sign > 0):
        return Decimal(0)
    price = instrument.price(trade.tick)
    if price == order.price:
        quantity = instrument.quantity(trade.lots)
        used = min(order.queue_ahead, quantity)
        order.queue_ahead -= used
        return quantity - used
    is_through = price < order.price if order.sign > 0 else price > order.price
    return instrument.quantity(trade.lots) * SWEEP if is_through else Decimal(0)
