"""Saving a card: a Checkout session in `setup` mode, and what its completion means."""

from contracts import stripe_facts
from purchases.batch.context import BatchContext, count_outcome
from purchases.customers.usable_customer import ensure_usable_customer, map_stripe_errors
from purchases.jobs.kinds import AdoptCard
from purchases.jobs.store import Task, enqueue
from purchases.jobs.stripe_context import DONE, Result, StripeContext
from purchases.stripe_api.checkout import HostedPage, open_setup
from purchases.stripe_api.customers import card_of_setup, make_default
from purchases.workspaces import store as workspaces


async def save_card(context: StripeContext, *, workspace_id: str, return_url: str) -> HostedPage:
    """Open a page on which a card is saved; nothing is written here. Raises Problem 502 or 503 as Stripe answers."""
    async with map_stripe_errors(context.database, workspace_id=workspace_id):
        customer = await ensure_usable_customer(context, workspace_id=workspace_id)
        return await open_setup(
            context.client,
            instance=context.instance,
            workspace_id=workspace_id,
            customer_id=customer.customer_id,
            return_url=return_url,
        )


async def card_was_saved(context: BatchContext, fact: stripe_facts.CheckoutSessionCompleted) -> None:
    """Enqueue the adoption of the card that was saved last, in whatever order the events of several come."""
    if fact.setup_intent_id is None:
        count_outcome(fact, "no_effect")
        return
    if fact.quittance_instance != context.instance:
        count_outcome(fact, "not_ours")  # other software saved it for a customer that we share
        return
    workspace_id = await workspaces.keep_saved_card(
        context.session,
        customer_id=fact.customer_id,
        setup_intent_id=fact.setup_intent_id,
        saved_at=fact.occurred_at,
    )
    if workspace_id is None:
        count_outcome(fact, "not_ours_or_older")
        return
    await enqueue(context.session, AdoptCard(workspace_id=workspace_id))
    count_outcome(fact, "applied")


async def adopt_card(context: StripeContext, task: Task[AdoptCard]) -> Result:
    """Make the card that was saved last the customer's default; one that was removed since is left alone."""
    async with context.database.reading() as session:
        workspace = await workspaces.find(session, task.job.workspace_id)
    if workspace is None or workspace.stripe_customer_id is None or workspace.card_setup_intent_id is None:
        return DONE
    card = await card_of_setup(context.client, setup_intent_id=workspace.card_setup_intent_id)
    if card is not None and card.customer_id == workspace.stripe_customer_id:
        await make_default(context.client, customer_id=card.customer_id, payment_method_id=card.payment_method_id)
    return DONE
