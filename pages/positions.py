"""Positions: what is at risk, and how it came about."""

from coindcx_feed.ui import positions_page

positions_page.render()
