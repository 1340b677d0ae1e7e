"""Telegram against a fake Bot API server: plain text, pauses that it asks for, refusals, and a token nobody sees."""

import contextlib
import logging
from collections.abc import AsyncIterator

import pytest
from fakes.runtimes import free_port
from fakes.telegram_api import CHAT, TOKEN, TelegramApi, telegram_api
from pydantic import SecretStr

from coindcx_feed.alerts.channels import Message, Undelivered
from coindcx_feed.alerts.destinations import Chat
from coindcx_feed.alerts.telegram import TelegramSender

MESSAGE = Message("A rule: <b>filled</b> *x* http://evil.example", "A rule", "info", "live", 1, 7)


@contextlib.asynccontextmanager
async def writing(url: str) -> AsyncIterator[TelegramSender]:
    made = TelegramSender(Chat("me", SecretStr(TOKEN), CHAT), url)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def api() -> AsyncIterator[TelegramApi]:
    async with telegram_api() as running:
        yield running


async def test_message_is_plain_text_without_preview(api: TelegramApi) -> None:
    """No parse mode: markup of the feed stays text; only what is urgent rings."""
    async with writing(api.url) as me:
        await me.send(MESSAGE)
        await me.send(MESSAGE._replace(severity="critical"))
    calm, urgent = api.sent
    assert (calm["chat_id"], calm["text"]) == (CHAT, MESSAGE.text)
    assert "parse_mode" not in calm
    assert '"is_disabled":true' in calm["link_preview_options"].replace(" ", "").lower()
    assert (calm["disable_notification"].lower(), urgent["disable_notification"].lower()) == ("true", "false")
    assert api.paths == [f"/bot{TOKEN}/sendMessage"] * 2


async def test_pause_that_telegram_asks_for_is_told(api: TelegramApi) -> None:
    """429 with its seconds."""
    api.refuse(429, "Too Many Requests", retry_after=9)
    async with writing(api.url) as me:
        with pytest.raises(Undelivered, match="pause") as caught:
            await me.send(MESSAGE)
        assert (caught.value.is_final, caught.value.retry_after_s) == (False, 9.0)
        await me.send(MESSAGE)
    assert len(api.sent) == 2


@pytest.mark.parametrize(
    ("status", "is_final"), [(401, True), (403, True), (404, True), (400, True), (502, False), (500, False)]
)
async def test_refusals_are_told_from_trouble(api: TelegramApi, status: int, is_final: bool) -> None:
    """Only trouble is worth another try."""
    api.refuse(status, f"quoting {TOKEN}")
    async with writing(api.url) as me:
        with pytest.raises(Undelivered) as caught:
            await me.send(MESSAGE)
    assert caught.value.is_final is is_final
    assert TOKEN not in str(caught.value)


async def test_T18_redirect_is_not_followed(api: TelegramApi) -> None:
    """The token goes to one server only."""
    api.refuse(302, headers={"Location": f"{api.url}/elsewhere"})
    async with writing(api.url) as me:
        with pytest.raises(Undelivered):
            await me.send(MESSAGE)
    assert len(api.paths) == 1


async def test_T16_token_is_in_no_error_and_no_log(api: TelegramApi, caplog: pytest.LogCaptureFixture) -> None:
    """Not even in those of the libraries below."""
    caplog.set_level(logging.INFO)
    async with writing(f"http://127.0.0.1:{free_port()}") as nowhere, writing(api.url) as me:
        with pytest.raises(Undelivered, match="no connection") as caught:
            await nowhere.send(MESSAGE)
        await me.send(MESSAGE)
        shown = repr((vars(me), vars(nowhere)["_to"]))
    assert caught.value.__context__ is None
    assert TOKEN not in caplog.text
    assert TOKEN not in shown.replace(repr(vars(me)["_bot"]), "")
