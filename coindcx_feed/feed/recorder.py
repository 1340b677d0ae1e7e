"""Writes every frame of both feeds, as received, to files that ``simulate --frames`` can serve again.

The socket handler only puts a frame aside; a thread of its own encodes, redacts, compresses and writes.
"""

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from coindcx_feed.errors import UnknownShape
from coindcx_feed.exchange import codec, wire
from coindcx_feed.feed.recording_file import MAX_TEXT_BYTES, RecordingFile, check_folder
from coindcx_feed.feed.redact import Redactor

log = logging.getLogger(__name__)

MAX_FRAMES: Final = 20_000
MAX_BYTES: Final = 64 << 20
"""Text that may wait for the thread; a frame beyond either bound is counted and not recorded."""
ROW_BYTES: Final = 32
"""What stands around a frame in its row, at most."""
EVERY_S: Final = 0.1
FLUSH_S: Final = 1.0
RETRY_S: Final = 10.0
"""After an error of the disk the next file is tried so much later."""
STOP_S: Final = 3.0

Receive = Callable[[str, object], None]

_PUBLIC: Final = frozenset(
    {
        wire.TRADE_EVENT,
        wire.PRICE_EVENT,
        wire.CANDLE_EVENT,
        wire.DEPTH_SNAPSHOT_EVENT,
        wire.DEPTH_UPDATE_EVENT,
        wire.PRICES_UPDATE_EVENT,
        wire.PRICES_SNAPSHOT_EVENT,
    }
)
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Waiting(NamedTuple):
    """A frame on its way to the thread: monotonic ns, Socket.IO event, its argument, its size in bytes."""

    mono_ns: int
    event: str
    argument: object
    size_bytes: int


