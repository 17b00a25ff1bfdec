"""Applier of `customer.deleted`: the workspace forgets the customer, and the next need makes a new one."""

from sqlalchemy import update

from chassis.kafka.records import Received
from contracts import stripe_facts
from purchases.batch.context import BatchContext, count_outcome, fact_as
from purchases.workspaces.rows import Workspace


async def customer_deleted(context: BatchContext, received: Received) -> None:
    """Purchases keep theirs: it is who paid. Heard late, when there is a new customer already, it changes nothing."""
    fact = fact_as(stripe_facts.CustomerDeleted, received)
    forgotten = (
        update(Workspace)
        .where(Workspace.stripe_customer_id == fact.object_id)
        .values(stripe_customer_id=None, customer_asked_at=None)
        .returning(Workspace.id)
    )
    found = (await context.session.execute(forgotten)).first()
    count_outcome(fact, "applied" if found else "not_ours")
