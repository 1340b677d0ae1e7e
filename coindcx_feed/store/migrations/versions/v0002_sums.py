"""Which measures a segment was summed up with: those made before lack the newer ones until a rebuild."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Mark every segment that is there as one of the first measures."""
    op.add_column("segments", sa.Column("sums", sa.SmallInteger, nullable=False, server_default="1"))
