"""People whom an identity provider vouches for."""

import sqlalchemy as sa
from alembic import op

from riskwatch.store.sql.columns import Words

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("subject", Words(), nullable=True))
    op.create_index("ix_person_subject", "person", ["subject"], unique=True)
