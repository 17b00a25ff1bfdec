"""Command: ask Stripe whose payment went back, and take what is found as an event would be taken."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from chassis.logs import get_logger
from contracts.stripe_facts import InvoicePaid
from purchases.handlers.at_stripe.found_at_stripe import invoice_fact, received
from purchases.handlers.facts.apply_facts import apply_facts
from purchases.handlers.steps.land_refund import paid_with
from purchases.handlers.steps.references import names_in
from purchases.handlers.steps.stripe_desk import DONE, Result, StripeDesk
from purchases.payments.client import ObjectMissing
from purchases.payments.look import intent_of_charge, invoice_of_intent, paid_invoice
from purchases.store import ledger, plan_money
from purchases.store.commands import Command

log = get_logger(__name__)


async def identify(desk: StripeDesk, command: Command) -> Result:
    """Find the payment's invoice and its purchases; what waits for the payment is released, or ended as not ours.

    Released only where the ledger knows the payment now, else it would come back here at once. A purchase of ours
    without a row (a restored backup) stays waited for: the sweep adopts it. The rest is for staff.
    """
    charge_id = command.arguments["charge_id"]
    intent_id = command.arguments["payment_intent_id"] or await intent_of_charge(desk.client, charge_id)
    fact = await _paid_invoice(desk, intent_id)
    async with desk.database.transaction() as session:
        if fact is None:
            await _leave_alone(session, command, "not ours")
            return DONE
        await apply_facts(session, [received(fact)], instance=desk.instance)
        await session.flush()
        if await _is_known(session, intent_id, charge_id) or await _paid_the_plan(session, intent_id, charge_id):
            ids = [command.subject, *filter(None, (intent_id, charge_id))]
            await parked.lock_ids(session, (), stored=ids)
            await parked.release(session, ids=ids)
        elif await ledger.is_paid_with(session, fact.invoice_id):
            await _leave_to_staff(session, command, fact)
        elif not names_in(fact):
            await _leave_alone(session, command, "a subscription's charge, of no purchase")
    return DONE


async def _is_known(session: AsyncSession, intent_id: str | None, charge_id: str | None) -> bool:
    """Whether what waits for the payment would find it now."""
    ids = {one for one in (intent_id, charge_id) if one}
    named = (await ledger.resolve(session, stripe_ids=ids, purchase_ids=set())).purchases_of(ids)
    found = [await ledger.find(session, one) for one in named]
    purchases = [one for one in found if one is not None]
    return bool(paid_with(purchases, payment_intent_id=intent_id, charge_id=charge_id))


async def _paid_invoice(desk: StripeDesk, intent_id: str | None) -> InvoicePaid | None:
    """The invoice that the payment paid, as its event would tell it; None for what is not ours."""
    invoice = await _invoice_of(desk, intent_id)
    if invoice is None or invoice.status != "paid":
        return None
    fact = invoice_fact(invoice, await paid_invoice(desk.client, invoice))
    if fact.quittance_instance != desk.instance:
        return None
    return fact


async def _invoice_of(desk: StripeDesk, intent_id: str | None) -> Any:
    if intent_id is None:
        return None
    try:
        return await invoice_of_intent(desk.client, intent_id)
    except ObjectMissing:
        return None


async def _leave_to_staff(session: AsyncSession, command: Command, fact: InvoicePaid) -> None:
    """Its invoice was paid, but not by this payment as far as Stripe lists: nobody can say more by asking again."""
    await parked.lock_ids(session, [command.subject])
    why = f"money of a payment that Stripe does not list for its invoice {fact.invoice_id} went back"
    kept = await parked.leave_to_staff(session, ids=[command.subject], reason=why)
    log.error("not_identified", subject=command.subject, invoice=fact.invoice_id, facts=kept)


async def _paid_the_plan(session: AsyncSession, *ids: str | None) -> bool:
    """Whether it is known by now as what paid for a subscription: what waits will find it."""
    return bool(await plan_money.workspaces_by_payment(session, {one for one in ids if one is not None}))


async def _leave_alone(session: AsyncSession, command: Command, why: str) -> None:
    await parked.lock_ids(session, [command.subject])
    ended = await parked.discard(session, ids=[command.subject], resolution=why)
    log.info("left_alone", subject=command.subject, why=why, facts=ended)
