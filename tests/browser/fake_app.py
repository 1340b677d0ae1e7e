"""The dashboard over a service whose every text is hostile. Run by the tests as ``streamlit run``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from ui.fake_service import HOSTILE, ROOT, FakeService, install

from coindcx_feed.ui import serving


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    PagesManager.uses_pages_directory = False
    install(FakeService(events=300, text=HOSTILE))
    yield {}


app = st.App(ROOT / "app.py", lifespan=lifespan, routes=serving.ROUTES, middleware=serving.MIDDLEWARE)
