"""What commands that send money back have in common: the payment's intent, a look, one refund at Stripe."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from purchases.handlers.steps.learn_ids import learn_of_invoice, release
from purchases.handlers.steps.stripe_desk import StripeDesk
from purchases.payments.client import OutcomeUnknown, phase
from purchases.payments.invoices import intent_id_of
from purchases.payments.keys import idempotency_key
from purchases.payments.refunds import create_refund, find_refund
from purchases.store import commands, ledger
from purchases.store.commands import Command
from purchases.store.rows import Payment, Purchase


class NothingToReturn(Exception):  # noqa: N818 - named for what it says
    """The invoice was paid without a payment (out of band, or by the customer's balance): staff decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Money to send back: `amount` in minor units, and what tells this refund from every other one at Stripe."""

    payment_intent_id: str
    amount: int
    metadata: Mapping[str, str]
    known_by: Mapping[str, str]
    subject: str
    step: str


def payment_of(purchase: Purchase | None, command: Command) -> Payment | None:
    """The payment whose money the command sends back."""
    payments = purchase.payments if purchase else []
    return next((one for one in payments if one.stripe_invoice_id == command.arguments["invoice_id"]), None)


async def intent_of_payment(desk: StripeDesk, command: Command) -> str:
    """The payment's intent, stored before any refund is made, so that the refund's events find the payment.

    Raises NothingToReturn.
    """
    async with desk.database.reading() as session:
        payment = payment_of(await ledger.find(session, command.purchase_id), command)
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


async def send_back(desk: StripeDesk, command: Command, sending: Sending) -> Any:
    """The refund that an earlier try made, or a new one.

    The attempt's number grows only when Stripe has answered 5xx, which it repeats for ever under the old one.
    """
    made = await find_refund(desk.client, payment_intent_id=sending.payment_intent_id, known_by=sending.known_by)
    if made is not None:
        return made
    attempt = int(command.arguments.get("attempt", 1))
    try:
        return await create_refund(
            desk.client,
            payment_intent_id=sending.payment_intent_id,
            amount=sending.amount,
            metadata=sending.metadata,
            idempotency_key=idempotency_key(desk.instance, sending.subject, sending.step, attempt),
        )
    except OutcomeUnknown as error:
        if error.stored:
            async with desk.database.transaction() as session:
                await commands.next_attempt(session, command, attempt=attempt + 1)
        raise
