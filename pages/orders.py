"""Orders: one row per order, and the life of the chosen one."""

from coindcx_feed.ui import orders_page

orders_page.render()
