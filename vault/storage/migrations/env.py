"""Alembic runs this to bring a database to the program's schema, over the connection that the vault hands it."""

from alembic import context
from sqlmodel import SQLModel

import vault.model.tables  # noqa: F401  (so that the metadata is complete)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
