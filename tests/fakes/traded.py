"""The simulated account after some minutes of its trader: every event it made, fills and ledger rows as by REST."""

import asyncio
from decimal import Decimal
from typing import Any

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import FillRecord, LedgerRecord
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.normalize import AccountItem, Frame, read_item
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.channels import Publisher
from coindcx_feed.simulator.demo import DemoTrader
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.jstext import rest_text
from coindcx_feed.simulator.private_reads import fill_row, ledger_row
from fakes.pipelines import SafeStore

START_MS = 1_790_140_020_000
FUNDING_MS = 60_000


def traded(seed: int, minutes: float, *, with_rows: bool = True, capacity: int = 200_000) -> tuple[Exchange, Pipeline]:
    """Let the demo's trader trade.

    Args:
        with_rows: Read fills and ledger rows, all of them at the end.
        capacity: Of the ring.
    Returns:
        The exchange with its books, and a pipeline that took everything the account sent, with marks of every second.
    """
    exchange = Exchange(seed, START_MS, Behaviour(funding_interval_ms=FUNDING_MS))
    DemoTrader(exchange, seed).start()
    end_ms = START_MS + int(minutes * 60_000)
    sent = exchange.advance(end_ms)
    # Nothing is under way at the end: what was booked was told.
    sent += exchange.advance(end_ms + 5_000)
    sent += Publisher(exchange).price_history(START_MS, end_ms)
    sent.sort(key=lambda frame: frame.at_ms)
    frames = [Frame(0, f.event, {"event": f.event, "data": f.data}, f.at_ms * 1_000_000) for f in sent]
    ring, marks = Ring(capacity, "epoch-1"), Marks(exchange.pairs)
    pipeline = Pipeline(ring, MarketFeed(), marks, AccountState(), SafeStore())
    asyncio.run(_take(pipeline, frames, rows_of(exchange) if with_rows else []))
    return exchange, pipeline


def rows_of(exchange: Exchange) -> list[AccountItem]:
    """Return the fills and ledger rows of an account as the reads bring them, oldest first."""
    items = [_item(EventType.FILL, FillRecord, fill_row(fill)) for fill in exchange.account.fills]
    items += [_item(EventType.LEDGER, LedgerRecord, ledger_row(row)) for row in exchange.account.rows]
    return sorted(items, key=lambda item: item.facts.exchange_ms or 0)


def _item(kind: EventType, model: type[Any], row: dict[str, Any]) -> AccountItem:
    raw = rest_text(row).encode()
    record = model.model_validate({name: value for name, value in row.items() if name in model.model_fields})
    return read_item(kind, record, raw, record.key)


async def _take(pipeline: Pipeline, frames: list[Frame], items: list[AccountItem]) -> None:
    await pipeline.replay(frames, "the past of this account ends here")
    if items:
        reading = asyncio.create_task(pipeline.settle(items))
        while not reading.done():
            await pipeline.drain()
            await asyncio.sleep(0)


def wallet(exchange: Exchange, currency: Any) -> Decimal:
    """Return free and locked money together, as the exchange's own books have it."""
    held = exchange.account.wallet(currency)
    return held.available + held.locked
