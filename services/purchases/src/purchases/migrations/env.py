"""Alembic's entry: the ledger's metadata, run by chassis."""

from chassis.migrations import run_env
from purchases.store.rows import Row

run_env(Row.metadata)
