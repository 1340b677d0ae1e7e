"""Events: what just happened, newest first."""

from coindcx_feed.ui import events_page

events_page.render()