class Recorder:
    """Records frames from ``start`` to ``stop``. ``take`` belongs to the feed's loop; ``status`` to any thread.

    Args:
        folder: Where the files go.
        mode: First word of their names.
        redact: Replace identifiers by made-up ones, the same throughout this recording.
    """

    def __init__(self, folder: Path, mode: str, *, redact: bool = False, file_bytes: int = MAX_TEXT_BYTES) -> None:
        self._folder, self._mode, self._file_bytes = folder, mode, file_bytes
        self._redactor = Redactor(os.urandom(32)) if redact else None
        self._waiting: deque[Waiting] = deque()
        # One thread adds to the first of each pair, the other to the second: no lock, nobody waits.
        self._bytes_in = self._bytes_out = 0
        self._missed = 0  # found no room
        self._recorded = self._unflushed = self._withheld = self._lost = 0
        self._file: RecordingFile | None = None
        self._name: str | None = None
        self._files = 0
        self._first_ns = 0
        self._flush_mono = self._retry_mono = 0.0
        self._error: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin a file.

        Raises:
            ConfigError: If the folder cannot be written; one line.
        """
        check_folder(self._folder)
        self._thread = threading.Thread(target=self._run, name="coindcx-recorder", daemon=True)
        self._thread.start()
        log.info("recording started folder=%s redacted=%s", self._folder, self._redactor is not None)

    def stop(self) -> None:
        """Write what waits and finish the file. Harmless when not started. At most ``STOP_S``."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_S)
            self._thread = None
            log.info("recording stopped frames=%d missed=%d", self._recorded, self._missed + self._lost)

    def tap(self, receive: Receive) -> Receive:
        """Return a handler that hands a frame on and records it."""

        def received(event: str, argument: object) -> None:
            receive(event, argument)
            self.take(event, argument)

        return received

    def take(self, event: str, argument: object) -> None:
        """Put a frame aside for the thread; never waits."""
        size = _size(argument)
        is_full = len(self._waiting) >= MAX_FRAMES or self._bytes_in - self._bytes_out + size > MAX_BYTES
        if is_full or self._stopping.is_set():
            self._missed += 1
            return
        self._bytes_in += size
        self._waiting.append(Waiting(time.monotonic_ns(), event, argument, size))

    def status(self) -> dict[str, Any]:
        """Return what was recorded, as plain data.

        ``missed`` counts frames that found no room or no disk, ``withheld`` those whose identifiers could not be told
        apart. ``error`` is the last trouble of the disk while it lasts.
        """
        return {
            "folder": str(self._folder),
            "file": self._name,
            "files": self._files,
            "recorded": self._recorded,
            "missed": self._missed + self._lost,
            "withheld": self._withheld,
            "waiting": len(self._waiting),
            "text_bytes": self._bytes_out,
            "is_redacted": self._redactor is not None,
            "error": self._error,
        }

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.wait(EVERY_S)
            try:
                self._drain()
                self._flush(is_last)
            except (OSError, ValueError) as error:  # a file that failed half-way may call itself closed: ValueError
                self._leave(error)

    def _drain(self) -> None:
        while self._waiting:
            frame = self._waiting.popleft()
            self._bytes_out += frame.size_bytes
            if time.monotonic() < self._retry_mono:
                self._lost += 1
                continue
            try:
                text = self._text(frame)
            except (UnknownShape, ValueError, TypeError, RecursionError):
                self._withheld += 1
                continue
            try:
                self._write(frame.mono_ns, text)
            except (OSError, ValueError):
                self._lost += 1
                raise
            self._unflushed += 1

    def _write(self, mono_ns: int, text: bytes) -> None:
        file = self._file
        if file is not None and file.text_bytes + len(text) + ROW_BYTES > self._file_bytes:
            self._close(file)
            file = None
        if file is None:
            file = self._open(mono_ns)
        file.write(b'{"offset_ms":%d,%b}\n' % ((mono_ns - self._first_ns) // 1_000_000, text))

    def _text(self, frame: Waiting) -> bytes:
        argument = frame.argument
        if self._redactor is not None and frame.event not in _PUBLIC:
            argument = self._redacted(self._redactor, argument)
        encoded, came = _encode(argument), frame.argument
        if isinstance(came, dict) and came.get("event") == frame.event and "data" in came:
            return b'"frame":' + encoded
        # Not the form of a recorded envelope: the name of the event stands beside whatever came.
        return b'"name":%b,"frame":%b' % (_encode(frame.event), encoded)

    def _redacted(self, redactor: Redactor, argument: object) -> object:
        if isinstance(argument, dict) and isinstance(argument.get("data"), str):
            others = {name: value for name, value in argument.items() if name != "data"}
            shown = codec.loads(redactor.redact(_encode(others).decode()))
            return {name: shown[name] if name != "data" else redactor.redact(argument["data"]) for name in argument}
        if isinstance(argument, str):
            return redactor.redact(argument)
        return msgspec.Raw(redactor.redact(_encode(argument).decode()).encode())

    def _open(self, first_ns: int) -> RecordingFile:
        file = self._file = RecordingFile(self._folder, self._mode)
        self._name = file.path.name
        self._files += 1
        self._first_ns, self._error = first_ns, None
        return file

    def _close(self, file: RecordingFile) -> None:
        self._file = None
        file.close()
        self._recorded, self._unflushed = self._recorded + self._unflushed, 0

    def _flush(self, is_last: bool) -> None:
        file = self._file
        if file is not None and is_last:
            self._close(file)
        elif file is not None and self._unflushed and time.monotonic() >= self._flush_mono:
            file.flush()
            self._recorded, self._unflushed = self._recorded + self._unflushed, 0
            self._flush_mono = time.monotonic() + FLUSH_S

    def _leave(self, error: OSError | ValueError) -> None:
        """Give the file up: what was flushed stays readable. Another one is begun later."""
        why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        self._error = f"frames are not recorded: {self._folder} does not take them ({why}); tried again"
        self._retry_mono = time.monotonic() + RETRY_S
        self._lost, self._unflushed = self._lost + self._unflushed, 0
        file, self._file = self._file, None
        log.error("recording interrupted reason=%r", why)
        if file is not None:
            with contextlib.suppress(OSError, ValueError):
                file.close()


def _size(argument: object) -> int:
    if isinstance(argument, dict) and isinstance(argument.get("data"), str):
        return len(argument["data"]) + 100
    if isinstance(argument, str):
        return len(argument) + 100
    try:
        # Rare: the exchange sends text. Without its size the bound would mean nothing.
        return len(_encode(argument))
    except (ValueError, TypeError, RecursionError):
        return 1 << 20
