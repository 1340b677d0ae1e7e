"""Run by Alembic: migrates on the connection that the log was opened with, in its transaction."""

from alembic import context

from coindcx_feed.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    version_table="store_version",
)
context.run_migrations()
