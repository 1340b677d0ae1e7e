"""Logging: one rotating, redacted file in the data folder and the newest lines in memory for the Feed page."""

import json
import logging
import os
import re
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final
from urllib.parse import quote

from coindcx_feed.errors import ConfigError

FILE_NAME: Final = "coindcx-feed.log"
FILE_BYTES: Final = 5_000_000
FILE_COUNT: Final = 5
RECENT_LINES: Final = 300

_ROOT: Final = "coindcx_feed"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HEX_SECRET = re.compile(r"[0-9a-fA-F]{40,}")
_CREDENTIAL = re.compile(
    r"(?P<name>\b(?:ticket|token|jwt|access_token)=|\bbearer\s+(?=\S{8}))[^\s&\"',;]+|\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*",
    re.IGNORECASE,
)
"""In an address or a header, by its name; a signed token anywhere, by its beginning."""


class OneLine(logging.Formatter):
    """One event is one line: control characters are escaped, secrets and anything like a signature are cut out.

    Args:
        secrets: Texts that must never be written.
    """

    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        # Also as a repr, as JSON and in an address: longest first, because one form may begin with another.
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        self._secrets = sorted(forms, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        text = _HEX_SECRET.sub("[redacted]", text)
        text = _CREDENTIAL.sub(lambda found: f"{found['name'] or ''}[redacted]", text)
        return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def _forms(secret: str) -> tuple[str, ...]:
    return secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, safe="")


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
        ConfigError: If the folder cannot be written.
    """
    path = log_path(data_dir)
    stop_logging()
    logger = logging.getLogger(_ROOT)
    recent = RecentLines()
    for handler in (_open_file(data_dir, path), recent):
        handler.setFormatter(OneLine(secrets))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return recent


def _open_file(data_dir: Path, path: Path) -> logging.Handler:
    try:
        # One by one: the mode is given to the last folder only, and the data folder is as private as the log.
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return _OwnerOnlyFile(
            path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT - 1, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ConfigError(f"the data folder {data_dir} cannot be written ({why}): set COINDCX_DATA_DIR") from None


def stop_logging() -> None:
    """Close the handlers that ``start_logging`` added."""
    logger = logging.getLogger(_ROOT)
    logger.propagate = True
    for handler in list(logger.handlers):
        if isinstance(handler, _OwnerOnlyFile | RecentLines) or type(handler).__name__ in (
            "_OwnerOnlyFile",
            "RecentLines",
        ):
            logger.removeHandler(handler)
            handler.close()
