"""Sessions of the dashboard without a browser: they speak Streamlit's protocol and refresh as a page would."""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class Session:
    """One page that stays open.

    Like a browser it keeps what is large and says so with every request: the server then names it instead of sending
    it again.

    Attributes:
        received: Bytes so far.
        parts: Parts of the page that refresh by themselves.
        took_ms: From asking for a refresh of a part to its end.
        errors: Messages of exceptions that were drawn.
        kinds: Bytes by what was sent.
    """

    def __init__(self, port: int, page: str) -> None:
        self._port, self._page = port, page
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, float] = {}
        self._cached: dict[str, str] = {}
        self._socket: Any = None
        self.received = 0
        self.took_ms: list[float] = []
        self.errors: list[str] = []
        self.kinds: Counter[str] = Counter()

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
            if reading.done():
                reading.result()
                raise ConnectionError("expected a page that stays open, was closed by the server")
            for task in (reading, *self._timers.values()):
                task.cancel()
            await asyncio.gather(reading, *self._timers.values(), return_exceptions=True)

    async def _ask(self, part: str) -> None:
        message = BackMsg()
        message.rerun_script.page_name = self._page
        message.rerun_script.fragment_id = part
        message.rerun_script.is_auto_rerun = bool(part)
        message.rerun_script.cached_message_hashes.extend(self._cached)
        self._asked.setdefault(part, time.monotonic())  # a second request while one waits is joined to it
        await self._socket.send_bytes(message.SerializeToString())

    async def _read(self) -> None:
        async for frame in self._socket:
            message = ForwardMsg.FromString(frame.data)
            self.received += len(frame.data)
            self.kinds[_kind(message)] += len(frame.data)
            if message.metadata.cacheable:
                self._keep(message)
            match message.WhichOneof("type"):
                case "auto_rerun":
                    self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
                case "script_finished":
                    self._finished(list(message.metadata.run.fragment_ids))
                case "delta" if message.delta.new_element.WhichOneof("type") == "exception":
                    self.errors.append(message.delta.new_element.exception.message)

    def _repeat(self, part: str, every_s: float) -> None:
        if part not in self._timers:
            self._timers[part] = asyncio.create_task(self._refresh(part, every_s))

    async def _refresh(self, part: str, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self._ask(part)

    def _keep(self, message: ForwardMsg) -> None:
        # A place has one content at a time: the one before it is forgotten, as a browser does after a run without it.
        path = str(list(message.metadata.delta_path))
        self._cached = {name: at for name, at in self._cached.items() if at != path}
        self._cached[message.hash] = path

    def _finished(self, parts: list[str]) -> None:
        now = time.monotonic()
        self.took_ms += [(now - self._asked.pop(part)) * 1000 for part in parts if part in self._asked]

    @property
    def parts(self) -> list[str]:
        return list(self._timers)


def _kind(message: ForwardMsg) -> str:
    """Name what a message brings: the element's type, and which component with which key."""
    kind: str = message.WhichOneof("type") or ""
    if kind != "delta" or message.delta.WhichOneof("type") != "new_element":
        return kind
    element = message.delta.new_element
    found: str = element.WhichOneof("type") or ""
    if found != "bidi_component":
        return found
    return f"{element.bidi_component.component_name} {element.bidi_component.id.rpartition('-')[2]}"


def resident_mib(pid: int) -> float:
    """Return what a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
