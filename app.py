"""Entry of the dashboard: ``streamlit run app.py``. Starts the feed once per process and lays out the navigation."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from coindcx_feed.ui import oidc, serving, theme

PAGES = Path(__file__).resolve().parent / "pages"

if get_script_run_ctx(suppress_warning=True) is None:
    app = st.App(__file__, lifespan=serving.lifespan, routes=serving.ROUTES, middleware=serving.MIDDLEWARE)
else:
    st.set_page_config(page_title="CoinDCX feed", page_icon=theme.ICON, layout="wide")
    oidc.gate()
    st.navigation(
        [
            st.Page(PAGES / "events.py", title="Events", default=True),
            st.Page(PAGES / "orders.py", title="Orders", url_path="orders"),
            st.Page(PAGES / "positions.py", title="Positions", url_path="positions"),
            st.Page(PAGES / "balances.py", title="Balances", url_path="balances"),
            st.Page(PAGES / "market.py", title="Market", url_path="market"),
            st.Page(PAGES / "history.py", title="History", url_path="history"),
            st.Page(PAGES / "statistics.py", title="Statistics", url_path="statistics"),
            st.Page(PAGES / "alerts.py", title="Alerts", url_path="alerts"),
            st.Page(PAGES / "feed.py", title="Feed", url_path="feed"),
        ],
        position="top",
    ).run()
