"""Alembic's entry: runs on the connection, and in the transaction, that schema.migrate hands over."""

from alembic import context

from riskwatch.store.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
