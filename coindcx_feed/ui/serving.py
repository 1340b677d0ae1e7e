"""What the server does around the pages: start and stop of the feed, and the routes of its own.

Runs in the launcher only, never in a page.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
import plotly
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from streamlit import cli_util
from streamlit.runtime.pages_manager import PagesManager

from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.process import start_process_service, stop_process_service
from coindcx_feed.settings import Settings, load_settings
from coindcx_feed.ui import login, oidc, runs, scripts, tape_socket
from coindcx_feed.ui.charts import PLOTLY_PATH
from coindcx_feed.ui.guard import LOOPBACK, Guard

EXIT_CONFIG: Final = 2
SWITCH_S: Final = 0.001
"""How long a page may keep the interpreter while the feed's loop waits for it; Python's default is 5 ms."""

_KEPT: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
"""For files whose version is in their address."""


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    """Start the feed before the first browser, stop it with the server.

    A setting that does not allow to start ends the process with one line on standard error.
    """
    # Until st.navigation has run once, Streamlit lists the folder pages/ by itself: a deep link as the first address
    # ever opened would show that menu instead of ours.
    PagesManager.uses_pages_directory = False
    runs.forget_nothing()
    try:
        settings = load_settings()
        has_tls = st.get_option("server.sslCertFile") is not None or settings.behind_tls_proxy
        signs_in = oidc.check(oidc.section(), settings)
        check_access(st.get_option("server.address"), settings, has_tls=has_tls, signs_in=signs_in)
        login.configure(settings, is_secure=has_tls)
        await anyio.to_thread.run_sync(start_process_service, st.get_option("server.port"))
    except ConfigError as error:
        print(f"coindcx-feed: {error}", file=sys.stderr, flush=True)  # noqa: T201  # the answer to a command
        # Nothing has started yet; an exception here would be answered with a traceback by the server.
        os._exit(EXIT_CONFIG)
    sys.setswitchinterval(SWITCH_S)
    tasks = [asyncio.create_task(_open_browser()), asyncio.create_task(anyio.to_thread.run_sync(_warm_up))]
    try:
        yield {}
    finally:
        for task in tasks:
            task.cancel()
        await anyio.to_thread.run_sync(stop_process_service)


def check_access(address: str | None, settings: Settings, *, has_tls: bool, signs_in: bool = False) -> None:
    """Refuse to serve the account to the network without a login, or with one that anybody on the way can read.

    Args:
        has_tls: This server encrypts, or a proxy in front of it does.
        signs_in: Readers sign in with a provider; see ``oidc.check``.

    Raises:
        ConfigError: If the address is not a loopback one and one of the two is missing.
    """
    if address in LOOPBACK:
        return
    shown = repr(address) if address else "every interface"
    if settings.dashboard_password is None and not signs_in:
        raise ConfigError(
            f"server.address: expected 127.0.0.1, was {shown} without a login: use an SSH tunnel, or set "
            "COINDCX_DASHBOARD_PASSWORD, or [auth] in .streamlit/secrets.toml"
        )
    if not has_tls:
        raise ConfigError(
            f"server.address: expected TLS on {shown}, was none: set server.sslCertFile and server.sslKeyFile, or "
            "COINDCX_BEHIND_TLS_PROXY=1 when a proxy in front encrypts"
        )


async def _open_browser() -> None:
    # With an application object Streamlit leaves this to us. The server accepts connections a moment after start-up.
    if st.get_option("server.headless"):
        return
    await asyncio.sleep(0.5)
    await anyio.to_thread.run_sync(cli_util.open_browser, f"http://{LOOPBACK[0]}:{st.get_option('server.port')}")


def _warm_up() -> None:
    # The first reader would wait half a second for these imports; now they run while the browser loads its own files.
    for name in ("pandas", "coindcx_feed.ui.events_page", "coindcx_feed.ui.positions_page"):
        importlib.import_module(name)


async def _plotly(_request: Request) -> Response:
    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type="text/javascript", headers=_KEPT)


async def _script(request: Request) -> Response:
    found = scripts.served().get(request.url.path)
    if found is None:
        return PlainTextResponse("expected a file of this version: load the page again\n", 404)
    return Response(found, media_type="text/javascript", headers=_KEPT)


ROUTES: Final = (
    Route(PLOTLY_PATH, _plotly),
    Route(f"{scripts.PREFIX}{{name}}", _script),
    WebSocketRoute(tape_socket.PATH, tape_socket.tape),
)
"""Served beside Streamlit's own. None may serve account data but the tape's socket, which needs a ticket."""

MIDDLEWARE: Final = (Middleware(Guard), Middleware(login.LoginGate))
