"""Exports of all matching events as of one upper ``seq``, from the ring or from the durable log.

Written in slices, so that memory stays flat and the feed's thread runs in between. Names are made here only.
"""

import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec

from coindcx_feed.analysis.cells import COLUMNS
from coindcx_feed.analysis.csv_lines import EventLines, Lines, LineWriter
from coindcx_feed.analysis.export_files import beside_or_nothing, finishing, open_meta, reserve, reserve_path
from coindcx_feed.analysis.fields import RECORD_FIELDS
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.analysis.parts import Epochs, Part, log_parts, ring_parts
from coindcx_feed.analysis.record_lines import RecordLines, full_columns
from coindcx_feed.analysis.sinks import KINDS, SINKS
from coindcx_feed.errors import BadRequest, ConfigError
from coindcx_feed.events import Event, iso_ms
from coindcx_feed.feed.ring import Ring

SLICE: Final = 8_192
"""Events per slice: about 7 ms of work, most of it beside other threads."""
JSON_SLICE: Final = 2_048
FULL_SLICE: Final = 256
"""Events per slice where each one's JSON is parsed."""
LOG_SLICE: Final = 2_500
DEMO: Final = "DEMO-"
"""Names of a simulated account's files begin like this."""

Gaps = Sequence[Mapping[str, object]]
Progress = Callable[[int], None]

_PLURALS: Final = {kind: kind if kind == "ledger" else f"{kind}s" for kind in RECORD_FIELDS}
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Log(Protocol):
    """What an export asks of the durable log; see ``EventStore``."""

    @property
    def last_seq(self) -> int: ...

    def epochs(self) -> Sequence[Any]: ...

    def stream(
        self, wanted: EventFilter, *, from_ns: int | None, to_ns: int | None, upto: int | None, slice_size: int
    ) -> Iterator[list[Event]]: ...


@dataclass
class _Plan:
    """What is written; the figures below ``about`` are counted on the way."""

    kind: str
    mode: str
    wanted: EventFilter
    columns: tuple[str, ...]
    write: LineWriter
    about: dict[str, object]
    rows: int = 0
    overwritten: int = 0
    first_seq: int | None = None
    last_seq: int | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


def export_events(
    ring: Ring,
    wanted: EventFilter,
    kind: str,
    folder: Path,
    *,
    mode: str,
    gaps: Gaps = (),
    upto: int | None = None,
    after: int = 0,
) -> dict[str, Any]:
    """Write all events of the ring that match, oldest first, and ``<name>.meta.json`` beside.

    CSV and Parquet have the columns of ``cells.COLUMNS``; a filter of exactly one type that has a full list (all but
    system events) gives every documented field instead. JSON is one array of the envelopes, byte for byte.

    Args:
        wanted: Filter; its text test included.
        kind: One of ``KINDS``.
        folder: Made if needed; files are readable by their owner only.
        mode: A simulated account's files begin with ``DEMO-``.
        gaps: Times away from the exchange, for the description.
        upto: Last ``seq`` that may appear; the newest when left out.
        after: Events up to this ``seq`` are left out.
    Returns:
        ``path``, ``name``, ``rows``, ``meta_path``, ``meta_name``.
    Raises:
        BadRequest: If the kind is none of these.
        ConfigError: If the files cannot be written; nothing half-written stays.
    Threads: any; the feed goes on meanwhile.
    """
    upper = ring.version if upto is None else min(upto, ring.version)
    about = {"epoch": ring.epoch, "upper_seq": upper, "after_seq": after, "kept": len(ring)}
    plan, size = _plan(wanted, kind, mode, about)
    seqs = ring.numbers(wanted.column_test(), wanted.text_test(), upper, after)
    return _export(plan, ring_parts(ring, seqs, size), folder, None, gaps, _no_progress)


