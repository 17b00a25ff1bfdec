"""Alembic's entry: the catalog's metadata, run by chassis."""

from catalog.tables import metadata
from chassis.migrations import run_env

run_env(metadata)
