"""``coindcx-feed export`` and ``rebuild``: what the durable log holds, without a dashboard."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from coindcx_feed.analysis.moments import parse_window
from coindcx_feed.errors import ConfigError
from coindcx_feed.settings import Settings, load_settings

if TYPE_CHECKING:
    from coindcx_feed.store.log import EventStore

KINDS: Final = ("csv", "json", "parquet")
Tell = Callable[[int], None]


def export(
    start: Annotated[str | None, typer.Option("--from", help="First moment, such as 2026-11-22T14:30 (UTC)")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End, not included; without it all that is stored")] = None,
    types: Annotated[str | None, typer.Option(help="order,position,balance,fill,ledger,system; default all")] = None,
    pairs: Annotated[str | None, typer.Option(help="B-ETH_USDT,…")] = None,
    sides: Annotated[str | None, typer.Option(help="buy,sell")] = None,
    statuses: Annotated[str | None, typer.Option(help="filled,cancelled,…")] = None,
    search: Annotated[str | None, typer.Option(help="Words that the id or the message must contain")] = None,
    price_min: Annotated[str | None, typer.Option(help="Lowest price; leaves out events without one")] = None,
    price_max: Annotated[str | None, typer.Option(help="Highest price")] = None,
    kind: Annotated[str, typer.Option("--format", help=", ".join(KINDS))] = "csv",
    out: Annotated[Path | None, typer.Option(help="File to write; must not exist. Default: a new name here")] = None,
    store: Annotated[str | None, typer.Option(help="Address of the log; default this account's own")] = None,
) -> None:
    """Write stored events to a file, oldest first, with a description beside it. A feed may go on meanwhile.

    One type alone gives every field of its records. Memory does not grow with the number of events, and the file is
    there when it is complete. Times are UTC where they name no zone.
    """
    from coindcx_feed.analysis.filters import EventFilter

    window = parse_window(start, end)
    if kind not in KINDS:
        raise ConfigError(f"--format: expected {', '.join(KINDS[:-1])} or {KINDS[-1]}, was {kind[:40]!r}: choose one")
    named = {"types": types, "pairs": pairs, "sides": sides, "statuses": statuses, "text": search}
    wanted = EventFilter.from_mapping({**named, "price_min": price_min, "price_max": price_max})
    settings = load_settings()
    with _opened(settings, store, read_only=True) as log:
        made = _export(log, wanted, kind, out, settings.effective_mode, window)
    typer.echo(f"{made['path']}: {made['rows']:,} events; description in {made['meta_name']}", err=True)


def _export(
    log: "EventStore", wanted: Any, kind: str, out: Path | None, mode: str, window: tuple[int | None, int | None]
) -> dict[str, Any]:
    from coindcx_feed.analysis.export import export_log
    from coindcx_feed.views.history import gaps

    from_ns, to_ns = window
    total, span = log.count(wanted, from_ns=from_ns, to_ns=to_ns), log.span() or (0, 0)
    away = gaps(log, span[0] if from_ns is None else from_ns, span[1] + 1 if to_ns is None else to_ns)
    with _progress(total, "export") as tell:
        return export_log(
            log,
            wanted,
            kind,
            Path.cwd() if out is None else out,
            mode=mode,
            from_ns=from_ns,
            to_ns=to_ns,
            gaps=away,
            is_file=out is not None,
            progress=tell,
        )


def rebuild(
    store: Annotated[str | None, typer.Option(help="Address of the log; default this account's own")] = None,
) -> None:
    """Make the log's sums and snapshots anew from its events. The feed must not run meanwhile."""
    settings = load_settings()
    with _opened(settings, store, read_only=True):
        pass  # there is one: opened to write, an empty one would be begun
    with _opened(settings, store, read_only=False) as log:
        first, last = log.oldest_seq, log.last_seq
        with _progress(last - first + 1 if last else 0, "rebuild") as tell:
            log.rebuild(lambda done, _total: tell(done - first + 1))
    typer.echo(f"{log.url_shown}: sums and snapshots of events {first:,} to {last:,} made anew", err=True)


@contextlib.contextmanager
def _opened(settings: Settings, address: str | None, *, read_only: bool) -> Iterator["EventStore"]:
    from coindcx_feed.feed.keeping import store_url
    from coindcx_feed.feed.runtime import account_name

    account = account_name(settings)
    url = address or store_url(settings, account)
    if url is None:
        raise ConfigError("COINDCX_STORE_URL: expected a durable log, was none: leave it out, or name one with --store")
    from coindcx_feed.store.log import EventStore

    log = EventStore.open(url, mode=settings.effective_mode, account=account, read_only=read_only)
    try:
        yield log
    finally:
        log.close()


@contextlib.contextmanager
def _progress(total: int, label: str) -> Iterator[Tell]:
    """Show how far it is on a terminal's standard error; nothing elsewhere."""
    stream = typer.get_text_stream("stderr")
    if not stream.isatty() or not total:
        yield lambda done: None
        return
    with typer.progressbar(length=total, label=label, file=stream, show_pos=True) as line:
        yield lambda done: line.update(done - line.pos)
