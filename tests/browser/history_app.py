"""The History page over a log in the data folder. Run by the tests as ``streamlit run``."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import streamlit as st
from benchmarks.stored import ACCOUNT, MODE
from streamlit.runtime.pages_manager import PagesManager
from ui.fake_service import ROOT, FakeService, install

from coindcx_feed.feed.moments import Moments
from coindcx_feed.feed.past import PastService
from coindcx_feed.feed.watch import Watch
from coindcx_feed.store.log import EventStore
from coindcx_feed.ui import serving


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    PagesManager.uses_pages_directory = False
    folder = Path(os.environ["COINDCX_DATA_DIR"])
    log = EventStore.open(f"sqlite:///{folder / 'week.sqlite'}", mode=MODE, account=ACCOUNT, read_only=True)
    runtime: Any = SimpleNamespace(log=log, watch=Watch(), mode=MODE, settings=SimpleNamespace(data_dir=folder))
    service: Any = FakeService(events=300, mode=MODE, simulator=None)
    service.past, service.moments = PastService(runtime), Moments(runtime)
    install(service)
    yield {}
    log.close()


app = st.App(ROOT / "app.py", lifespan=lifespan, routes=serving.ROUTES, middleware=serving.MIDDLEWARE)
