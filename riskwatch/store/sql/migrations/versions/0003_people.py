"""People who log in, and their sessions."""

import sqlalchemy as sa
from alembic import op

from riskwatch.store.sql.columns import Instant, Words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("name", Words(), nullable=False),
        sa.Column("scope", Words(), nullable=False),
        sa.Column("password_hash", Words(), nullable=False),
        sa.Column("is_one_time", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("last_login_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_person"),
    )

    op.create_table(
        "session",
        sa.Column("id_hash", Words(), nullable=False),
        sa.Column("person", Words(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.name"], name="fk_session_person_person"),
        sa.PrimaryKeyConstraint("id_hash", name="pk_session"),
    )
    op.create_index("ix_session_person", "session", ["person"], unique=False)
    op.create_index("ix_session_expires", "session", ["expires_at"], unique=False)
