"""Where the dashboard's exports are made, and how long one that nobody fetched stays."""

import contextlib
import time
from pathlib import Path
from typing import Final

from coindcx_feed.settings import Settings

EXPORT_KEPT_S: Final = 3600.0


def exports_folder(settings: Settings) -> Path:
    """Return the folder, without what is older than an hour."""
    folder = settings.data_dir / "exports"
    forget_exports(folder)
    return folder


def forget_exports(folder: Path) -> None:
    """Delete old exports: a browser has its copy long before, and nobody asked to keep account data here."""
    oldest = time.time() - EXPORT_KEPT_S
    for path in folder.glob("*") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
