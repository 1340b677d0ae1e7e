"""Alerts: what was told, which rules tell it, and where it goes."""

from coindcx_feed.ui import alerts_page

alerts_page.render()
