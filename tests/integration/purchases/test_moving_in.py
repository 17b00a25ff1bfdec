"""A workspace whose subscription runs already is registered: what waits for it is applied, whatever comes first."""

import asyncio

from sqlalchemy import insert

from chassis.outbox import parked
from purchases.workspaces.rows import Workspace
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber


async def test_a_product_that_moves_in_brings_its_running_subscription_along(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    ours = await subscriber.subscribe(ours=False)
    product = await harness.client.v1.products.create_async({"name": "Something else"})
    other = await harness.client.v1.prices.create_async(
        {"product": product.id, "currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    await subscriber.subscribe(price=other.id, ours=False)
    await harness.register(subscriber.workspace_id, stripe_customer_id=subscriber.customer_id)

    await harness.settle_everything()

    assert [row["stripe_subscription_id"] for row in await subscriber.rows()] == [ours]
    assert await subscriber.plan() == "builder"
    await subscriber.hear()
    assert [row["stripe_subscription_id"] for row in await subscriber.rows()] == [ours]


async def unregistered(harness: Harness, subscriber: Subscriber) -> None:
    """A backup from before the registration is restored."""
    await harness.execute("delete from subscription_charges")
    for table in ("subscriptions", "subscription_invoices", "workspaces"):
        await harness.execute(
            f"delete from {table} where {'id' if table == 'workspaces' else 'workspace_id'} = :id",
            id=subscriber.workspace_id,
        )


async def test_what_waits_for_a_workspace_is_looked_up_at_once_when_it_is_registered(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription_id = await subscriber.subscribe()
    await unregistered(harness, subscriber)
    await harness.deliver(*await harness.facts())
    assert {fact["waits_for"] for fact in await harness.parked()} == {subscriber.workspace_id}

    await harness.register(subscriber.workspace_id)
    while await harness.consumer._retry_one():
        pass
    assert {fact["waits_for"] for fact in await harness.parked()} == {subscription_id}
    await harness.settle_everything()

    assert await harness.parked() == []
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")


async def test_what_comes_while_its_workspace_is_being_registered_does_not_wait_for_it(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    facts = await harness.facts()
    rows = await harness.rows("select * from workspaces where id = :id", id=subscriber.workspace_id)
    await unregistered(harness, subscriber)

    async with harness.database.transaction() as registering:
        await registering.execute(insert(Workspace).values(rows))
        await parked.lock_ids(registering, [subscriber.workspace_id])
        telling = asyncio.create_task(harness.deliver(*facts))
        await asyncio.sleep(0.5)
        assert not telling.done()
    await telling
    await harness.settle_everything()

    assert (await subscriber.plan(), await subscriber.status(), await harness.parked()) == ("builder", "active", [])
