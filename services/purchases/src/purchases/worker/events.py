"""APPLY: which subject takes which fact; and the order in which a batch is read, locked and applied."""

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import call_after_commit
from chassis.kafka.records import Received, span_of
from chassis.outbox import parked
from chassis.outbox.fates import TryAgain
from contracts import AddonState, Fact, PlanState, stripe_facts
from purchases.batch.context import OUTCOMES, BatchContext, Pages, count_outcome, fact_as, note_age, was_fetched
from purchases.batch.references import ids_of, is_uuid, payment_ids_of, subscription_ids_of
from purchases.catalog_copy import plans
from purchases.catalog_copy import store as addons
from purchases.checkout import events as checkout_facts
from purchases.checkout.plan_events import session_completed, session_paid, session_unpaid
from purchases.customers.events import customer_deleted
from purchases.disputes import events as dispute_facts
from purchases.invoices import events as invoice_facts
from purchases.jobs.kinds import ProvisionPlan, RenameProduct
from purchases.jobs.store import enqueue
from purchases.ledger import store as ledger
from purchases.ledger.learn_ids import paid_mark, release_waiting
from purchases.plan_money import events as plan_money_facts
from purchases.refunds import events as refund_facts
from purchases.subscriptions import events as subscription_facts
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.workspaces_by_event import workspaces_by_event
from purchases.workspaces import store as workspaces
from stripe_reader.unknown_shapes import read_owner_hints

LINKED_WITHIN: Final = timedelta(seconds=2)
"""By then `invoice_payment.paid` has mostly said what paid an invoice, and Stripe is not asked."""
NO_PAGES: Final = Pages("")


async def apply_facts(
    session: AsyncSession, batch: Sequence[Received], *, instance: str, pages: Pages = NO_PAGES
) -> None:
    """Apply a batch of the catalog's facts, then of Stripe's in their order; the caller commits.

    What the facts of Stripe name is read and locked first, for all of them at once. A fact of another instance is
    counted and changes nothing. `pages` is where a failed renewal sends the owner. Raises TryAgain when an id that a
    fact would have waited for was stored meanwhile: no fact of Stripe's has been applied then.
    """
    for received in batch:
        match received.fact:
            case AddonState() as addon:
                await _keep_addon(session, addon)
            case PlanState() as plan:
                await _keep_plan(session, plan)
    ours = [received for received in batch if _may_be_ours(received.fact, instance)]
    if not ours:
        return
    context = await _read_and_lock(session, ours, instance, pages)
    for received in ours:
        with span_of(received):
            await _apply(context, received)
    await enqueue(session, *context.still_unexplained(), after=LINKED_WITHIN)
    await release_waiting(session, context.learned)
    for received in ours:
        call_after_commit(session, partial(note_age, received))


async def _apply(context: BatchContext, received: Received) -> None:
    for applier in APPLY[type(received.fact)]:
        if await applier(context, received):
            break


async def _keep_addon(session: AsyncSession, addon: AddonState) -> None:
    if await addons.is_renamed(session, addon):
        await enqueue(session, RenameProduct(addon_id=addon.addon_id))
    await addons.keep(session, addon)


async def _keep_plan(session: AsyncSession, plan: PlanState) -> None:
    """Store the plan, and have prices that it lacks made at Stripe after this commit; what sells now sells on."""
    if await plans.keep(session, plan) and plans.lacks_a_price(plan):
        await enqueue(session, ProvisionPlan(plan=plan.plan))


def _may_be_ours(fact: Fact, instance: str) -> bool:
    if not isinstance(fact, stripe_facts.StripeFact):
        return False
    if fact.quittance_instance not in (None, instance):
        count_outcome(fact, "another_instance")
        return False
    return True


