"""What the notifier's consumer set aside is deleted once it is resolved for long."""

from chassis.database.database import plain_connection
from tests.integration.notifier.conftest import Office
from tests.stack.parked_rows import LONG_RESOLVED, parked_rows, until_pruned


async def test_the_process_deletes_what_is_resolved_for_90_days(office: Office) -> None:
    async with plain_connection(office.database.url, name="test") as connection:
        await connection.execute("delete from parked")
        await connection.execute(parked_rows(office.consumer))

        async with office.notifying():
            await until_pruned(connection, LONG_RESOLVED)
