"""The notifier's migrations make what its tables say."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, text

from chassis.database.database import Database
from notifier.main import MIGRATIONS
from notifier.tables import metadata
from tests.stack.postgres import NewDatabase, Template

CHECKS = text("select conname from pg_constraint where contype = 'c' and conrelid <> 0")


async def test_the_migrations_make_what_the_tables_say(database_url: NewDatabase, template: Template) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    said = {
        str(one.name)
        for table in metadata.tables.values()
        for one in table.constraints
        if isinstance(one, CheckConstraint)
    }
    url = await database_url(like=await template(MIGRATIONS))
    async with Database(url, name="notifier-tests") as database, database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert set(await connection.scalars(CHECKS)) == said
