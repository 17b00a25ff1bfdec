"""A database of purchases that loses what it committed after a backup: its rows, set back to what they were."""

from collections.abc import Sequence

from purchases.every_table import METADATA
from tests.integration.purchases.harness import Harness
from tests.stack.postgres import emptying

TABLES: Sequence[str] = [table.name for table in METADATA.sorted_tables]


async def back_up(harness: Harness) -> None:
    """Keep every row as it is now."""
    await harness.execute("drop schema if exists backup cascade")
    await harness.execute("create schema backup")
    for table in TABLES:
        await harness.execute(f"create table backup.{table} as table {table}")


async def restore(harness: Harness) -> None:
    """Make every row what it was at the backup: what was committed since is gone."""
    await harness.execute(emptying(TABLES))
    for table in TABLES:
        await harness.execute(f"insert into {table} overriding system value table backup.{table}")


async def given_an_epoch(harness: Harness) -> None:
    """Write what the relay writes when it finds the copy out, and what reading back writes at its end."""
    await harness.execute(
        "insert into epochs (epoch, began_at, reason, stretches, ended_at, ended_by, end_reason, missing_facts)"
        " values (1, now(), 'a restored copy', '[]', now(), 'tests', 'read back', 0)"
    )
