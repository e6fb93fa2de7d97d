"""Alembic's entry: runs the migrations on the connection that it is handed."""

from alembic import context

from trustplane.kernel.plugins import load_tables
from trustplane.kernel.store.base import Base

load_tables()
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
