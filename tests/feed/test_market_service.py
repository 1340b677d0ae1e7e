"""The market as the service offers it: plain data, and refusals as one line."""

from pathlib import Path

from fakes.plain import is_plain
from fakes.runtimes import settings_for

from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService


def _service(folder: Path) -> FeedService:
    return FeedService(FeedRuntime(settings_for("http://127.0.0.1:1", folder), "dashboard"))


def test_process_without_a_connection_says_that_it_has_no_market(tmp_path: Path) -> None:
    """A replay, and a dashboard that does not own the feed: no rows, no books, nothing joined."""
    service = _service(tmp_path)
    assert service.market.quotes() == {"available": False, "rows": []}
    assert service.market.book("B-ETH_USDT") is None
    assert service.market.candles("B-ETH_USDT", "1m") is None
    assert service.market.trades("B-ETH_USDT") == []
    assert service.market.names() == {"names": None, "error": None}
    assert (service.runtime.desk.books, service.runtime.desk.candles) == ({}, {})


def test_choice_is_answered_in_plain_data(tmp_path: Path) -> None:
    """Also a refusal: one line for the page."""
    service = _service(tmp_path)
    refused = service.watch_pair("B-SOL_USDT" * 3)
    assert refused["ok"] is False
    assert "\n" not in refused["message"]
    assert is_plain(refused)
    service.runtime.desk.take_names(["B-XRP_USDT"])
    assert service.watch_pair("B-XRP_USDT") == {"ok": True, "message": ""}
    assert service.status()["pairs"][-1] == "B-XRP_USDT"
    assert service.unwatch_pair("B-XRP_USDT") == {"ok": True, "message": ""}
    assert service.market.names()["names"] == ["B-XRP_USDT"]
