"""Alembic's entry: the ledger's metadata, run by chassis."""

from chassis.database.migrations import run_env
from purchases.every_table import METADATA

run_env(METADATA)
