"""Files of an export: under a name that is free, complete or not there at all, readable by their owner only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from coindcx_feed.errors import ConfigError


def meta_path_of(path: Path) -> Path:
    """Return where the description of an export stands."""
    return path.with_name(f"{path.name}.meta.json")


def reserve(folder: Path, stem: str, suffix: str) -> tuple[Path, int]:
    """Find a name that is free and open its unfinished file: two exports may begin in the same second."""
    for number in count(1):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.{suffix}"
        with suppress(FileExistsError):
            descriptor = _open(path, os.O_EXCL)
            if not path.exists() and not meta_path_of(path).exists():
                return path, descriptor
            os.close(descriptor)
            _part(path).unlink()
    raise AssertionError  # count never ends


def reserve_path(path: Path) -> tuple[Path, int]:
    """Open the unfinished file of a name that somebody chose.

    Raises:
        ConfigError: If something is there already.
    """
    for taken in (path, meta_path_of(path), _part(path)):
        if os.path.lexists(taken):
            raise _taken(taken)
    return path, _open(path, os.O_EXCL)


def open_meta(path: Path) -> tuple[Path, int]:
    """Open the unfinished description of an export whose name is ours."""
    beside = meta_path_of(path)
    return beside, _open(beside, os.O_TRUNC)


@contextmanager
def finishing(path: Path, descriptor: int) -> Iterator[BinaryIO]:
    """Put the file in place when it is complete, so that nobody reads half of one; remove it otherwise.

    Raises:
        ConfigError: If the name was taken meanwhile; what is there stays.
    """
    try:
        with os.fdopen(descriptor, "wb", buffering=1 << 16) as file:
            yield file
        _place(path)
    finally:
        with suppress(OSError):
            _part(path).unlink()


@contextmanager
def beside_or_nothing(path: Path) -> Iterator[None]:
    """Remove the description again when its export does not come to stand beside it."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            meta_path_of(path).unlink()
        raise


def _place(path: Path) -> None:
    try:
        os.link(_part(path), path)  # unlike a rename, it never replaces what came there meanwhile
    except FileExistsError:
        raise _taken(path) from None
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise _taken(path) from None
        _part(path).rename(path)


def _open(path: Path, flags: int) -> int:
    return os.open(_part(path), os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | flags, 0o600)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _taken(path: Path) -> ConfigError:
    return ConfigError(f"export: expected a name that is free, was an existing file, {path}: name another or remove it")
