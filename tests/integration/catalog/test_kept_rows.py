"""Slugs and the audit log cannot be changed or deleted by the role that the service has."""

import pytest
from sqlalchemy.exc import DBAPIError

from chassis.database.database import sqlstate
from tests.integration.catalog.conftest import Catalog

REFUSED = "23001"
FORBIDDEN = [
    "update plan_addons set slug = 'another'",
    "update plan_addons set id = gen_random_uuid()",
    "update audit_log set actor = 'staff:mallory'",
    "update plans set slug = 'builder' where slug = 'free'",
    "delete from plan_addons",
    "delete from audit_log",
    "delete from plans",
    "truncate plan_addons",
    "truncate audit_log",
    "truncate plans cascade",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_slugs_and_the_audit_log_are_kept(catalog: Catalog, statement: str) -> None:
    await catalog.given_the_seed()

    with pytest.raises(DBAPIError) as refused:
        async with catalog.database.transaction() as session:
            await (await session.connection()).exec_driver_sql(statement)

    assert sqlstate(refused.value) == REFUSED
