"""Alembic, run from code: each service keeps its migrations inside its package.

Each revision is a transaction of its own that waits for no lock for long: who came later would wait behind it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command, context
from alembic.config import Config
from sqlalchemy import MetaData, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.backoff import Backoff
from chassis.database.database import driver_url
from chassis.process.faults import sqlstate
from chassis.process.logs import get_logger

log = get_logger(__name__)

LOCK_TIMEOUT_SECONDS: Final = 5
"""So long a statement waits for a lock, and whoever comes after it waits for the statement."""
TRIES: Final = 60
LOCK_NOT_AVAILABLE: Final = "55P03"


def migrate(*, url: str, migrations: Path, revision: str = "head", down: bool = False) -> None:
    """Bring the database at `url` up to `revision`, or `down` to it; safe to run twice and from many places at once."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["url"] = url
    (command.downgrade if down else command.upgrade)(config, revision)
    log.info("migrated", revision=revision)


def run_env(metadata: MetaData) -> None:
    """Run the migrations, as a service's `migrations/env.py` asks."""
    url: str = context.config.attributes["url"]
    asyncio.run(_run_online(url, metadata))


async def _run_online(url: str, metadata: MetaData) -> None:
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    event.listen(engine.sync_engine, "begin", _bound_waits)
    try:
        async with _alone(engine):
            await _until_unlocked(engine, metadata)
    finally:
        await engine.dispose()


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Take turns with other jobs: hold a lock, by a transaction that does nothing else.

    It is tried again and again, and not waited for: `create index concurrently` waits for every statement that runs.
    """
    waits = Backoff(first=0.1, limit=2)
    async with engine.connect() as connection:
        while not await connection.scalar(text("select pg_try_advisory_xact_lock(hashtext('quittance-migrations'))")):
            await connection.rollback()
            await waits.sleep()
        await connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
        yield


async def _until_unlocked(engine: AsyncEngine, metadata: MetaData) -> None:
    """Run what is left, again where a table was locked for too long. Raises DBAPIError at the last."""
    waits = Backoff(first=0.5, limit=5)
    for left in reversed(range(TRIES)):
        try:
            async with engine.connect() as connection:
                await connection.run_sync(_upgrade, metadata)
                await connection.commit()
                return
        except DBAPIError as error:
            if sqlstate(error) != LOCK_NOT_AVAILABLE or not left:
                raise
            log.warning("migration_waits_for_a_lock", tries_left=left)
            await waits.sleep()


def _upgrade(connection: Connection, metadata: MetaData) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def _bound_waits(connection: Any) -> None:
    connection.exec_driver_sql(f"set local lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
