"""One file of a recording: gzip JSON lines that can be read up to the last flush, whatever ends the process."""

import gzip
import io
import os
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from coindcx_feed.errors import ConfigError

MAX_TEXT_BYTES: Final = 64 << 20
"""A file is followed by another before its text, not its compressed form, is larger: readers hold the text."""
LEVEL: Final = 6

_TRIES: Final = 100


class RecordingFile:
    """A new file, readable by its owner only. Threads: one.

    Attributes:
        path: Where it is; the name is made of mode and start, never of anything that was received.
        text_bytes: Bytes of text written to it, before compression.
    """

    def __init__(self, folder: Path, mode: str) -> None:
        """Create the file, and the folder where there is none.

        Raises:
            OSError: If that is not possible.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path, descriptor = _create(folder, mode)
        self.text_bytes = 0
        self._raw = io.FileIO(descriptor, "wb")
        # No file name and no time in the header: the name says both.
        self._zip = gzip.GzipFile("", "wb", LEVEL, self._raw, mtime=0)

    def write(self, line: bytes) -> None:
        """Append a line, with its end.

        Raises:
            OSError: If the disk does not take it.
        """
        self._zip.write(line)
        self.text_bytes += len(line)

    def flush(self) -> None:
        """Hand everything written to the system: it survives this process, though not the machine.

        Raises:
            OSError: If the disk does not take it.
        """
        self._zip.flush(zlib.Z_SYNC_FLUSH)

    def close(self) -> None:
        """Finish the file.

        Raises:
            OSError: If the disk does not take the end; the file is closed all the same.
        """
        try:
            self._zip.close()
        finally:
            self._raw.close()


def _create(folder: Path, mode: str) -> tuple[Path, int]:
    start = f"{mode}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for number in range(1, _TRIES):
        path = folder / f"{start}-{number:02d}.jsonl.gz"
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
    raise FileExistsError(f"{_TRIES} recordings of this second")


def check_folder(folder: Path) -> None:
    """Tell early whether recordings can be written.

    Raises:
        ConfigError: One line.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_writable = os.access(folder, os.W_OK | os.X_OK)
        why = "no permission"
    except OSError as error:
        is_writable, why = False, error.strerror or type(error).__name__
    if not is_writable:
        raise ConfigError(f"the recording folder {folder} cannot be written ({why}): correct COINDCX_RECORD_DIR")
