"""What the Market page sees and changes, in plain data. Any thread."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coindcx_feed.errors import FeedError
from coindcx_feed.views import market

if TYPE_CHECKING:
    from coindcx_feed.feed.runtime import FeedRuntime


class MarketService:
    """Reads of one runtime's market desk, and the choice of pairs."""

    def __init__(self, runtime: "FeedRuntime") -> None:
        self._runtime = runtime

    @property
    def _has_stream(self) -> bool:
        # A replay has no market feed, and a dashboard that does not own the account's feed has none either.
        return self._runtime.connection is not None

    def quotes(self) -> dict[str, Any]:
        """Return ``rows`` of the watched pairs, and ``available``: whether this process has a market feed at all."""
        runtime = self._runtime
        rows = market.quotes(runtime.desk, runtime.marks, runtime.now_ns()) if self._has_stream else []
        return {"available": self._has_stream, "rows": rows}

    def names(self) -> dict[str, Any]:
        """Return every pair that can be chosen, ``None`` while the list is not read, and why it could not be."""
        desk = self._runtime.desk
        return {"names": None if desk.names is None else list(desk.names), "error": desk.names_error}

    def book(self, pair: str) -> dict[str, Any] | None:
        """Return the order book of a watched pair. Reading it keeps it joined for some seconds."""
        runtime = self._runtime
        book = runtime.desk.look_at_book(pair) if self._has_stream else None
        if book is None:
            return None
        return market.book(book.view, runtime.desk.contracts.get(pair), runtime.now_ns())

    def candles(self, pair: str, resolution: str) -> dict[str, Any] | None:
        """Return the bars of a watched pair. Reading them keeps them joined for some seconds."""
        runtime = self._runtime
        bars = runtime.desk.look_at_candles(pair, resolution) if self._has_stream else None
        return None if bars is None else market.candles(bars, runtime.desk.contracts.get(pair), runtime.now_ns())

    def trades(self, pair: str, limit: int = 40) -> list[dict[str, Any]]:
        """Return the newest public trades of a watched pair, newest first."""
        return market.trades(self._runtime.desk, pair, limit)

    def watch(self, pair: str) -> dict[str, Any]:
        return self._changed(lambda: self._runtime.desk.watch(pair))

    def unwatch(self, pair: str) -> dict[str, Any]:
        return self._changed(lambda: self._runtime.desk.unwatch(pair))

    def _changed(self, change: Callable[[], None]) -> dict[str, Any]:
        try:
            change()
        except FeedError as error:
            return {"ok": False, "message": str(error)}
        return {"ok": True, "message": ""}
