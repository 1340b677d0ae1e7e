"""Recorded frames over the exchange's wire: a schedule, and a player for the sockets that joined.

Every frame is sent as it was recorded, also one that is none of the exchange's known shapes.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import codec, wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.hub import Credentials
from coindcx_feed.simulator.recordings import read_rows
from coindcx_feed.simulator.server import DEFAULT_PORT, ExchangeServer
from coindcx_feed.simulator.topics import receivers

logger = logging.getLogger(__name__)

# A client joins its channels one emit at a time: playback waits until the joins have been quiet this long.
SETTLE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One frame of a file.

    Attributes:
        event: Socket.IO event name.
        envelope: The event's single argument, as recorded; an object with ``data`` but for odd frames.
        due_s: When it plays, in seconds after the start of the playback.
    """

    event: str
    envelope: Any
    due_s: float

    @property
    def is_account(self) -> bool:
        """Whether it belongs to the private channel."""
        return self.event in wire.ACCOUNT_EVENTS


def load_frames(paths: Sequence[Path], *, interval_s: float = 0.1, speed: float = 1.0) -> list[RecordedFrame]:
    """Read files into one schedule, in the order given.

    A file begins one interval after the last frame of the file before. Rows without ``offset_ms`` follow the row before
    at the interval; rows with it play at that offset from their file's beginning, divided by ``speed``, but never
    before the row above them.

    Args:
        paths: JSONL files, plain or gzip.
        interval_s: Seconds between rows without ``offset_ms``.
        speed: Factor for rows with ``offset_ms``; 2 plays twice as fast.
    Raises:
        ConfigError: If a value, a file or a row is not usable; one line that names file and row.
    """
    if not paths:
        raise ConfigError("--frames: expected at least one file, was none")
    if not 0 <= interval_s < float("inf"):
        raise ConfigError(f"--interval: expected seconds, 0 or more, was {interval_s}")
    if not 0 < speed < float("inf"):
        raise ConfigError(f"--speed: expected a factor above 0, was {speed}")
    frames: list[RecordedFrame] = []
    for path in paths:
        base_s = frames[-1].due_s + interval_s if frames else 0.0
        frames += _load_file(path, base_s, interval_s, speed)
    return frames


def _load_file(path: Path, base_s: float, interval_s: float, speed: float) -> list[RecordedFrame]:
    frames: list[RecordedFrame] = []
    for row in read_rows(path):
        due_s = frames[-1].due_s if frames else base_s
        if row.offset_ms is not None:
            due_s = max(base_s + row.offset_ms / 1000 / speed, due_s)
        elif frames:
            due_s += interval_s
        frames.append(RecordedFrame(row.event, row.argument, due_s))
    return frames


class FramesPlayer:
    """Plays a schedule of frames on a server, once or in a loop.

    Playback begins when somebody listens: a socket has joined a channel, a private one if the files hold account
    frames, and the joins have settled. It does not wait again: a frame nobody has joined for is counted and gone, as on
    the real wire. After the last frame the sockets stay open in silence.

    Attributes:
        played: Frames sent so far.
        undelivered: Those among them that had no receiver.
    """

    def __init__(self, frames: Sequence[RecordedFrame], *, loop: bool = False, settle_s: float = SETTLE_S) -> None:
        self.played = 0
        self.undelivered = 0
        self._frames = frames
        self._loop = loop
        self._settle_s = settle_s
        self._belongs = [receivers(frame.event, _data(frame.envelope)) for frame in frames]

    async def run(self, server: ExchangeServer) -> None:
        """Wait for listeners, then play; returns after the last frame unless it loops."""
        needs_private = any(frame.is_account for frame in self._frames)
        await wait_for_listeners(server, needs_private=needs_private, settle_s=self._settle_s)
        while True:
            await self._play_once(server)
            logger.info("frames played count=%d undelivered=%d", self.played, self.undelivered)
            if not self._loop:
                return
            # Also keeps a schedule without any pause from holding the loop.
            await asyncio.sleep(0.1)

    async def _play_once(self, server: ExchangeServer) -> None:
        clock = asyncio.get_running_loop()
        start_s = clock.time()
        for count, (frame, belongs) in enumerate(zip(self._frames, self._belongs, strict=True)):
            wait_s = start_s + frame.due_s - clock.time()
            if wait_s > 0 or count % 100 == 99:
                await asyncio.sleep(max(wait_s, 0))
            if frame.event == codec.MALFORMED and isinstance(frame.envelope, str):
                receivers_count = await server.hub.emit_raw("2" + frame.envelope)
            else:
                receivers_count = await server.hub.emit_envelope(frame.event, frame.envelope, belongs)
            self.played += 1
            self.undelivered += receivers_count == 0


async def wait_for_listeners(server: ExchangeServer, *, needs_private: bool, settle_s: float = SETTLE_S) -> None:
    """Return when a socket has joined, the private channel if that is needed, and the joins have settled."""
    hub = server.hub

    def is_heard() -> bool:
        return hub.joined(wire.PRIVATE_CHANNEL) > 0 if needs_private else bool(hub.topics())

    seen = -1
    while seen != len(hub.joins) or not is_heard():
        await hub.wait_for(is_heard)
        seen = len(hub.joins)
        await asyncio.sleep(settle_s)


def _data(envelope: Any) -> object:
    return envelope.get("data") if isinstance(envelope, dict) else None


def build_frames_server(
    frames: Sequence[RecordedFrame],
    *,
    port: int = DEFAULT_PORT,
    loop: bool = False,
    credentials: Credentials | None = None,
    behaviour: Behaviour | None = None,
) -> ExchangeServer:
    """Build a server that plays recorded frames; start and stop it like any other.

    Args:
        frames: What :func:`load_frames` returned.
        port: TCP port; 0 lets the system choose one.
        loop: Begin again after the last frame.
        credentials: What a private join must carry; ``None`` accepts any key.
        behaviour: Delays; the measured ones by default.
    """
    player = FramesPlayer(frames, loop=loop)
    return ExchangeServer(port=port, behaviour=behaviour, credentials=credentials, background=[player.run])


async def serve_frames(
    frames: Sequence[RecordedFrame],
    *,
    port: int = DEFAULT_PORT,
    loop: bool = False,
    credentials: Credentials | None = None,
) -> None:
    """Serve recorded frames until cancelled.

    Raises:
        ConfigError: If the port cannot be bound.
    """
    async with build_frames_server(frames, port=port, loop=loop, credentials=credentials):
        await asyncio.Event().wait()
