"""A Telegram Bot API server on loopback that answers as a test tells it to, and keeps what was sent."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

TOKEN = "123456:canary-bot-token-ABCDEFGHIJKLMNOP"
CHAT = "-10042"


class TelegramApi:
    """Answers ``sendMessage`` with what ``answers`` holds, one after the other; then, and by default, with success.

    Threads: one loop.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answers: list[tuple[int, dict[str, Any], dict[str, str]]] = []

    def refuse(self, status: int, description: str = "no", headers: dict[str, str] | None = None, **more: Any) -> None:
        """Let the next call fail as the real server words it."""
        body = {"ok": False, "error_code": status, "description": description}
        self.answers.append((status, {**body, **({"parameters": more} if more else {})}, headers or {}))

    async def handle(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.sent.append(dict(await request.post()))
        if self.answers:
            status, body, headers = self.answers.pop(0)
            return web.json_response(body, status=status, headers=headers)
        chat = {"id": int(CHAT), "type": "private"}
        result = {"message_id": len(self.sent), "date": 1_790_000_000, "chat": chat, "text": "x"}
        return web.json_response({"ok": True, "result": result})


@contextlib.asynccontextmanager
async def telegram_api() -> AsyncIterator[TelegramApi]:
    """Serve until the block ends."""
    api = TelegramApi()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", api.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()
