"""Alembic's entry: the catalog's metadata, run by chassis."""

from catalog.tables import metadata
from chassis.database.migrations import run_env

run_env(metadata)
