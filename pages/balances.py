"""Balances: what is there, what is locked, how it moved."""

from coindcx_feed.ui import balances_page

balances_page.render()
