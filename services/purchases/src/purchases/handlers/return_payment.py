"""Command: refund money that found no purchase to pay, once however often it is tried."""

from datetime import UTC, datetime
from typing import Any

from chassis.logs import get_logger
from purchases.handlers.apply_refund import apply_refund
from purchases.handlers.learn_ids import learn_of_invoice, release
from purchases.handlers.stripe_desk import DONE, Result, StripeDesk
from purchases.handlers.told_by_stripe import told_by_stripe
from purchases.payments.client import OutcomeUnknown, metadata_of_object, phase
from purchases.payments.invoices import intent_id_of
from purchases.payments.keys import idempotency_key
from purchases.payments.look import refunds_of_intent
from purchases.publisher import Cause
from purchases.store import commands, ledger
from purchases.store.commands import Command
from purchases.store.rows import Payment, Purchase

log = get_logger(__name__)


class NothingToReturn(Exception):  # noqa: N818 - named for what it says
    """The invoice was paid without a payment (out of band, or by the customer's balance): staff decides."""


async def return_payment(desk: StripeDesk, command: Command) -> Result:
    """Look whether it was refunded already, refund it if not, and record the refund.

    The payment's intent is stored before the refund is made, so that the refund's events find the payment.
    """
    intent_id = await _intent_of_payment(desk, command)
    returns = [one for one in await refunds_of_intent(desk.client, intent_id) if _is_this_return(one, command)]
    refund = returns[0] if returns else await _refund(desk, command, intent_id)
    async with desk.database.transaction() as session:
        purchase = await ledger.lock_one(session, command.purchase_id)
        payment = _payment_of(purchase, command)
        if purchase is not None and payment is not None:
            cause = Cause(actor="quittance", at=datetime.now(UTC), reason="money that found no purchase to pay")
            told = told_by_stripe(refund)
            await apply_refund(session, purchase=purchase, payment=payment, told=told, cause=cause)
    return DONE


async def _intent_of_payment(desk: StripeDesk, command: Command) -> str:
    """Raises NothingToReturn."""
    async with desk.database.reading() as session:
        payment = _payment_of(await ledger.find(session, command.purchase_id), command)
    if payment is not None and payment.stripe_payment_intent_id is not None:
        return payment.stripe_payment_intent_id
    invoice_id = command.arguments["invoice_id"]
    async with phase("look_at_invoice"):
        invoice = await desk.client.v1.invoices.retrieve_async(invoice_id, params={"expand": ["payments"]})
    intent_id = intent_id_of(invoice)
    if intent_id is None:
        raise NothingToReturn(invoice_id)
    await _learn(desk, command, intent_id)
    return intent_id


async def _learn(desk: StripeDesk, command: Command, intent_id: str) -> None:
    async with desk.database.transaction() as session:
        purchase = await ledger.lock_one(session, command.purchase_id)
        if purchase is not None:
            invoice_id = command.arguments["invoice_id"]
            ids = learn_of_invoice(purchase, invoice_id=invoice_id, payment_intent_id=intent_id, charge_id=None)
            await release(session, ids)


def _payment_of(purchase: Purchase | None, command: Command) -> Payment | None:
    payments = purchase.payments if purchase else []
    return next((one for one in payments if one.stripe_invoice_id == command.arguments["invoice_id"]), None)


async def _refund(desk: StripeDesk, command: Command, intent_id: str) -> Any:
    """The attempt's number grows only when Stripe has answered 5xx, which it repeats for ever under the old one."""
    attempt = int(command.arguments.get("attempt", 1))
    try:
        return await _ask_for_refund(desk, command, intent_id, attempt)
    except OutcomeUnknown as error:
        if error.stored:
            async with desk.database.transaction() as session:
                await commands.next_attempt(session, command, attempt=attempt + 1)
        raise


async def _ask_for_refund(desk: StripeDesk, command: Command, intent_id: str, attempt: int) -> Any:
    step = f"return-{command.arguments['invoice_id']}"
    async with phase("refund"):
        return await desk.client.v1.refunds.create_async(
            params={
                "payment_intent": intent_id,
                "amount": int(command.arguments["amount"]),
                "metadata": {
                    "quittance_instance": desk.instance,
                    "purchase_id": str(command.purchase_id),
                    "returned_invoice": command.arguments["invoice_id"],
                },
            },
            options={"idempotency_key": idempotency_key(desk.instance, command.purchase_id, step, attempt)},
        )


def _is_this_return(refund: Any, command: Command) -> bool:
    """One invoice may have paid for several purchases: both are compared."""
    wanted = {"purchase_id": str(command.purchase_id), "returned_invoice": command.arguments["invoice_id"]}
    return wanted.items() <= metadata_of_object(refund).items()
