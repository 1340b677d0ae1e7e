"""The command line. Each command is thin: it reads options, calls one room and turns errors into one clear line."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, cast

import typer

from coindcx_feed import __version__
from coindcx_feed.commands.export import export, rebuild
from coindcx_feed.commands.replay import replay
from coindcx_feed.commands.running import logging_to_console, run_until_signal, stop_on_signals
from coindcx_feed.errors import ConfigError, FeedError
from coindcx_feed.settings import Settings, load_settings

app = typer.Typer(
    name="coindcx-feed",
    help="Live monitor of a CoinDCX futures account. Read-only: orders exist on the embedded simulator only.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Side = Literal["buy", "sell"]


# Recent releases of typer carry a click of their own: its errors are found through a class that all of them export.
_USAGE: Final = cast(
    type[Exception], next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
)


def main() -> None:
    """Run a command; bad input ends with one line on standard error and exit code 2, a refusal with 1."""
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except FeedError as error:
        _fail(str(error), 2 if isinstance(error, ConfigError) else 1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except _USAGE as error:
        _explain_usage(error)


def _explain_usage(error: Any) -> NoReturn:
    message = str(error.format_message())
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message)
        sys.exit(2)
    context = getattr(error, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    _fail(" ".join(message.replace("Value error, ", "").split()) + hint, 2)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"coindcx-feed: {message}", err=True)
    sys.exit(code)


@app.command()
def serve() -> None:
    """Run the feed and the sidecar without a dashboard, until Ctrl-C or SIGTERM."""
    from coindcx_feed.feed.process import new_runtime, spare_collections

    settings = load_settings()
    with logging_to_console(settings):
        runtime = new_runtime(settings, "serve")
        stopping = stop_on_signals()
        try:
            runtime.start()
            spare_collections()
            address, following = settings.sidecar_url(runtime.sidecar.port), runtime.following()
            place = "" if following is None else f", following {following['address']}"
            typer.echo(f"coindcx-feed {__version__}: mode {runtime.mode}{place}, events at {address}", err=True)
            while runtime.is_running and not stopping.wait(0.2):
                pass
        finally:
            runtime.stop()
    if not stopping.is_set():
        raise ConfigError("the feed ended by itself: the log above says why")


app.command()(replay)
app.command()(export)
app.command()(rebuild)


@app.command()
def simulate(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; default COINDCX_SIMULATOR_PORT")] = None,
    frames: Annotated[list[Path] | None, typer.Option(help="Serve these recorded frames instead of a market")] = None,
    more: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]", help="More files for --frames")] = None,
    interval: Annotated[float, typer.Option(min=0.0, help="Seconds between rows that carry no offset")] = 0.1,
    speed: Annotated[float, typer.Option(min=0.001, help="Factor for rows that carry an offset")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same market")] = 1,
) -> None:
    """Run the embedded exchange alone, on loopback, until Ctrl-C."""
    from coindcx_feed.feed import demo

    if more and not frames:
        raise ConfigError(f"expected --frames before {more[0]}: coindcx-feed simulate --frames FILE...")
    chosen = load_settings().simulator_port if port is None else port
    files = [*(frames or []), *(more or [])]
    server = demo.simulate_frames(files, chosen, interval, speed) if files else demo.simulate(chosen, seed)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    run_until_signal(server)


@app.command()
def order(
    side: Annotated[Side, typer.Argument(help="buy or sell")],
    pair: Annotated[str, typer.Argument(help="For example B-ETH_USDT")],
    qty: Annotated[str, typer.Option(help="Quantity in base coins")],
    price: Annotated[str | None, typer.Option(help="Limit price; without it a market order")] = None,
    leverage: Annotated[str | None, typer.Option(help="For example 5")] = None,
) -> None:
    """Place an order on the embedded simulator. There is no way to reach the real exchange."""
    from coindcx_feed.feed.demo import place_order

    placed = place_order(load_settings().simulator_port, side, pair, qty, price, leverage)
    typer.echo(f"{placed['id']} {placed['status']}")


@app.command()
def cancel(order_id: Annotated[str, typer.Argument(metavar="ID", help="Id of an order on the simulator")]) -> None:
    """Cancel an order on the embedded simulator."""
    from coindcx_feed.feed.demo import cancel_order

    cancel_order(load_settings().simulator_port, order_id)
    typer.echo(f"{order_id} cancelled")


@app.command()
def tail(
    url: Annotated[str | None, typer.Option(help="Sidecar; default this machine's")] = None,
    types: Annotated[str | None, typer.Option(help="order,position,balance,… or all")] = None,
    pairs: Annotated[str | None, typer.Option(help="B-ETH_USDT,…")] = None,
    since: Annotated[str | None, typer.Option(help="earliest, or SEQ@EPOCH")] = None,
    output: Annotated[Literal["json", "csv"], typer.Option("--format", help="JSON lines or CSV")] = "json",
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many events")] = None,
) -> None:
    """Print events as they come; reconnects and resumes by itself."""
    from coindcx_feed.client.tail import tail as run_tail

    settings = load_settings()
    token = settings.sidecar_token.get_secret_value() if settings.sidecar_token else None
    seq, epoch = _position(since)
    run = run_tail(
        url or _sidecar_url(settings),
        types.split(",") if types else None,
        pairs.split(",") if pairs else None,
        seq,
        output,
        sys.stdout.buffer,
        token=token,
        limit=limit,
        epoch=epoch,
    )
    run_until_signal(run)


def _position(since: str | None) -> tuple[int | Literal["earliest"] | None, str | None]:
    if since is None or since == "earliest":
        return ("earliest" if since else None), None
    seq, at, epoch = since.partition("@")
    if not seq.isdecimal() or not at or not epoch:
        raise ConfigError(f"--since: expected earliest or SEQ@EPOCH as a greeting tells them, was {since[:80]!r}")
    return int(seq), epoch


def _sidecar_url(settings: Settings) -> str:
    return settings.sidecar_url()


@app.command()
def doctor() -> None:
    """Check settings, credentials, clock, ports, owner lock, log file and versions; say what to do."""
    from coindcx_feed.doctor import examine

    findings = asyncio.run(examine())
    for finding in findings:
        typer.echo(f"{finding.mark}  {finding.what}: {finding.text}")
    if any(finding.is_bad for finding in findings):
        raise typer.Exit(1)


if __name__ == "__main__":
    main()
