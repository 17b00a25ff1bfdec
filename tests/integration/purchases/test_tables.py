"""The migrations make the tables that the code believes in."""

import asyncio
import uuid
from contextlib import nullcontext
from typing import Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from chassis.database.database import Database
from chassis.database.migrations import migrate
from purchases.every_table import METADATA
from purchases.ledger.transitions import Status
from purchases.main import MIGRATIONS
from tests.stack.postgres import NewDatabase


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, METADATA))


async def test_the_models_equal_the_migrated_schema(migrated: Database) -> None:
    async with migrated.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_what_was_one_charge_of_a_payment_is_the_first_of_its_list(database_url: NewDatabase) -> None:
    url = await database_url()
    await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS, revision="0013")
    async with Database(url, name="migration-tests") as database:
        async with database.transaction() as session:
            for statement in PAID_AND_REFUNDED_BEFORE:
                await session.execute(text(statement))
        await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS)
        async with database.reading() as session:
            rows = (await session.execute(text("select * from purchase_charges"))).mappings().all()

    kept = ("number", "stripe_payment_intent_id", "stripe_charge_id", "amount_cents", "amount_told", "refunded_cents")
    assert [tuple(row[name] for name in kept) for row in rows] == [(1, "pi_1", "ch_1", 49_900, False, 100)]


async def test_every_running_subscription_is_looked_at_for_its_next_charge(database_url: NewDatabase) -> None:
    """Also one that was looked at before: what was done then keeps its key for ever."""
    url = await database_url()
    await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS, revision="0009")
    async with Database(url, name="migration-tests") as database:
        async with database.transaction() as session:
            for statement in SUBSCRIBED_BEFORE:
                await session.execute(text(statement))
        await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS)
        async with database.reading() as session:
            rows = (await session.execute(text("select key, state, version from stripe_commands order by key"))).all()

    assert [tuple(row) for row in rows] == [
        ("look_at_subscription:sub_1", "open", 1),
        ("look_at_subscription:sub_2", "open", 2),
    ]


@pytest.mark.parametrize("payable", [True, False])
@pytest.mark.parametrize("status", list(Status))
async def test_a_slot_is_held_by_the_status_or_while_money_may_still_come(
    migrated: Database, status: Status, payable: bool
) -> None:
    workspace = f"ws-{uuid.uuid4().hex[:8]}"
    async with migrated.transaction() as session:
        await session.execute(text(REGISTERED), {"workspace": workspace})
        await session.execute(text(STARTED), _started(workspace, status, payable=payable))

    is_held = payable or status in {Status.PENDING, Status.PAID, Status.DELIVERED}
    refused = pytest.raises(IntegrityError, match="purchase_slot") if is_held else nullcontext()
    with refused:
        async with migrated.transaction() as session:
            await session.execute(text(STARTED), _started(workspace, Status.PENDING, payable=True))


def _started(workspace: str, status: Status, *, payable: bool) -> dict[str, object]:
    return {"id": uuid.uuid4(), "workspace": workspace, "status": status.value, "payable": payable}


REGISTERED: Final = """
    insert into workspaces (id, name, owner_user_id, owner_email)
    values (:workspace, 'Acme', 'olga', 'olga@acme.example')
"""
STARTED: Final = """
    insert into workspace_addon_purchases (id, workspace_id, plan_addon_id, addon_slug, addon_name, price_cents,
        currency, status, payable, sequence, idempotency_key, request_fingerprint, bought_by, started_at, updated_at)
    values (:id, :workspace, '00000000-0000-0000-0000-00000000000a', 'setup', 'Setup', 49900, 'EUR',
        :status, :payable, 1, gen_random_uuid()::text, '', 'user:olga', now(), now())
"""
SUBSCRIBED_BEFORE: Final = (
    "insert into workspaces (id, name, owner_user_id, owner_email) values ('ws', 'Acme', 'olga', 'olga@acme.example')",
    """
    insert into subscriptions (stripe_subscription_id, workspace_id, stripe_customer_id, status, started_at,
        cancel_at_period_end, told_at, recorded_at)
    select 'sub_' || number, 'ws', 'cus_1', 'active', now(), false, now(), now() from generate_series(1, 2) as number
    """,
    """
    insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts, ended_at)
    values ('look_at_subscription', 'look_at_subscription:sub_2', 'sub_2', '{}', 'done', 1, now(), 1, now())
    """,
)
PAID_AND_REFUNDED_BEFORE: Final = (
    "insert into workspaces (id, name, owner_user_id, owner_email) values ('ws', 'Acme', 'olga', 'olga@acme.example')",
    """
    insert into workspace_addon_purchases (id, workspace_id, plan_addon_id, addon_slug, addon_name, price_cents,
        currency, status, payable, sequence, idempotency_key, request_fingerprint, bought_by, started_at, updated_at)
    values ('00000000-0000-0000-0000-000000000001', 'ws', gen_random_uuid(), 'setup', 'Setup', 49900, 'EUR', 'paid',
        false, 1, 'key', '', 'user:olga', now(), now())
    """,
    """
    insert into purchase_payments (purchase_id, stripe_invoice_id, stripe_payment_intent_id, stripe_charge_id,
        paid_cents, invoice_paid_cents, shared, currency, returned, recorded_at)
    select id, 'in_1', 'pi_1', 'ch_1', 49900, 49900, false, 'EUR', false, now() from workspace_addon_purchases
    """,
    """
    insert into purchase_refunds (id, purchase_id, stripe_refund_id, kind, refund_cents, currency, status,
        stripe_invoice_id, recorded_at, updated_at)
    select gen_random_uuid(), id, 're_' || reported.status, 'refund', 100, 'EUR', reported.status, 'in_1', now(), now()
    from workspace_addon_purchases, (values ('succeeded'), ('failed')) as reported (status)
    """,
)
