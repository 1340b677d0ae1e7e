"""Webhooks against a real server on loopback: what is posted, what is tried again, and that no redirect is followed."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from fakes.runtimes import free_port
from pydantic import SecretStr

from coindcx_feed.alerts.channels import Message, Undelivered
from coindcx_feed.alerts.destinations import Webhook
from coindcx_feed.alerts.webhook import WebhookSender

CANARY = "c4n4ry-path"
MESSAGE = Message("A rule: <b>filled</b> *x*", "A rule", "info", "live", 1_790_000_000_000_000_000, 7)


class Receiver:
    """Keeps what is posted and answers with what it was told."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status, self.headers = 204, dict[str, str]()
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    kept, app = Receiver(), web.Application()
    app.router.add_post("/{rest:.*}", kept.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kept.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{CANARY}"
    yield kept
    await runner.cleanup()


@contextlib.asynccontextmanager
async def sender(url: str) -> AsyncIterator[WebhookSender]:
    made = WebhookSender(Webhook("ops", SecretStr(url)))
    try:
        yield made
    finally:
        await made.close()


async def test_message_is_posted_as_json(receiver: Receiver) -> None:
    """The text as it is, and the facts beside it."""
    async with sender(receiver.url) as ops:
        await ops.send(MESSAGE)
    assert receiver.got == [
        {"text": "A rule: <b>filled</b> *x*", "rule": "A rule", "severity": "info", "mode": "live", "seq": 7,
         "at": "2026-09-21T14:13:20.000Z"}
    ]  # fmt: skip
    assert ops.name == "webhook:ops"


@pytest.mark.parametrize(
    ("status", "headers", "is_final", "after_s"),
    [
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, True, None),
        (307, {"Location": "/other"}, True, None),
        (404, {}, True, None),
        (429, {"Retry-After": "12"}, False, 12.0),
        (429, {"Retry-After": "Mon, 23 Nov 2026 00:00:00 GMT"}, False, None),
        (503, {}, False, None),
    ],
)
async def test_T18_answers_and_what_they_mean(
    receiver: Receiver, status: int, headers: dict[str, str], is_final: bool, after_s: float | None
) -> None:
    """A redirect is a refusal: nothing goes to an address that the settings do not name."""
    receiver.status, receiver.headers = status, headers
    async with sender(receiver.url) as ops:
        with pytest.raises(Undelivered, match=str(status)) as caught:
            await ops.send(MESSAGE)
    assert (caught.value.is_final, caught.value.retry_after_s) == (is_final, after_s)
    assert len(receiver.got) == 1


async def test_T16_failure_names_no_address() -> None:
    """Neither its text nor anything behind it."""
    async with sender(f"http://127.0.0.1:{free_port()}/{CANARY}") as ops:
        with pytest.raises(Undelivered, match="no connection") as caught:
            await ops.send(MESSAGE)
    assert not caught.value.is_final
    assert caught.value.__context__ is None
    assert CANARY not in repr(vars(ops))


async def test_T18_address_is_checked_again_before_it_is_used() -> None:
    """Whoever builds a sender without the settings gets no further."""
    async with sender("http://example.org/x") as ops:
        with pytest.raises(Undelivered, match="expected https or loopback") as caught:
            await ops.send(MESSAGE)
    assert caught.value.is_final
