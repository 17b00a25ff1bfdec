"""What was mailed cannot be forgotten by the role that the service has: a key that is gone is a second mail."""

import pytest
from sqlalchemy.exc import DBAPIError

from chassis.database.database import Database, sqlstate
from notifier import mails
from notifier.mails import NewMail
from notifier.main import MIGRATIONS
from tests.stack.postgres import NewDatabase, Template

REFUSED = "23001"


@pytest.mark.parametrize("statement", ["update mails set key = 'another'", "delete from mails", "truncate mails"])
async def test_the_keys_of_mails_are_kept(database_url: NewDatabase, template: Template, statement: str) -> None:
    async with Database(await database_url(like=await template(MIGRATIONS)), name="notifier-tests") as database:
        async with database.transaction() as session:
            await mails.queue(session, [NewMail(key="one", letter="refund", fact_type="t", fact={})])

        with pytest.raises(DBAPIError) as refused:
            async with database.transaction() as session:
                await (await session.connection()).exec_driver_sql(statement)

    assert sqlstate(refused.value) == REFUSED
