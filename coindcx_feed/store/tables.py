"""The tables of the log. Migrations create them; nothing else does.

``events`` is the log. Everything called a segment is derived from it: up to ``SEGMENT_EVENTS`` consecutive events
summed up once, as columns that a filter can look at without reading a single body. The log itself has no index but its
number, so an append costs what a bare insert costs.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

SCHEMA_VERSIONS: Final = ("0001", "0002")
"""Every schema this code can read or migrate, oldest first; the last one is what it writes."""
APPLICATION_ID: Final = 0x43_44_43_58
"""Bytes 68 to 71 of an SQLite file of ours, ``CDCX``: a file of another program is told apart without opening it."""
SEGMENT_EVENTS: Final = 10_000
"""Events per segment, and between two snapshots of the state."""

# SQLite counts rows by an INTEGER primary key only; elsewhere a number of events needs eight bytes.
_Number = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

header = Table(
    "store_header",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mode", String(16), nullable=False),
    Column("account_digest", String(16), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("pruned_upto", BigInteger, nullable=False),
)

epochs = Table(
    "epochs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("first_seq", BigInteger, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("is_settled", SmallInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("epoch_id", Integer, nullable=False),
    Column("type", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("previous", BigInteger, nullable=False),
    Column("is_late", SmallInteger, nullable=False),
    Column("record_at", Integer, nullable=False),
    Column("record_bytes", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("pair", Text),
    Column("side", Text),
    Column("status", Text),
    Column("price", Float(53)),
    Column("message", Text),
    Column("exchange_ms", BigInteger),
    Column("body", LargeBinary, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("last_seq", _Number, primary_key=True, autoincrement=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("events", Integer, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("snapshot", LargeBinary, nullable=False),
    Column("sums", SmallInteger, nullable=False),
)

segment_columns = Table(
    "segment_columns",
    metadata,
    Column("last_seq", _Number, primary_key=True, autoincrement=False),
    Column("texts", LargeBinary, nullable=False),
    Column("types", LargeBinary, nullable=False),
    Column("sides", LargeBinary, nullable=False),
    Column("pairs", LargeBinary, nullable=False),
    Column("statuses", LargeBinary, nullable=False),
    Column("offsets", LargeBinary, nullable=False),
    Column("keys", LargeBinary, nullable=False),
    Column("prices", LargeBinary, nullable=False),
    Column("received", LargeBinary, nullable=False),
)

segment_texts = Table(
    "segment_texts",
    metadata,
    Column("last_seq", _Number, primary_key=True, autoincrement=False),
    Column("searched", LargeBinary, nullable=False),
)

minutes = Table(
    "minutes",
    metadata,
    Column("measure", String(24), primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("segment", BigInteger, primary_key=True, autoincrement=False),
    Column("pair", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("amount", Text, nullable=False),
    sqlite_with_rowid=False,
)

marks = Table(
    "marks",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("second", BigInteger, primary_key=True, autoincrement=False),
    Column("price", Text, nullable=False),
    sqlite_with_rowid=False,
)
