"""The durable log of account events: SQLite in the data folder, or PostgreSQL. It knows no feed or page."""

from coindcx_feed.store.figures import MEASURES, Figure
from coindcx_feed.store.log import EventStore
from coindcx_feed.store.reading import EpochRow

__all__ = ["MEASURES", "EpochRow", "EventStore", "Figure"]
