"""Alembic's entry: the notifier's tables."""

from chassis.migrations import run_env
from notifier.tables import metadata

run_env(metadata)
