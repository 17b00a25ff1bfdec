"""Command: ask Stripe whose payment a refund belongs to, and take what is found as an event would be taken."""

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from chassis.logs import get_logger
from purchases.domain.money import Mismatch, PaidInvoice
from purchases.handlers.apply_payment import apply_payment
from purchases.handlers.learn_ids import learn_of_invoice, release
from purchases.handlers.stripe_desk import DONE, Result, StripeDesk
from purchases.payments.client import ObjectMissing, metadata_of_object
from purchases.payments.look import intent_of_charge, invoice_of_intent, paid_invoice
from purchases.publisher import Cause
from purchases.store import ledger
from purchases.store.commands import Command
from purchases.store.rows import Purchase

log = get_logger(__name__)


async def identify(desk: StripeDesk, command: Command) -> Result:
    """Find the payment's invoice and its purchase; what waits for the payment is released, or ended as not ours.

    A purchase of ours without a row (a restored backup) stays waited for: the timer tries again.
    """
    charge_id = command.arguments["charge_id"]
    intent_id = command.arguments["payment_intent_id"] or await intent_of_charge(desk.client, charge_id)
    invoice = await _invoice_of(desk, intent_id)
    purchase_id = _our_purchase(invoice, desk.instance)
    paid = await paid_invoice(desk.client, invoice) if purchase_id and invoice.status == "paid" else None
    async with desk.database.transaction() as session:
        if purchase_id is None:
            await _leave_alone(session, command)
            return DONE
        purchase = await ledger.lock_one(session, purchase_id)
        if purchase is not None and paid is not None:
            await _take(session, purchase, paid, intent_id, charge_id)
    return DONE


async def _invoice_of(desk: StripeDesk, intent_id: str | None) -> Any:
    if intent_id is None:
        return None
    try:
        return await invoice_of_intent(desk.client, intent_id)
    except ObjectMissing:
        return None


def _our_purchase(invoice: Any, instance: str) -> uuid.UUID | None:
    metadata = metadata_of_object(invoice)
    ours = metadata.get("quittance_instance") == instance and "purchase_id" in metadata
    return uuid.UUID(metadata["purchase_id"]) if ours else None


async def _leave_alone(session: AsyncSession, command: Command) -> None:
    await parked.lock_ids(session, [command.subject])
    ended = await parked.discard(session, ids=[command.subject], resolution="not ours")
    log.info("left_alone", subject=command.subject, facts=ended)


async def _take(
    session: AsyncSession, purchase: Purchase, paid: PaidInvoice, intent_id: str | None, charge_id: str | None
) -> None:
    """The payment first, if its event never came; only ids that are stored then release what waits for them."""
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason="found by asking Stripe for a refund's payment")
    learned = await apply_payment(session, purchase=purchase, invoice=paid, cause=cause)
    if isinstance(learned, Mismatch):
        return
    ids = {"payment_intent_id": paid.payment_intent_id or intent_id, "charge_id": paid.charge_id or charge_id}
    learned += learn_of_invoice(purchase, invoice_id=paid.invoice_id, **ids)
    await release(session, [*learned, *(one for one in ids.values() if one)])
