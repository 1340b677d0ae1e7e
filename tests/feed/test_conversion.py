"""The rupee rate: found in the recorded replies, kept through failures."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from fakes.frames import FIXTURES
from fakes.waiting import eventually

from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.rest import CONVERSIONS_PATH
from coindcx_feed.feed import conversion
from coindcx_feed.feed.conversion import Rate, keep_reading, rate_in


def _row(**fields: object) -> dict[str, Any]:
    return {"symbol": "USDTINR", "conversion_price": Decimal("102.5"), "last_updated_at": 7, **fields}


@pytest.mark.parametrize("name", ["conversions.captured.json", "conversions.docs.json"])
def test_recorded_reply_gives_rate_and_time(name: str) -> None:
    """The exchange's own number and stamp."""
    reply = parse_exact((FIXTURES / "rest" / name).read_text(encoding="utf-8"))
    (row,) = [row for row in reply if row["symbol"] == "USDTINR"]
    assert rate_in(reply) == (row["conversion_price"], row["last_updated_at"])


def test_first_usable_row_counts() -> None:
    """Other symbols and broken rows are passed over."""
    reply = [{"symbol": "INRUSDT"}, None, _row(conversion_price=None), _row(), _row(last_updated_at=9)]
    assert rate_in(reply) == Rate(Decimal("102.5"), 7)


@pytest.mark.parametrize(
    "reply",
    [None, {}, "text", [], [_row(conversion_price=0)], [_row(conversion_price=-1)], [_row(last_updated_at="x")]],
)
def test_reply_without_a_usable_rate_gives_none(reply: object) -> None:
    """No rate is better than a wrong one."""
    assert rate_in(reply) is None


class _Exchange:
    """Answers the conversions read with one prepared reply after the other; the last one stays."""

    def __init__(self) -> None:
        self.url = ""
        self.reads = 0
        self.replies: list[tuple[int, object]] = []

    async def answer(self, _request: web.Request) -> web.Response:
        status, body = self.replies[min(self.reads, len(self.replies) - 1)]
        self.reads += 1
        return web.Response(status=status, text=json.dumps(body), content_type="application/json")


@pytest.fixture
async def exchange() -> AsyncIterator[_Exchange]:
    fake, app = _Exchange(), web.Application()
    app.router.add_get(CONVERSIONS_PATH, fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


@contextlib.asynccontextmanager
async def _reading(url: str) -> AsyncIterator[list[Rate]]:
    rates: list[Rate] = []
    task = asyncio.create_task(keep_reading(url, rates.append))
    try:
        yield rates
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_failed_reads_are_tried_again_and_do_not_replace_a_rate(
    exchange: _Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Error status, nonsense, then a rate, then an error again."""
    monkeypatch.setattr(conversion, "RETRY_S", 0.01)
    monkeypatch.setattr(conversion, "EVERY_S", 0.01)
    good = [{"symbol": "USDTINR", "conversion_price": 102.5, "last_updated_at": 7}]
    exchange.replies = [(500, {}), (200, {"no": "list"}), (200, good), (500, {})]
    async with _reading(exchange.url) as rates:
        await eventually(lambda: exchange.reads >= 6)
    assert rates == [Rate(Decimal("102.5"), 7)]


async def test_unreachable_exchange_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task outlives a network without an exchange and says why in the log."""
    monkeypatch.setattr(conversion, "RETRY_S", 0.01)
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    conversion.log.addHandler(handler)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    try:
        async with _reading(f"http://127.0.0.1:{port}") as rates:
            await eventually(lambda: len(messages) >= 3)
    finally:
        conversion.log.removeHandler(handler)
    assert rates == []
    assert "cannot be reached" in messages[0]
