"""A customer that is deleted at Stripe is forgotten; purchases keep who paid, and the next need makes a new one."""

from contracts.stripe_facts import CustomerDeleted
from purchases.customers.register_workspace import ensure_customer
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Harness


async def _deleted(harness: Harness, customer_id: str) -> list[CustomerDeleted]:
    await harness.client.v1.customers.delete_async(customer_id)
    return [fact for fact in await harness.facts() if isinstance(fact, CustomerDeleted)]


async def _customer(harness: Harness, workspace_id: str) -> str:
    return await ensure_customer(harness.context, workspace_id=workspace_id)


async def test_the_next_need_makes_a_new_one_and_purchases_keep_theirs(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    facts = await _deleted(harness, str(purchase.stripe_customer_id))

    await harness.deliver(*facts)
    new = await _customer(harness, purchase.workspace_id)
    await harness.deliver(*[fact.model_copy(update={"stripe_event_id": "evt_late"}) for fact in facts])

    assert new != purchase.stripe_customer_id
    assert new == await _customer(harness, purchase.workspace_id)
    row = await harness.purchase(purchase.id)
    assert (row.stripe_customer_id, row.status) == (purchase.stripe_customer_id, Status.PAID)
