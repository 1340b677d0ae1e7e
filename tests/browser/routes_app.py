"""The dashboard over a service with hostile texts, telling its own routes. Run by the tests as ``streamlit run``.

Writes ``routes.json`` into the data folder: every route of the server, and tickets that are good and that are too old.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from ui.fake_service import HOSTILE, ROOT, FakeService, install

from coindcx_feed import tickets
from coindcx_feed.ui import serving

GRANT = {"criteria": {}, "after": 0, "upto": None, "zone": "UTC", "is_indian": False}
LONG_S = 3_600.0


def _mint(lifetime_s: float) -> str:
    usual, tickets.LIFETIME_S = tickets.LIFETIME_S, lifetime_s  # type: ignore[misc]
    try:
        return tickets.process_tickets().mint(GRANT)
    finally:
        tickets.LIFETIME_S = usual  # type: ignore[misc]


def _told(served: Any) -> dict[str, Any]:
    routes = [
        {"path": route.path, "kind": type(route).__name__, "methods": sorted(getattr(route, "methods", None) or ())}
        for route in served._starlette_app.routes
    ]
    good = [_mint(LONG_S) for _ in range(12)]
    return {"routes": routes, "good": good, "expired": _mint(-1.0)}


@asynccontextmanager
async def lifespan(served: object) -> AsyncIterator[dict[str, Any]]:
    PagesManager.uses_pages_directory = False
    install(FakeService(events=300, text=HOSTILE))
    (Path(os.environ["COINDCX_DATA_DIR"]) / "routes.json").write_text(json.dumps(_told(served)))
    yield {}


app = st.App(ROOT / "app.py", lifespan=lifespan, routes=serving.ROUTES, middleware=serving.MIDDLEWARE)
