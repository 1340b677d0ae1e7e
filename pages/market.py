"""Market: what the watched pairs do now."""

from coindcx_feed.ui import market_page

market_page.render()
