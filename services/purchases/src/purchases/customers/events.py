"""Applier of `customer.deleted`: the workspace forgets the customer, and the next need makes a new one."""

from chassis.kafka.records import Received
from contracts import stripe_facts
from purchases.batch.context import BatchContext, count_outcome, fact_as
from purchases.workspaces import store as workspaces


async def customer_deleted(context: BatchContext, received: Received) -> None:
    """Forget the workspace's customer, unless it has a new one already; purchases keep theirs: it is who paid."""
    fact = fact_as(stripe_facts.CustomerDeleted, received)
    found = await workspaces.forget_customer(context.session, customer_id=fact.object_id)
    count_outcome(fact, "applied" if found else "not_ours")