def export_log(
    log: Log,
    wanted: EventFilter,
    kind: str,
    target: Path,
    *,
    mode: str,
    from_ns: int | None = None,
    to_ns: int | None = None,
    gaps: Gaps = (),
    is_file: bool = False,
    progress: Progress = lambda rows: None,
) -> dict[str, Any]:
    """Write all events of the durable log that match, as ``export_events`` does; memory does not grow with them.

    Args:
        target: Folder, or the very file when ``is_file``: then it must not exist yet.
        from_ns, to_ns: Received from ``from_ns`` on and before ``to_ns``.
        progress: Told the rows written so far, after every slice.
    Raises:
        BadRequest: If the kind is none of ``KINDS``.
        ConfigError: As ``export_events``; also if the file exists, or its name would hide a simulated account.
        StoreError: If the log cannot be read; nothing half-written stays.
    """
    upper = log.last_seq
    epochs: Epochs = [(row.first_seq, row.name) for row in log.epochs() if row.first_seq <= upper]
    about: dict[str, object] = {
        "epoch": epochs[-1][1] if epochs else None,
        "epochs": [{"epoch": name, "first_seq": first} for first, name in epochs],
        "upper_seq": upper,
        "from": None if from_ns is None else iso_ms(from_ns),
        "before": None if to_ns is None else iso_ms(to_ns),
    }
    plan, size = _plan(wanted, kind, mode, about)
    if is_file and mode == "demo" and not target.name.startswith(DEMO):
        raise ConfigError(f"export: expected a name that begins with {DEMO} in demo mode, was {target.name}: add it")
    found = log.stream(wanted, from_ns=from_ns, to_ns=to_ns, upto=upper, slice_size=min(size, LOG_SLICE))
    folder, path = (target.parent, target) if is_file else (target, None)
    return _export(plan, log_parts(found, epochs), folder, path, gaps, progress)


def _no_progress(_rows: int) -> None:
    """Nobody looks: it takes less than a second."""


def _plan(wanted: EventFilter, kind: str, mode: str, about: dict[str, object]) -> tuple[_Plan, int]:
    if kind not in KINDS:
        names = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
        raise BadRequest(f"export: expected {names}, was {kind!r:.40}: choose one of them")
    single = wanted.types[0] if len(wanted.types) == 1 and wanted.types[0] in RECORD_FIELDS else None
    if kind == "json":
        return _Plan(kind, mode, wanted, (), _json_lines, about), JSON_SLICE
    if single is not None:
        return _Plan(kind, mode, wanted, full_columns(single), RecordLines(single, mode), about), FULL_SLICE
    return _Plan(kind, mode, wanted, COLUMNS, EventLines(mode), about), SLICE


def _json_lines(part: Part) -> Lines:
    bodies = part.bodies()
    return Lines(b",\n".join(bodies), len(bodies))


def _export(
    plan: _Plan, parts: Iterator[Part], folder: Path, path: Path | None, gaps: Gaps, progress: Progress
) -> dict[str, Any]:
    try:
        if path is None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path, descriptor = reserve(folder, _stem(plan), plan.kind)
        else:
            path, descriptor = reserve_path(path)
        with beside_or_nothing(path), finishing(path, descriptor) as file:
            _write_all(file, plan, parts, progress)
            meta_path, descriptor = open_meta(path)
            with finishing(meta_path, descriptor) as beside:
                beside.write(msgspec.json.format(_encode(_meta(plan, gaps, path.name)), indent=1) + b"\n")
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


def _write_all(file: BinaryIO, plan: _Plan, parts: Iterator[Part], progress: Progress) -> None:
    sink = SINKS[plan.kind](file, plan.columns)
    for part in parts:
        lines = plan.write(part)
        sink.add(lines)
        first, last = part.ends
        plan.first_seq = first if plan.first_seq is None else plan.first_seq
        plan.last_seq = last
        plan.rows += lines.rows
        plan.overwritten += len(part) - lines.rows
        progress(plan.rows)
        time.sleep(0)  # lets a waiting thread have the interpreter now, not after the switch interval
    sink.end()


def _stem(plan: _Plan) -> str:
    types = plan.wanted.types
    what = _PLURALS.get(types[0], "events") if len(types) == 1 else "events"
    return f"{DEMO if plan.mode == 'demo' else ''}coindcx-{what}-{plan.created:%Y%m%dT%H%M%S}Z"


def _meta(plan: _Plan, gaps: Gaps, name: str) -> dict[str, object]:
    about = dict(plan.about)
    counts: dict[str, object] = {"rows": plan.rows, "overwritten_while_writing": plan.overwritten}
    if "kept" in about:
        counts["kept"] = about.pop("kept")
    return {
        "file": name,
        "created": plan.created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "mode": plan.mode,
        **about,
        "first_seq": plan.first_seq,
        "last_seq": plan.last_seq,
        "filter": plan.wanted.to_mapping(),
        "filter_text": plan.wanted.describe(),
        "columns": list(plan.columns),
        "counts": counts,
        "gaps": [dict(gap) for gap in gaps],
        "versions": _versions(),
    }


@cache
def _versions() -> dict[str, str]:
    names = ("coindcx-feed", "pyarrow", "msgspec", "numpy")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
