"""Logging: one rotating, redacted file in the data folder and the newest lines in memory for the Feed page."""

import logging
import os
import re
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

FILE_NAME: Final = "coindcx-feed.log"
FILE_BYTES: Final = 5_000_000
FILE_COUNT: Final = 5
RECENT_LINES: Final = 300

_ROOT: Final = "coindcx_feed"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HEX_SECRET = re.compile(r"\b[0-9a-fA-F]{40,}\b")


class OneLine(logging.Formatter):
    """One event is one line: control characters are escaped, secrets and anything like a signature are cut out.

    Args:
        secrets: Texts that must never be written.
    """

    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        text = _HEX_SECRET.sub("[redacted]", text)
        return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


class RecentLines(logging.Handler):
    """The newest lines, for the Feed page. Threads: any."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[str] = deque(maxlen=RECENT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def lines(self) -> list[str]:
        """Return the lines, oldest first."""
        return list(self._lines)


class _OwnerOnlyFile(RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]  # the standard library's own signature is not public
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, self.mode, encoding=self.encoding, errors=self.errors)


def log_path(data_dir: Path) -> Path:
    return data_dir / "logs" / FILE_NAME


def start_logging(data_dir: Path, secrets: list[str]) -> RecentLines:
    """Send this package's log to the file and to memory; calling again replaces the handlers.

    Raises:
        OSError: If the folder cannot be written.
    """
    path = log_path(data_dir)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    stop_logging()
    logger = logging.getLogger(_ROOT)
    recent = RecentLines()
    for handler in (
        _OwnerOnlyFile(
            path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT - 1, encoding="utf-8", errors="backslashreplace"
        ),
        recent,
    ):
        handler.setFormatter(OneLine(secrets))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return recent


def stop_logging() -> None:
    """Close the handlers that ``start_logging`` added."""
    logger = logging.getLogger(_ROOT)
    for handler in list(logger.handlers):
        if isinstance(handler, _OwnerOnlyFile | RecentLines) or type(handler).__name__ in (
            "_OwnerOnlyFile",
            "RecentLines",
        ):
            logger.removeHandler(handler)
            handler.close()
