"""The durable log of account events: SQLite in the data folder, or PostgreSQL. It knows no feed or page."""

from coindcx_feed.store.figures import Figure
from coindcx_feed.store.log import EventStore
from coindcx_feed.store.reading import EpochRow
from coindcx_feed.store.rollups import MEASURES

__all__ = ["MEASURES", "EpochRow", "EventStore", "Figure"]
