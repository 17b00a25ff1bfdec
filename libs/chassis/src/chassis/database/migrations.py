"""Alembic, run from code: each service keeps its migrations inside its package."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import MetaData, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.database.database import driver_url
from chassis.process.logs import get_logger

log = get_logger(__name__)


def migrate(*, url: str, migrations: Path, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; safe to run twice and from two places at once."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, revision)
    log.info("migrated")


def run_env(metadata: MetaData) -> None:
    """Run the migrations, as a service's `migrations/env.py` asks."""
    url: str = context.config.attributes["url"]
    asyncio.run(_run_online(url, metadata))


async def _run_online(url: str, metadata: MetaData) -> None:
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_upgrade, metadata)
        await connection.commit()
    await engine.dispose()


def _upgrade(connection: Connection, metadata: MetaData) -> None:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        # Two jobs that start together take turns.
        connection.execute(text("select pg_advisory_xact_lock(hashtext('quittance-migrations'))"))
        context.run_migrations()
