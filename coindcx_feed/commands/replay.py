"""``coindcx-feed replay``: play a window of the log without a dashboard."""

import sys
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coindcx_feed import __version__
from coindcx_feed.analysis.moments import STEP, parse_speed, parse_window
from coindcx_feed.commands.running import logging_to_console, stop_on_signals
from coindcx_feed.errors import ConfigError, StoreError
from coindcx_feed.settings import load_settings

if TYPE_CHECKING:
    from coindcx_feed.feed.replay import Player
    from coindcx_feed.feed.replay_runtime import ReplayRuntime

_DONE = ("ended", "failed")


def replay(
    start: Annotated[str | None, typer.Option("--from", help="First moment, such as 2026-11-22T14:30 (UTC)")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End, not included; without it all that is stored")] = None,
    speed: Annotated[str, typer.Option(help="1, 10 or any factor; max; or step: Enter shows the next event")] = "1",
    store: Annotated[str | None, typer.Option(help="Address of the log; default this account's own")] = None,
    as_exchange: Annotated[
        bool, typer.Option("--as-exchange", help="Also serve the records over Socket.IO, loopback only")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End after the last event instead of serving on")] = False,
) -> None:
    """Play a stored window through ring and sidecar, until Ctrl-C. Nothing is stored, nothing reaches the exchange.

    With --as-exchange a program written for the exchange connects to COINDCX_SIMULATOR_PORT, joins the private channel
    with any key, and gets what was received then. The log holds df-order-update, df-position-update and balance-update
    rows only: there are no market channels and no REST.
    """
    from coindcx_feed.feed.replay_runtime import open_replay

    window, pace = parse_window(start, end), parse_speed(speed)
    settings = load_settings()
    exchange = None
    if as_exchange:
        from coindcx_feed.feed.demo import playback_exchange

        exchange = playback_exchange(settings.simulator_port)
    with logging_to_console(settings):
        runtime = open_replay(settings, "serve", window, pace, store=store, exchange=exchange)
        stopping = stop_on_signals()
        try:
            runtime.start()
            typer.echo(_greeting(runtime, exchange), err=True)
            if pace == STEP:
                threading.Thread(target=_read_steps, args=(runtime.player,), daemon=True).start()
            _watch(runtime, stopping, is_once=once)
        finally:
            runtime.stop()


def _greeting(runtime: "ReplayRuntime", exchange: Any) -> str:
    settings = runtime.settings
    address = settings.sidecar_url(runtime.sidecar.port)
    more = "" if exchange is None else f"; exchange at {exchange.url}, the replay begins with the first private join"
    return f"coindcx-feed {__version__}: mode {runtime.mode}, events at {address}{more}"


def _watch(runtime: "ReplayRuntime", stopping: threading.Event, *, is_once: bool) -> None:
    is_told = False
    while runtime.is_running and not stopping.wait(0.1):
        if str(runtime.player.phase) not in _DONE or is_told:
            continue
        is_told = True
        status = runtime.player.status()
        if status["phase"] == "failed":
            raise StoreError(status["reason"])
        typer.echo(_summary(status), err=True)
        if is_once:
            return
    if not stopping.is_set():
        raise ConfigError("the replay ended by itself: the log above says why")


def _summary(status: dict[str, Any]) -> str:
    pace = status["pace"]
    late = (
        "" if pace is None else f", at most {pace['late_max_ms']:.0f} ms late, pace error {pace['error_percent']:.2f} %"
    )
    apart = f", {status['quarantined']} rows in quarantine" if status["quarantined"] else ""
    return f"replay ended: {status['shown']} events{apart}, state {status['state_digest']}{late}"


def _read_steps(player: "Player") -> None:
    for line in sys.stdin:
        text = line.strip()
        player.step(int(text) if text.isdecimal() and len(text) < 9 else 1)
