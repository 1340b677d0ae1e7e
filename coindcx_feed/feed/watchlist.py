"""Which pairs the Market page watches: a small file in the data folder, replaced as a whole."""

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire

MOST_PAIRS: Final = 24
"""Pairs watched at once: each is two channels, and a day of marks (1.4 MB)."""
MAX_FILE_BYTES: Final = 65_536

log = logging.getLogger(__name__)


class Watchlist:
    """The remembered pairs, in the order they were added. Threads: one at a time.

    Args:
        folder: The data folder.
        mode: Each mode has a file of its own: the demo knows five pairs, the exchange hundreds.
    """

    def __init__(self, folder: Path, mode: str) -> None:
        self.path = folder / f"market-{mode}.json"

    def load(self, first: Sequence[str]) -> tuple[str, ...]:
        """Return the remembered pairs, or ``first`` when there is no file or none that can be read."""
        try:
            with self.path.open("rb") as file:
                found = json.loads(file.read(MAX_FILE_BYTES + 1))
        except FileNotFoundError:
            return tuple(first)
        except (OSError, ValueError, RecursionError) as error:
            log.warning("watchlist not read error=%s", type(error).__name__)
            return tuple(first)
        pairs = found.get("pairs") if isinstance(found, dict) else None
        if not isinstance(pairs, list):
            log.warning("watchlist not read error=%s", "no list of pairs")
            return tuple(first)
        good = [pair for pair in pairs if isinstance(pair, str) and len(pair) <= 64 and wire.is_pair(pair)]
        return tuple(dict.fromkeys(good))[:MOST_PAIRS]

    def save(self, pairs: Sequence[str]) -> None:
        """Remember the pairs: readable by the owner only, and whole even if the process dies meanwhile.

        Raises:
            ConfigError: If the folder cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A temporary file is made with mode 0600.
            descriptor, name = tempfile.mkstemp(prefix=".market-", dir=self.path.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump({"pairs": list(pairs)}, file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                raise
        except OSError as error:
            raise ConfigError(
                f"the choice of pairs cannot be kept ({error.strerror}): check the folder COINDCX_DATA_DIR"
            ) from None
