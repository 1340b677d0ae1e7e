"""Feed: whether the other pages can be believed."""

from coindcx_feed.ui import feed_page

feed_page.render()
