"""Scans name the pictures that are shown of their photo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("scans") as batch:
        batch.add_column(sa.Column("look_sha256", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("look_bytes", sa.Integer(), nullable=True))
