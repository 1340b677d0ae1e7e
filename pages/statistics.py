"""Statistics: what a period amounted to, and what each figure means."""

from coindcx_feed.ui import statistics_page

statistics_page.render()
