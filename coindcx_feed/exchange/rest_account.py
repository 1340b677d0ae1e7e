"""What the account looks like over REST: orders, positions, wallets, fills and ledgers, each with its completeness.

The exchange's own traps are handled here: lists default to USDT margin, orders need a side, dates have no stated zone.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from coindcx_feed.errors import RequestRefused, RestError
from coindcx_feed.exchange.records import (
    ORDER_STATUSES,
    BalanceRecord,
    FillRecord,
    LedgerRecord,
    OrderRecord,
    PositionRecord,
    WalletTransactionRecord,
)
from coindcx_feed.exchange.rest import Reply, RestReader
from coindcx_feed.exchange.rest_pages import PAGE_SIZE, BackTo, Collector, Fetch, walk
from coindcx_feed.exchange.rest_records import CrossMarginRecord
from coindcx_feed.exchange.rest_routes import checked_pair
from coindcx_feed.exchange.rest_rows import Kind, R, Reading, Row, only_row

log = logging.getLogger(__name__)

CURRENCIES: Final = ("INR", "USDT")
"""Margin currencies. Lists leave out all but USDT unless asked for both, as an array: a text is answered 500."""

SIDES: Final = ("buy", "sell")

LISTED_STATUSES: Final = tuple(sorted(ORDER_STATUSES - {"initial"}))
"""What the list of orders can be asked for; an order that is still ``initial`` may be invisible for a moment."""

STAGES: Final = frozenset({"all", "default", "funding", "exit", "tpsl_exit", "liquidation"})

# Of the dates of the fills read: in whichever of the two zones they are, the day is covered.
_EXCHANGE_ZONE = timezone(timedelta(hours=5, minutes=30))

ORDERS: Final = Kind(
    "orders",
    OrderRecord,
    lambda record: record.id,
    (lambda record: record.updated_at, lambda record: record.created_at),
)
POSITIONS: Final = Kind("positions", PositionRecord, lambda record: record.id, (lambda record: record.updated_at,))
WALLETS: Final = Kind("wallets", BalanceRecord, lambda record: record.id)
FILLS: Final = Kind(
    "fills",
    FillRecord,
    lambda record: record.key,
    (lambda record: record.exchange_ms,),
    lambda record: record.has_own_id,
)
LEDGER: Final = Kind(
    "ledger",
    LedgerRecord,
    lambda record: record.key,
    (lambda record: record.created_at,),
    lambda record: record.has_own_id,
)
WALLET_LOG: Final = Kind(
    "wallet_log",
    WalletTransactionRecord,
    lambda record: record.key,
    (lambda record: record.created_at,),
    lambda record: record.has_own_id,
)


class AccountReads:
    """Signed reads. Each raises a ``RestError`` when nothing could be read, and tells by ``Reading.because`` when only
    a part could: a failed read is never an empty list.

    Args:
        reader: With credentials.

    Threads: the reader's loop.
    """

    def __init__(self, reader: RestReader) -> None:
        self._reader = reader

    async def orders(self, since_ms: int | None = None, live: Iterable[OrderRecord] = ()) -> Reading[OrderRecord]:
        """Read the orders of both sides and margin currencies, whatever their status.

        Args:
            since_ms: Orders that ended before this are not needed; ``None`` reads all that the exchange lists. Unix ms.
            live: All orders that could still change at ``since_ms``: the reading goes on until it has met those that
                were made before. A younger one comes before that time however the list is sorted, or is still
                ``initial`` and not listed at all.
        Raises:
            RestError: If not even the first page could be read.
        Source: exchange docs, "List Orders". It has no filter by pair or id, and its order is not documented.
        """
        live = list(live)
        collector = Collector(ORDERS)
        for side in SIDES:
            known = (record.id for record in live if record.side in (side, None) and not _is_younger(record, since_ms))
            body = {"status": ",".join(LISTED_STATUSES), "side": side}
            try:
                await walk(self._pages("orders", body), collector, BackTo(ORDERS, since_ms, known))
            except RestError as error:
                if collector.is_empty:
                    raise
                log.warning("read ended early side=%s reason=%r", side, str(error))
                collector.is_partial_because(f"the {side} side could not be read: {error}")
        return collector.reading(since_ms)

    async def positions(self, pairs: Iterable[str] = ()) -> Reading[PositionRecord]:
        """Read the positions of both margin currencies, flat ones too.

        A closed position may also be left out: in a complete reading, absence means flat.

        Args:
            pairs: Only these; none means all.
        Raises:
            RestError: If not even the first page could be read.
        Source: exchange docs, "List Positions".
        """
        names = ",".join(checked_pair("positions", pair) for pair in pairs)
        return await self._read_list(POSITIONS, {"pairs": names} if names else {})

    async def wallets(self) -> Reading[BalanceRecord]:
        """Read the futures wallets: one page, and without any time.

        Raises:
            RestError: If it could not be read.
        Source: exchange docs, "Wallet Details".
        """
        collector = Collector(WALLETS)
        collector.add(await self._reader.read("wallets"))
        return collector.reading()

    async def fills(self, pair: str, from_ms: int, to_ms: int | None = None) -> Reading[FillRecord]:
        """Read the fills of one pair.

        The exchange takes whole days and does not say of which zone: fills from up to two days around come along.

        Args:
            from_ms: Fills from then on are in a complete reading. Unix ms.
            to_ms: Until when; ``None`` is now. Unix ms.
        Raises:
            RequestRefused: If the pair is misspelt; nothing was sent.
            RestError: If not even the first page could be read.
        Source: exchange docs, "Get Trades"; ``fill_id`` from captured rows.
        """
        end = _moment(self._reader.now_ms if to_ms is None else to_ms).astimezone(_EXCHANGE_ZONE)
        body = {
            "pair": checked_pair("fills", pair),
            # The earliest day of the two zones, and the day after the latest: the bound may not include its day.
            "from_date": _moment(from_ms).date().isoformat(),
            "to_date": (end.date() + timedelta(days=1)).isoformat(),
        }
        return await self._read_list(FILLS, body, from_ms)

    async def ledger(self, since_ms: int | None = None, stage: str = "all") -> Reading[LedgerRecord]:
        """Read what positions realised: profit and loss, fees, funding, liquidation.

        The exchange keeps about three weeks.

        Args:
            since_ms: Rows before it are not needed. Unix ms.
            stage: One of ``STAGES``.
        Raises:
            RequestRefused: If there is no such stage; nothing was sent.
            RestError: If not even the first page could be read.
        Source: exchange docs, "Get Transactions".
        """
        if stage not in STAGES:
            raise RequestRefused(f"ledger: expected one of {', '.join(sorted(STAGES))}, was {stage!r:.40}")
        return await self._read_list(LEDGER, {"stage": stage}, since_ms)

    async def wallet_log(self, since_ms: int | None = None) -> Reading[WalletTransactionRecord]:
        """Read the movements of the futures wallets: transfers, orders, funding.

        Args:
            since_ms: Rows before it are not needed. Unix ms.
        Raises:
            RestError: If not even the first page could be read.
        Source: exchange docs, "Wallet Transactions"; a GET whose page is in the address and whose body is signed.
        """

        async def fetch(page: int) -> Reply:
            return await self._reader.read("wallet_log", query=_page(page))

        return await _walked(WALLET_LOG, fetch, since_ms)

    async def cross_margin(self) -> Row[CrossMarginRecord]:
        """Read the crossed book in total; USDT margin only.

        Raises:
            RestError: If it could not be read, or is not as documented.
        Source: exchange docs, "Get Cross Margin Details"; by GET, where the docs say POST.
        """
        return only_row("cross_margin", CrossMarginRecord, await self._reader.read("cross_margin"))

    async def _read_list(self, kind: Kind[R], body: dict[str, Any], since_ms: int | None = None) -> Reading[R]:
        return await _walked(kind, self._pages(kind.name, body), since_ms)

    def _pages(self, name: str, body: dict[str, Any]) -> Fetch:
        async def fetch(page: int) -> Reply:
            whole = {**body, **_page(page), "margin_currency_short_name": list(CURRENCIES)}
            return await self._reader.read(name, whole)

        return fetch


async def _walked(kind: Kind[R], fetch: Fetch, since_ms: int | None) -> Reading[R]:
    collector = Collector(kind)
    await walk(fetch, collector, BackTo(kind, since_ms))
    return collector.reading(since_ms)


def _is_younger(record: OrderRecord, since_ms: int | None) -> bool:
    return since_ms is not None and record.created_at is not None and record.created_at >= since_ms


def _page(number: int) -> dict[str, str]:
    return {"page": str(number), "size": str(PAGE_SIZE)}


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
