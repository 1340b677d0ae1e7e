"""History: everything that was ever stored."""

from coindcx_feed.ui import history_page

history_page.render()
