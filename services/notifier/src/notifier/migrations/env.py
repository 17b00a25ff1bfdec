"""Alembic's entry: the notifier's tables."""

from chassis.database.migrations import run_env
from notifier.tables import metadata

run_env(metadata)