async def _read_and_lock(session: AsyncSession, batch: Sequence[Received], instance: str, pages: Pages) -> BatchContext:
    """Return what the batch names: the workspaces, then the purchases, each locked in the order of their ids.

    Last come the locks of the ids that may be waited for (`parked.lock_ids`). Whoever takes these locks in another
    order deadlocks with this.
    """
    named_ids = {one for received in batch for one in ids_of(received.fact)}
    index = await _resolve(session, named_ids)
    prices = await plans.price_ids(session)
    workspace_ids = await workspaces_by_event(
        session, [received.fact for received in batch], instance=instance, prices=prices
    )
    named = {purchase_id for group in index.by_id.values() for purchase_id in group}
    purchases = await ledger.lock_purchases(session, named, workspace_ids=set(workspace_ids.values()))
    unmatched = [received.fact for received in batch if not index.purchases_of(ids_of(received.fact))]
    locked = await workspaces.read_locked(session, set(workspace_ids.values()))
    our_customers = await _our_customers(session, unmatched)
    context = BatchContext(
        session,
        instance,
        index,
        purchases,
        our_customers,
        await _our_prices(session, unmatched, our_customers),
        workspaces_by_event={event: locked[workspace_id] for event, workspace_id in workspace_ids.items()},
        plan_prices=prices,
        pages=pages,
    )
    await _lock_awaited(
        session,
        {one for fact in unmatched if _may_wait(context, fact) for one in ids_of(fact)},
        _awaited_workspaces(context, batch),
        stored=named_ids.union(
            (paid_mark(purchase) for purchase in purchases.values()),
            *(payment_ids_of(received.fact) for received in batch),
            *(subscription_ids_of(received.fact) for received in batch),
        ),
    )
    return context


async def _our_customers(session: AsyncSession, unmatched: Sequence[Fact]) -> set[str]:
    asked = stripe_facts.InvoiceFact | stripe_facts.UnrecognisedEvent
    customers = {fact.customer_id for fact in unmatched if isinstance(fact, asked) and fact.customer_id}
    return await workspaces.with_customers(session, customers)


async def _our_prices(session: AsyncSession, unmatched: Sequence[Fact], our_customers: Collection[str]) -> set[str]:
    """Return the prices on invoices of our customers that we sell or sold at: other software may bill them too."""
    invoices = (
        fact for fact in unmatched if isinstance(fact, stripe_facts.InvoiceFact) and fact.customer_id in our_customers
    )
    return await addons.of_prices(
        session, {line.price_id for invoice in invoices for line in invoice.lines if line.price_id}
    )


def _may_wait(context: BatchContext, fact: Fact) -> bool:
    """Return whether it may be parked: no stranger's invoice, which costs no lock; whose a refund is, Stripe says."""
    if isinstance(fact, stripe_facts.InvoiceFact):
        return invoice_facts.may_wait(
            fact, instance=context.instance, our_customers=context.our_customers, our_prices=context.our_prices
        )
    return isinstance(fact, stripe_facts.ChargeRefunded | stripe_facts.RefundChanged | stripe_facts.DisputeChanged)


def _awaited_workspaces(context: BatchContext, batch: Sequence[Received]) -> set[str]:
    """Return the workspaces that a subscription's fact will wait for."""
    changes = (received.fact for received in batch if isinstance(received.fact, stripe_facts.SubscriptionChanged))
    unmatched = (fact for fact in changes if fact.stripe_event_id not in context.workspaces_by_event)
    return {
        str(fact.workspace_id)
        for fact in unmatched
        if subscription_facts.names_workspace(fact, instance=context.instance)
    }


async def _lock_awaited(session: AsyncSession, ids: set[str], workspace_ids: set[str], *, stored: set[str]) -> None:
    """Lock what is unknown and may be waited for, so that nobody stores it before this batch has parked its facts.

    What the batch itself may store at its end, `stored`, is locked with it: two batches that lock twice may deadlock.
    Raises TryAgain when one of the ids is known by now.
    """
    if not ids | workspace_ids:
        return
    await parked.lock_ids(session, ids | workspace_ids, stored=stored)
    if (await _resolve(session, ids)).by_id or await workspaces.registered(session, workspace_ids):
        raise TryAgain("an id was stored meanwhile")


