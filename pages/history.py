"""History: everything that was ever stored, and its figures."""

from coindcx_feed.ui import history_page

history_page.render()
