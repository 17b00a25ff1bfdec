"""At 100,000 mails that wait, were sent or are parked, no statement of the notifier reads more than it is about.

`make test` has 20,000 of each.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis.database.counting import AT_MOST
from chassis.database.database import Database, plain_connection
from notifier import mails
from notifier.consumer import GROUP
from notifier.housekeeping import export_backlog
from notifier.mails import NewMail
from notifier.main import MIGRATIONS
from notifier.parked import parked_items
from tests.rounds import ROWS
from tests.stack.postgres import NewDatabase, Template
from tests.stack.reads import every_statement

MOST = 50
FILL = (
    f"""insert into mails (key, letter, fact_type, fact, due_at, queued_at)
    select 'waits-' || n, 'refund', 't', '{{}}', now() + interval '1 day', now() - n * interval '1 second'
    from generate_series(1, {ROWS}) as n""",
    f"""insert into mails (key, letter, fact_type, fact, due_at, sent_at)
    select 'sent-' || n, 'refund', 't', '{{}}', null, now() from generate_series(1, {ROWS}) as n""",
    f"""insert into mails (key, letter, fact_type, fact, due_at, parked_at)
    select 'parked-' || n, 'refund', 't', '{{}}', null, now() from generate_series(1, {ROWS}) as n""",
    f"""insert into mails (key, letter, fact_type, fact, due_at, ended_at)
    select 'ended-' || n, 'refund', 't', '{{}}', null, now() from generate_series(1, {ROWS}) as n""",
    f"""insert into parked_decisions (item, decision, actor)
    select 'fact-' || n, 'retry', 'operator' from generate_series(1, {ROWS}) as n""",
)


@pytest.fixture(scope="module")
async def crowded(module_database_url: NewDatabase, template: Template) -> AsyncIterator[Database]:
    url = await module_database_url(like=await template(MIGRATIONS))
    async with Database(url, name="notifier-tests") as database:
        async with plain_connection(url, name="crowd") as connection:
            for statement in FILL:
                await connection.execute(statement, timeout=120)
            await connection.execute("vacuum analyze", timeout=120)
        yield database


async def test_queueing_leasing_and_sending(crowded: Database) -> None:
    new = [NewMail(key=f"new-{number}", letter="refund", fact_type="t", fact={}) for number in range(20)]

    with every_statement(crowded, reads_at_most=MOST):
        async with crowded.transaction() as session:
            await mails.queue(session, new)
        async with crowded.transaction() as session:
            due = await mails.lease(session, limit=20, duration=timedelta(minutes=1), in_flight=["waits-1"])
        async with crowded.transaction() as session:
            await mails.mark_sent(session, due[:10])
            await mails.postpone(session, due[10], seconds=60, error="busy")
            await mails.park(session, due[11], reason="no such mailbox")
            await mails.release(session, due[12:])
            assert await mails.resend(session, due[11].key)

    assert len(due) == len(new)


async def test_the_gauges(crowded: Database) -> None:
    with every_statement(crowded, reads_at_most=AT_MOST + MOST):
        await export_backlog(crowded)


async def test_forgetting_what_is_old(crowded: Database) -> None:
    with every_statement(crowded, reads_at_most=MOST):
        async with crowded.transaction() as session:
            assert await mails.forget(session, older_than=timedelta(days=90)) == 0


async def test_staffs_page_and_a_decision(crowded: Database) -> None:
    item = parked_items.id_of_mail("parked-7")

    with every_statement(crowded, reads_at_most=parked_items.SHOWN + MOST):
        async with crowded.transaction() as session:
            assert len(await parked_items.open_items(session, consumer=GROUP)) == parked_items.SHOWN
            assert len(await parked_items.decisions(session)) == parked_items.RECENT
    with every_statement(crowded, reads_at_most=MOST):
        async with crowded.transaction() as session:
            assert await parked_items.find(session, item, consumer=GROUP)
            assert await parked_items.discard(session, item, consumer=GROUP, actor="operator", reason="never")
            assert len(await parked_items.decisions(session, item_id=item)) == 1
