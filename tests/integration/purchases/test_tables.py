"""The migrations make the tables that the code believes in."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from chassis.database import Database
from purchases.store.rows import Row


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Row.metadata))


async def test_the_models_equal_the_migrated_schema(migrated: Database) -> None:
    async with migrated.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
