"""Sessions of the dashboard without a browser: they speak Streamlit's protocol and refresh as a page would."""

import asyncio
import time
from typing import Any

import aiohttp
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class Session:
    """One page that stays open.

    Attributes:
        received: Bytes so far.
        parts: Parts of the page that refresh by themselves.
        took_ms: From asking for a refresh of a part to its end.
        errors: Messages of exceptions that were drawn.
    """

    def __init__(self, port: int, page: str) -> None:
        self._port, self._page = port, page
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, float] = {}
        self._running: list[str] = []
        self._socket: Any = None
        self.received = 0
        self.took_ms: list[float] = []
        self.errors: list[str] = []

    async def run(self, seconds: float) -> None:
        """Open the page and keep it open for a while."""
        headers = {"Origin": f"http://localhost:{self._port}"}
        url = f"http://localhost:{self._port}/_stcore/stream"
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, protocols=["streamlit"], headers=headers, max_msg_size=0) as self._socket,
        ):
            await self._ask("")
            reading = asyncio.create_task(self._read())
            await asyncio.wait([reading], timeout=seconds)
            for task in (reading, *self._timers.values()):
                task.cancel()
            await asyncio.gather(reading, *self._timers.values(), return_exceptions=True)

    async def _ask(self, part: str) -> None:
        message = BackMsg()
        message.rerun_script.page_name = self._page
        message.rerun_script.fragment_id = part
        message.rerun_script.is_auto_rerun = bool(part)
        self._asked.setdefault(part, time.monotonic())  # a second request while one waits is joined to it
        await self._socket.send_bytes(message.SerializeToString())

    async def _read(self) -> None:
        async for frame in self._socket:
            message = ForwardMsg.FromString(frame.data)
            self.received += len(frame.data)
            match message.WhichOneof("type"):
                case "new_session":
                    self._running = list(message.new_session.fragment_ids_this_run)
                case "auto_rerun":
                    self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
                case "script_finished":
                    self._finished()
                case "delta" if message.delta.new_element.WhichOneof("type") == "exception":
                    self.errors.append(message.delta.new_element.exception.message)

    def _repeat(self, part: str, every_s: float) -> None:
        if part not in self._timers:
            self._timers[part] = asyncio.create_task(self._refresh(part, every_s))

    async def _refresh(self, part: str, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self._ask(part)

    def _finished(self) -> None:
        now = time.monotonic()
        self.took_ms += [(now - self._asked.pop(part)) * 1000 for part in self._running if part in self._asked]

    @property
    def parts(self) -> list[str]:
        return list(self._timers)
