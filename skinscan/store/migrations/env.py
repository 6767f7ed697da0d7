"""Alembic runs this for every command; the connection comes from `skinscan.store.migrations`."""

from alembic import context

from skinscan.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table: it is made anew
    transactional_ddl=True,
)
context.run_migrations()
