"""At 100,000 rows of its history and of facts that wait, no statement of the catalog reads more than a page.

`make test` has 20,000 of each.
"""

from datetime import timedelta

from chassis.database.counting import AT_MOST
from chassis.database.database import plain_connection
from chassis.outbox import outbox, parked
from tests.integration.catalog.conftest import Catalog
from tests.rounds import ROWS
from tests.stack.reads import every_statement

MOST = 150
FILL = (
    f"""insert into audit_log (occurred_at, actor, action, subject, after)
    select now(), 'staff:amy', 'edited', 'addon:' || n, '{{}}' from generate_series(1, {ROWS}) as n""",
    f"""insert into outbox (fact_id, topic, key, headers, payload)
    select gen_random_uuid(), 'billing.addon.state.v1', 'k' || n, '{{}}', 'x' from generate_series(1, {ROWS}) as n""",
    f"""insert into parked (consumer, topic, partition, "offset", headers, reason, resolved_at)
    select 'catalog', 't', case when open then 1000 else 1001 end, n, '[]', 'x', case when not open then now() end
    from unnest(array[true, false]) as open, generate_series(1, {ROWS}) as n""",
)


async def test_no_statement_reads_a_whole_table(catalog: Catalog) -> None:
    await catalog.given_the_seed()
    addon = await catalog.given_an_addon()
    async with plain_connection(catalog.database.url, name="crowd") as connection:
        for statement in FILL:
            await connection.execute(statement, timeout=120)
        await connection.execute("vacuum analyze", timeout=120)

    with every_statement(catalog.database, reads_at_most=MOST):
        await catalog.changes()
        await catalog.changes(subject=f"addon:{addon['id']}")
        await catalog.edit(addon, {"name": "Other"})
        await catalog.price_list()
        await catalog.plans()
        async with catalog.database.transaction() as session:
            await parked.take_due(session, consumer="catalog")
            assert not await parked.prune(session, consumer="catalog", kept=timedelta(days=90), limit=10)
    with every_statement(catalog.database, reads_at_most=2 * AT_MOST + MOST):
        async with catalog.database.reading() as session:
            assert await parked.count_open(session, consumer="catalog") == AT_MOST
            assert (await outbox.backlog(session)).facts == AT_MOST
