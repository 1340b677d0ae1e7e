"""What aiohttp's protocol logs, without the bytes a client sent: they may hold a credential or a forged line."""

import logging

from aiohttp.http_exceptions import HttpProcessingError

from coindcx_feed.sidecar.audit import Audit


def http_logger(audit: Audit) -> logging.Logger:
    """Return a logger for one server: malformed requests become audit lines, our own failures go to the log."""
    logger = logging.Logger("coindcx_feed.sidecar.http", logging.DEBUG)
    logger.parent = logging.getLogger("coindcx_feed.sidecar")
    logger.addFilter(_Malformed(audit))
    return logger


class _Malformed(logging.Filter):
    def __init__(self, audit: Audit) -> None:
        super().__init__()
        self._audit = audit

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        client = record.args[0] if isinstance(record.args, tuple) and record.args else "unknown"
        self._audit.note("http", str(client), f"expected HTTP, was {type(error).__name__}")
        return False
