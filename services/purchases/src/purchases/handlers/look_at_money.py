"""Commands about money that Stripe must be asked for: a charge's refunds, whose payment it is, sending it back."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from chassis.logs import get_logger
from purchases.handlers.apply_refund import ToldRefund, apply_cumulative, apply_refund
from purchases.handlers.learn_ids import learn_ids, learn_payment_ids, release
from purchases.handlers.stripe_desk import DONE, Later, Result, StripeDesk
from purchases.payments.client import ObjectMissing, metadata_of_object, phase
from purchases.payments.invoices import intent_id_of
from purchases.payments.keys import idempotency_key
from purchases.payments.look import intent_of_charge, invoice_of_intent, reference, refunds_of_charge, refunds_of_intent
from purchases.publisher import Cause, refunded_cents
from purchases.store import ledger
from purchases.store.commands import Command
from purchases.store.rows import Purchase

log = get_logger(__name__)


async def look_at_charge(desk: StripeDesk, command: Command) -> Result:
    """List the charge's refunds as they are now and apply each.

    A charge that Stripe does not know is told by its payload: one refund per cumulative amount.
    """
    refunds = await refunds_of_charge(desk.client, command.subject)
    async with desk.database.transaction() as session:
        purchase = await ledger.lock_one(session, uuid.UUID(command.arguments["purchase_id"]))
        if purchase is None:
            return DONE
        cause = Cause(actor="stripe", at=datetime.now(UTC), reason="the charge's refunds as Stripe lists them")
        told = [told_by_stripe(refund) for refund in refunds] if refunds is not None else _cumulative(purchase, command)
        for one in told:
            await apply_refund(session, purchase=purchase, told=one, cause=cause)
        if refunds is not None:
            # The list is the truth now; an older cumulative figure must not stand above it.
            purchase.charge_refunded_cents = 0
            await apply_cumulative(session, purchase=purchase, amount_refunded=0, cause=cause)
    return DONE


def _cumulative(purchase: Purchase, command: Command) -> list[ToldRefund]:
    amount = int(command.arguments["amount_refunded"])
    known = refunded_cents_by_id(purchase)
    if amount <= known:
        return []
    return [
        ToldRefund(
            refund_id=f"{command.subject}:{amount}",
            refund_cents=amount - known,
            currency=command.arguments["currency"],
            status="succeeded",
            charge_id=command.subject,
        )
    ]


def refunded_cents_by_id(purchase: Purchase) -> int:
    """What went back by the refunds that are known one by one."""
    before, purchase.charge_refunded_cents = purchase.charge_refunded_cents, 0
    by_id = refunded_cents(purchase)
    purchase.charge_refunded_cents = before
    return by_id


async def identify(desk: StripeDesk, command: Command) -> Result:
    """Ask whose payment a refund belongs to, by its intent's invoice; what waits for it is released, or left alone."""
    intent_id = command.arguments["payment_intent_id"]
    charge_id = command.arguments["charge_id"]
    if intent_id is None and charge_id is not None:
        intent_id = await intent_of_charge(desk.client, charge_id)
    invoice = await _invoice_of(desk, intent_id)
    purchase_id = _our_purchase(invoice, desk.instance)
    async with desk.database.transaction() as session:
        purchase = await ledger.lock_one(session, purchase_id) if purchase_id else None
        if purchase is None:
            await parked.lock_ids(session, [command.subject])
            ended = await parked.discard(session, ids=[command.subject], resolution="not ours")
            log.info("left_alone", subject=command.subject, facts=ended)
            return DONE
        await _learn(session, purchase, invoice, intent_id, charge_id)
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


async def _learn(
    session: AsyncSession, purchase: Purchase, invoice: Any, intent_id: str | None, charge_id: str | None
) -> None:
    intent_id = intent_id or intent_id_of(invoice)
    learn_ids(purchase, invoice_id=invoice.id, payment_intent_id=intent_id, charge_id=charge_id)
    for payment in purchase.payments:
        if payment.stripe_invoice_id == invoice.id:
            learn_payment_ids(payment, payment_intent_id=intent_id, charge_id=charge_id)
    await release(session, [one for one in (intent_id, charge_id) if one])


async def return_payment(desk: StripeDesk, command: Command) -> Result:
    """Refund money that found no purchase to pay. A look comes first: the attempt's number may only grow after it."""
    invoice_id, amount = command.arguments["invoice_id"], int(command.arguments["amount"])
    intent_id = await _intent_of_payment(desk, command.purchase_id, invoice_id)
    if intent_id is None:
        return Later(timedelta(minutes=5))
    refunds = await refunds_of_intent(desk.client, intent_id)
    refund = next((one for one in refunds if _is_return(one, invoice_id)), None)
    if refund is None:
        refund = await _refund(desk, command, intent_id, invoice_id, amount)
    async with desk.database.transaction() as session:
        purchase = await ledger.lock_one(session, command.purchase_id)
        if purchase is not None:
            cause = Cause(actor="quittance", at=datetime.now(UTC), reason="money that found no purchase to pay")
            await apply_refund(session, purchase=purchase, told=told_by_stripe(refund), cause=cause)
    return DONE


async def _intent_of_payment(desk: StripeDesk, purchase_id: uuid.UUID, invoice_id: str) -> str | None:
    async with desk.database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
    payments = purchase.payments if purchase else []
    known = next((one.stripe_payment_intent_id for one in payments if one.stripe_invoice_id == invoice_id), None)
    if known is not None:
        return known
    async with phase("look_at_invoice"):
        invoice = await desk.client.v1.invoices.retrieve_async(invoice_id, params={"expand": ["payments"]})
    return intent_id_of(invoice)


async def _refund(desk: StripeDesk, command: Command, intent_id: str, invoice_id: str, amount: int) -> Any:
    key = idempotency_key(desk.instance, command.purchase_id, f"return-{invoice_id}", command.attempts)
    async with phase("refund"):
        return await desk.client.v1.refunds.create_async(
            params={
                "payment_intent": intent_id,
                "amount": amount,
                "metadata": {
                    "quittance_instance": desk.instance,
                    "purchase_id": str(command.purchase_id),
                    "returned_invoice": invoice_id,
                },
            },
            options={"idempotency_key": key},
        )


def _is_return(refund: Any, invoice_id: str) -> bool:
    return metadata_of_object(refund).get("returned_invoice") == invoice_id


def told_by_stripe(refund: Any) -> ToldRefund:
    """A refund object of Stripe's API."""
    return ToldRefund(
        refund_id=refund.id,
        refund_cents=refund.amount,
        currency=refund.currency,
        status=refund.status,
        failure_reason=getattr(refund, "failure_reason", None),
        payment_intent_id=reference(refund.payment_intent),
        charge_id=reference(refund.charge),
    )
