"""Exports of all matching events as of one upper ``seq``: CSV or JSON, with a description beside it.

Written in slices, so that memory stays flat and the feed's thread runs in between. Names are made here only.
"""

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from coindcx_feed.analysis.cells import COLUMNS
from coindcx_feed.analysis.csv_lines import EventLines, Lines, LineWriter, header
from coindcx_feed.analysis.fields import RECORD_FIELDS
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.analysis.record_lines import RecordLines, full_columns
from coindcx_feed.errors import BadRequest, ConfigError
from coindcx_feed.feed.columns import Seqs
from coindcx_feed.feed.ring import Ring

SLICE: Final = 8_192
"""Events per slice: about 7 ms of work, most of it beside other threads."""
JSON_SLICE: Final = 2_048
FULL_SLICE: Final = 256
"""Events per slice where each one's JSON is parsed."""
KINDS: Final = ("csv", "json")

_PLURALS: Final = {kind: kind if kind == "ledger" else f"{kind}s" for kind in RECORD_FIELDS}
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass
class _Plan:
    """What is written; ``rows`` and ``overwritten`` are counted on the way."""

    kind: str
    columns: tuple[str, ...]
    seqs: Seqs
    write: LineWriter
    slice_size: int
    rows: int = 0
    overwritten: int = 0
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


def export_events(
    ring: Ring,
    wanted: EventFilter,
    kind: str,
    folder: Path,
    *,
    mode: str,
    gaps: Sequence[Mapping[str, object]] = (),
    upto: int | None = None,
    after: int = 0,
) -> dict[str, Any]:
    """Write all kept events that match, oldest first, and ``<name>.meta.json`` beside.

    CSV has the columns of ``cells.COLUMNS``; a filter of exactly one type that has a full list (all but system
    events) gives every documented field instead. JSON is one array of the envelopes, byte for byte.

    Args:
        wanted: Filter; its text test included.
        kind: ``csv`` or ``json``.
        folder: Made if needed; files are readable by their owner only.
        mode: A simulated account's files begin with ``DEMO-``.
        gaps: Times away from the exchange, for the description.
        upto: Last ``seq`` that may appear; the newest when left out.
        after: Events up to this ``seq`` are left out.
    Returns:
        ``path``, ``name``, ``rows``, ``meta_path``, ``meta_name``.
    Raises:
        BadRequest: If the kind is neither.
        ConfigError: If the files cannot be written; nothing half-written stays.
    Threads: any; the feed goes on meanwhile.
    """
    if kind not in KINDS:
        raise BadRequest(f"export: expected {' or '.join(KINDS)}, was {kind!r:.40}: choose one of them")
    upper = ring.version if upto is None else min(upto, ring.version)
    plan = _plan(ring, wanted, kind, mode, upper, after)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, descriptor = _reserve(folder, _stem(wanted, mode, plan.created), kind)
        with _finishing(path, descriptor) as file:
            _write_all(file, plan)
        meta = _meta(plan, ring, wanted, mode, gaps, upper, after, path.name)
        meta_path = path.with_name(f"{path.name}.meta.json")
        with _finishing(meta_path, _open(meta_path, os.O_TRUNC)) as file:
            file.write(msgspec.json.format(_encode(meta), indent=1) + b"\n")
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ConfigError(f"export: expected to write into {folder}, was refused ({why}): free or allow it") from error
    return {
        "path": str(path),
        "name": path.name,
        "rows": plan.rows,
        "meta_path": str(meta_path),
        "meta_name": meta_path.name,
    }


def _plan(ring: Ring, wanted: EventFilter, kind: str, mode: str, upper: int, after: int) -> _Plan:
    seqs = ring.numbers(wanted.column_test(), wanted.text_test(), upper, after)
    single = wanted.types[0] if len(wanted.types) == 1 and wanted.types[0] in RECORD_FIELDS else None
    if kind == "json":
        return _Plan(kind, (), seqs, lambda part: _json_lines(ring, part), JSON_SLICE)
    if single is not None:
        return _Plan(kind, full_columns(single), seqs, RecordLines(ring, single, mode), FULL_SLICE)
    return _Plan(kind, COLUMNS, seqs, EventLines(ring, mode), SLICE)


def _json_lines(ring: Ring, seqs: Seqs) -> Lines:
    bodies = ring.bodies(seqs)
    return Lines(b",\n".join(bodies), len(bodies))


def _write_all(file: BinaryIO, plan: _Plan) -> None:
    is_json = plan.kind == "json"
    file.write(b"[\n" if is_json else header(plan.columns))
    for start in range(0, len(plan.seqs), plan.slice_size):
        part = plan.seqs[start : start + plan.slice_size]
        lines = plan.write(part)
        if is_json and plan.rows and lines.rows:
            file.write(b",\n")
        file.write(lines.text)
        plan.rows += lines.rows
        plan.overwritten += len(part) - lines.rows
        time.sleep(0)  # lets a waiting thread have the interpreter now, not after the switch interval
    if is_json:
        file.write(b"\n]\n")


def _stem(wanted: EventFilter, mode: str, created: datetime) -> str:
    what = _PLURALS.get(wanted.types[0], "events") if len(wanted.types) == 1 else "events"
    return f"{'DEMO-' if mode == 'demo' else ''}coindcx-{what}-{created:%Y%m%dT%H%M%S}Z"


def _reserve(folder: Path, stem: str, suffix: str) -> tuple[Path, int]:
    """Find a name that is free and open its unfinished file: two exports may begin in the same second."""
    for number in count(1):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.{suffix}"
        with suppress(FileExistsError):
            descriptor = _open(path, os.O_EXCL)
            if not path.exists():
                return path, descriptor
            os.close(descriptor)
            _part(path).unlink()
    raise AssertionError  # count never ends


def _open(path: Path, flags: int) -> int:
    return os.open(_part(path), os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | flags, 0o600)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


@contextmanager
def _finishing(path: Path, descriptor: int) -> Iterator[BinaryIO]:
    """Put the file in place when it is complete, so that nobody reads half of one; remove it otherwise."""
    try:
        with os.fdopen(descriptor, "wb", buffering=1 << 16) as file:
            yield file
        _part(path).replace(path)
    except BaseException:
        with suppress(OSError):
            _part(path).unlink()
        raise


def _meta(
    plan: _Plan,
    ring: Ring,
    wanted: EventFilter,
    mode: str,
    gaps: Sequence[Mapping[str, object]],
    upper: int,
    after: int,
    name: str,
) -> dict[str, object]:
    seqs = plan.seqs
    return {
        "file": name,
        "created": plan.created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "mode": mode,
        "epoch": ring.epoch,
        "upper_seq": upper,
        "after_seq": after,
        "first_seq": int(seqs[0]) if len(seqs) else None,
        "last_seq": int(seqs[-1]) if len(seqs) else None,
        "filter": wanted.to_mapping(),
        "filter_text": wanted.describe(),
        "columns": list(plan.columns),
        "counts": {"rows": plan.rows, "overwritten_while_writing": plan.overwritten, "kept": len(ring)},
        "gaps": [dict(gap) for gap in gaps],
        "versions": _versions(),
    }


@cache
def _versions() -> dict[str, str]:
    names = ("coindcx-feed", "pyarrow", "msgspec", "numpy")
    found = {"python": platform.python_version()}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
