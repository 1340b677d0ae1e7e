"""Alerts of a whole feed: an order that fills reaches list, Telegram and rehearsal; a replay is silent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.frames import ORDER, POSITION, order, position
from fakes.plain import is_plain
from fakes.rest import wallets_route
from fakes.runtimes import FAST, free_port, settings_for
from fakes.telegram_api import CHAT, TOKEN, TelegramApi, telegram_api
from fakes.waiting import eventually
from pydantic import SecretStr

from coindcx_feed.alerts.book import FILE_NAME
from coindcx_feed.analysis.moments import Window
from coindcx_feed.errors import BadRequest
from coindcx_feed.feed.process import secrets_of
from coindcx_feed.feed.replay_runtime import open_replay
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.service import FeedService
from coindcx_feed.logs import log_path, start_logging, stop_logging
from coindcx_feed.settings import Settings
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

HOOK = "c4n4ry-hook"


@pytest.fixture
async def api() -> AsyncIterator[TelegramApi]:
    async with telegram_api() as running:
        yield running


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(port=0, behaviour=instant(), routes=[wallets_route(DEMO_KEY, DEMO_SECRET)]) as server:
        yield server


def settings_with(exchange: ExchangeServer, api: TelegramApi, folder: Path) -> Settings:
    return settings_for(
        exchange.url,
        folder,
        alert_telegram=SecretStr(f"me={TOKEN}/{CHAT}"),
        alert_telegram_url=api.url,
        alert_webhooks=SecretStr(f"gone=http://127.0.0.1:{free_port()}/{HOOK}"),
    )


async def test_fill_reaches_list_telegram_and_rehearsal(
    exchange: ExchangeServer, api: TelegramApi, tmp_path: Path
) -> None:
    """One order fills: one notice, one message, and the log would have told the same. No secret is seen anywhere."""
    settings = settings_with(exchange, api, tmp_path)
    start_logging(tmp_path, secrets_of(settings))
    runtime = FeedRuntime(settings, "serve", timings=FAST)
    service = FeedService(runtime)
    await asyncio.to_thread(runtime.start)
    try:
        await eventually(lambda: service.alerts.state()["is_running"] and service.status()["connected"])
        fill = next(rule for rule in service.alerts.state()["rules"] if rule["id"] == "fill")
        known = {name: fill[name] for name in fill if name not in ("what", "is_built_in") and name not in COUNTED}
        await asyncio.to_thread(service.alerts.save, {**known, "channels": ["toast", "telegram:me", "webhook:gone"]})
        await exchange.emit(ORDER, [order("o-1")])
        await exchange.emit(POSITION, [position()])
        await exchange.emit(ORDER, [order("o-1", status="filled", remaining_quantity=0, updated_at=1_790_000_000_001)])
        await eventually(lambda: api.sent and service.alerts.brief()["newest"] == 1)
        await eventually(lambda: any(not channel["is_good"] for channel in service.alerts.state()["channels"]))
        found = await asyncio.to_thread(service.alerts.rehearse, known, 1)
        shown = repr((service.alerts.state(), service.alerts.newest(), service.status(), vars(runtime)))
        brief = service.alerts.brief()
    finally:
        await asyncio.to_thread(runtime.stop)
        stop_logging()
    assert api.sent[0]["text"].startswith("[CUSTOM] Order filled: B-ETH_USDT buy filled at 2,900.5: ")
    assert (brief["recent"][0]["rule_id"], brief["unread"]) == ("fill", 1)
    assert (found["fired"], found["looked_at"]) == (1, 1)
    assert is_plain(brief)
    outputs = shown + log_path(tmp_path).read_text("utf-8") + (tmp_path / FILE_NAME).read_text("utf-8")
    assert TOKEN not in outputs
    assert HOOK not in outputs


COUNTED = ("fired", "held_back", "failures", "failure")


async def test_replay_raises_and_sends_nothing(exchange: ExchangeServer, api: TelegramApi, tmp_path: Path) -> None:
    """The same fill played again is no news, and rules cannot be changed from there."""
    settings = settings_with(exchange, api, tmp_path)
    runtime = FeedRuntime(settings, "serve", timings=FAST)
    await asyncio.to_thread(runtime.start)
    await eventually(lambda: runtime.change.state.is_connected)
    await exchange.emit(ORDER, [order("o-1", status="rejected")])
    await eventually(lambda: runtime.alerts.notices.number == 1)
    await asyncio.to_thread(runtime.stop)
    sent = len(api.sent)
    replay = open_replay(settings, "serve", Window(None, None), float("inf"))
    service = FeedService(replay)
    await asyncio.to_thread(replay.start)
    try:
        await eventually(lambda: service.select({"types": ["order"]})["matching"] == 1)
        state = service.alerts.state()
        with pytest.raises(BadRequest, match="a replay raises no alerts"):
            service.alerts.switch("fill", False)
    finally:
        await asyncio.to_thread(replay.stop)
    assert (service.alerts.brief()["newest"], len(api.sent)) == (0, sent)
    assert (state["is_running"], state["channels"]) == (False, [])


async def test_second_process_raises_nothing(exchange: ExchangeServer, api: TelegramApi, tmp_path: Path) -> None:
    """Alerts belong to the owner of the feed."""
    settings = settings_with(exchange, api, tmp_path)
    first, second = FeedRuntime(settings, "serve", timings=FAST), FeedRuntime(settings, "dashboard", timings=FAST)
    await asyncio.to_thread(first.start)
    await asyncio.to_thread(second.start)
    try:
        state = FeedService(second).alerts.state()
    finally:
        await asyncio.to_thread(second.stop)
        await asyncio.to_thread(first.stop)
    assert "owned by" in state["locked"]
    assert not state["is_running"]