async def _resolve(session: AsyncSession, ids: set[str]) -> ledger.PurchaseIndex:
    purchase_ids = {uuid.UUID(one) for one in ids if is_uuid(one)}
    return await ledger.resolve(session, stripe_ids=ids, purchase_ids=purchase_ids)


async def _unrecognised(context: BatchContext, received: Received) -> None:
    fact = fact_as(stripe_facts.UnrecognisedEvent, received)
    if not was_fetched(received) and await _is_of_strangers(context, fact):
        count_outcome(fact, "not_ours")
        return
    await context.park(received, reason=f"unknown shape: {fact.reason}")
    count_outcome(fact, "parked")


async def _is_of_strangers(context: BatchContext, fact: stripe_facts.UnrecognisedEvent) -> bool:
    """Return whether its customer, metadata and ids could be read and none of them is ours; in doubt it is kept."""
    names = read_owner_hints(fact.body)
    if not names.is_readable or names.has_our_metadata or names.customer_id in context.our_customers:
        return False
    if (await _resolve(context.session, set(names.ids))).by_id:
        return False
    return not await subscriptions.workspaces_of(context.session, names.ids)


async def _no_effect_yet(_: BatchContext, received: Received) -> None:
    """Count a known fact that changes nothing here so far."""
    count_outcome(received.fact, "no_effect")


Applier = Callable[[BatchContext, Received], Awaitable[bool | None]]
"""Does with one fact what its subject makes of it. True: the fact is about the plan's money, and no purchase's."""

APPLY: Final[Mapping[type[Fact], tuple[Applier, ...]]] = {
    stripe_facts.InvoicePaid: (subscription_facts.invoice_paid, invoice_facts.invoice_paid),
    stripe_facts.InvoicePaymentFailed: (
        subscription_facts.invoice_payment_failed,
        invoice_facts.invoice_payment_failed,
    ),
    stripe_facts.InvoicePaymentActionRequired: (invoice_facts.invoice_payment_action_required,),
    stripe_facts.InvoiceVoided: (invoice_facts.invoice_voided,),
    stripe_facts.InvoicePaymentLinked: (subscription_facts.payment_linked, invoice_facts.invoice_payment_linked),
    stripe_facts.ChargeRefunded: (plan_money_facts.charge_refunded, refund_facts.charge_refunded),
    stripe_facts.RefundChanged: (plan_money_facts.refund_changed, refund_facts.refund_changed),
    stripe_facts.InvoiceDeleted: (invoice_facts.invoice_deleted,),
    stripe_facts.InvoiceMarkedUncollectible: (invoice_facts.invoice_marked_uncollectible,),
    stripe_facts.DisputeChanged: (plan_money_facts.dispute_changed, dispute_facts.dispute_changed),
    stripe_facts.CheckoutSessionExpired: (checkout_facts.session_expired,),
    stripe_facts.CheckoutSessionCompleted: (session_completed, checkout_facts.session_completed),
    stripe_facts.CheckoutSessionPaid: (session_paid, checkout_facts.session_paid),
    stripe_facts.CheckoutSessionUnpaid: (session_unpaid, checkout_facts.session_unpaid),
    stripe_facts.SubscriptionChanged: (subscription_facts.subscription_changed,),
    stripe_facts.SubscriptionScheduleChanged: (subscription_facts.schedule_changed,),
    stripe_facts.SubscriptionTrialWillEnd: (_no_effect_yet,),
    stripe_facts.CustomerDeleted: (customer_deleted,),
    stripe_facts.UnrecognisedEvent: (_unrecognised,),
}
"""Who applies which fact, one after the other."""
for known in APPLY:
    for what in ("applied", "parked"):
        OUTCOMES.labels(known.TYPE, what)
