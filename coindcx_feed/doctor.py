"""What could keep the feed from running here, each with what to do. Reads only; prints no secret."""

import asyncio
import platform
import socket
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp

from coindcx_feed import __version__
from coindcx_feed.client.subscribe import parse_address
from coindcx_feed.errors import ConfigError, FeedError, RestError
from coindcx_feed.exchange.rest import RestReader
from coindcx_feed.feed.follow_start import read_status
from coindcx_feed.feed.keeping import store_url
from coindcx_feed.feed.owner import OwnerLock
from coindcx_feed.feed.runtime import account_name
from coindcx_feed.logs import log_path
from coindcx_feed.settings import Settings, load_settings
from coindcx_feed.sidecar.listening import tls_context

CLOCK_LIMIT_S: Final = 5.0
"""The exchange refuses signed requests that are ten seconds old."""

_LIBRARIES: Final = ("python-socketio", "aiohttp", "streamlit", "pandas", "plotly", "pydantic")


class Finding(NamedTuple):
    """One line of the report."""

    what: str
    text: str
    is_bad: bool = False

    @property
    def mark(self) -> str:
        return "bad" if self.is_bad else "ok "


async def examine() -> list[Finding]:
    """Look at everything and return the findings in the order of a start."""
    found = [_versions()]
    try:
        settings = load_settings()
    except ConfigError as error:
        return [*found, Finding("settings", str(error), is_bad=True)]
    found.append(Finding("settings", f"mode {settings.effective_mode}, pairs {', '.join(settings.pairs) or 'none'}"))
    if settings.follow is not None:
        port = _port("sidecar port", settings.sidecar_host, settings.sidecar_port, "COINDCX_SIDECAR_PORT")
        return [*found, await _followed(settings, settings.follow), port, _log_file(log_path(settings.data_dir))]
    found.extend(await _credentials(settings))
    owner = _owner(settings)
    found.append(owner)
    if not owner.is_bad:  # else the owner itself holds them
        found.extend(_certificate(settings))
        found.append(_port("sidecar port", settings.sidecar_host, settings.sidecar_port, "COINDCX_SIDECAR_PORT"))
        if settings.effective_mode == "demo":
            found.append(_port("simulator port", "127.0.0.1", settings.simulator_port, "COINDCX_SIMULATOR_PORT"))
        found.append(await asyncio.to_thread(_store, settings))
    found.append(_log_file(log_path(settings.data_dir)))
    return found


def _versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return Finding("versions", f"coindcx-feed {__version__}, Python {platform.python_version()}, {libraries}")


async def _followed(settings: Settings, url: str) -> Finding:
    token = settings.follow_token.get_secret_value() if settings.follow_token else None
    try:
        status = await read_status(parse_address(url), token)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        reason = str(error) or type(error).__name__
        return Finding("follow", f"{url} does not answer ({reason}): start it, or correct COINDCX_FOLLOW", is_bad=True)
    if "mode" not in status:
        return Finding("follow", f"{url} wants a token: set COINDCX_FOLLOW_TOKEN", is_bad=True)
    return Finding("follow", f"{url}, mode {status['mode']}, state {status.get('state')}, event {status.get('seq')}")


async def _credentials(settings: Settings) -> list[Finding]:
    if settings.effective_mode == "demo":
        return [Finding("credentials", "not needed: the demo trades on the embedded exchange")]
    if settings.api_key is None or settings.api_secret is None:
        return [Finding("credentials", "none: public market data only; set COINDCX_API_KEY and COINDCX_API_SECRET")]
    try:
        reply = await RestReader(settings.api_url, settings.api_key, settings.api_secret).read("wallets", attempts=1)
    except RestError as error:
        return [Finding("credentials", str(error), is_bad=True)]
    return [
        Finding("credentials", "accepted by one signed read of the wallets"),
        _clock(reply.server_ms, reply.received_ms),
    ]


def _clock(server_ms: float | None, received_ms: float) -> Finding:
    if server_ms is None:
        return Finding("clock", "unknown: the reply carries no date")
    # The date is cut to whole seconds: half a second is the best guess.
    skew_s = (received_ms - server_ms - 500) / 1000
    text = f"{skew_s:+.1f} s against the exchange (±1 s)"
    is_bad = abs(skew_s) > CLOCK_LIMIT_S
    return Finding("clock", text + (": set the system clock by NTP" if is_bad else ""), is_bad)


def _port(what: str, host: str, port: int, setting: str) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            text = f"{host}:{port} cannot be bound ({error.strerror}): stop the process that uses it or set {setting}"
            return Finding(what, text, is_bad=True)
    return Finding(what, f"{host}:{port} is free")


def _certificate(settings: Settings) -> list[Finding]:
    try:
        context = tls_context(settings)
    except ConfigError as error:
        return [Finding("sidecar TLS", str(error), is_bad=True)]
    return [Finding("sidecar TLS", f"certificate {settings.sidecar_tls_cert}")] if context is not None else []


def _owner(settings: Settings) -> Finding:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = OwnerLock(settings.data_dir, account_name(settings)).owner()
    except OSError as error:
        text = f"{settings.data_dir} cannot be written ({error.strerror}): set COINDCX_DATA_DIR"
        return Finding("data folder", text, is_bad=True)
    return Finding("owner lock", owner or f"free, in {settings.data_dir}", is_bad=owner is not None)


def _store(settings: Settings) -> Finding:
    account, mode = account_name(settings), settings.effective_mode
    url = store_url(settings, account)
    if url is None:
        return Finding("store", "none: events live in memory only")
    if mode == "demo":
        return Finding("store", "the demo's log is begun anew at each start")
    from coindcx_feed.store.log import EventStore

    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:") and not path.exists():
        return Finding("store", f"{path} (made at the first start)")
    try:
        log = EventStore.open(url, mode=mode, account=account, read_only=True)
    except FeedError as error:
        return Finding("store", str(error), is_bad=True)
    try:
        return Finding("store", f"{log.url_shown}, newest event {log.last_seq}")
    finally:
        log.close()


def _log_file(path: Path) -> Finding:
    return Finding("log file", f"{path}" + ("" if path.exists() else " (written at the first start)"))
