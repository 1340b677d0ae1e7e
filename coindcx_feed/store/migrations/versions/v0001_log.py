"""The log, its epochs, the segments derived from it, per-minute figures and marks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of the first schema."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "store_header",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("account_digest", sa.String(16), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("pruned_upto", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "epochs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("is_settled", sa.SmallInteger, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        sa.Column("epoch_id", sa.Integer, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("received_ns", sa.BigInteger, nullable=False),
        sa.Column("previous", sa.BigInteger, nullable=False),
        sa.Column("is_late", sa.SmallInteger, nullable=False),
        sa.Column("record_at", sa.Integer, nullable=False),
        sa.Column("record_bytes", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("pair", sa.Text),
        sa.Column("side", sa.Text),
        sa.Column("status", sa.Text),
        sa.Column("price", sa.Float(53)),
        sa.Column("message", sa.Text),
        sa.Column("exchange_ms", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "segments",
        sa.Column("last_seq", number, primary_key=True, autoincrement=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("first_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
        sa.Column("snapshot", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "segment_columns",
        sa.Column("last_seq", number, primary_key=True, autoincrement=False),
        sa.Column("texts", sa.LargeBinary, nullable=False),
        sa.Column("types", sa.LargeBinary, nullable=False),
        sa.Column("sides", sa.LargeBinary, nullable=False),
        sa.Column("pairs", sa.LargeBinary, nullable=False),
        sa.Column("statuses", sa.LargeBinary, nullable=False),
        sa.Column("offsets", sa.LargeBinary, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.Column("prices", sa.LargeBinary, nullable=False),
        sa.Column("received", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "segment_texts",
        sa.Column("last_seq", number, primary_key=True, autoincrement=False),
        sa.Column("searched", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "minutes",
        sa.Column("measure", sa.String(24), primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("segment", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("label", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("amount", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("second", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("price", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
