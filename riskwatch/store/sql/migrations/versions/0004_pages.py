"""Pages behind articles, and the robots.txt of their hosts."""

import sqlalchemy as sa
from alembic import op

from riskwatch.store.sql.columns import Instant, Words

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page",
        sa.Column("article_id", Words(), nullable=False),
        sa.Column("host", Words(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("url", Words(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name="fk_page_article_id_article"),
        sa.PrimaryKeyConstraint("article_id", name="pk_page"),
    )
    is_due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_page_due", "page", ["due_at", "article_id"], sqlite_where=is_due, postgresql_where=is_due
    )

    op.create_table(
        "robots",
        sa.Column("origin", Words(), nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name="pk_robots"),
    )
