"""What commands that send money back have in common: the payment's charges, a look, one refund at Stripe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from purchases.jobs import store as commands
from purchases.jobs.store import Command
from purchases.jobs.stripe_context import StripeDesk
from purchases.ledger import store as ledger
from purchases.ledger.learn_ids import learn_of_invoice, refundable_charges, release_waiting
from purchases.ledger.rows import Charge, Payment, Purchase
from purchases.stripe_api.client import OutcomeUnknown, phase
from purchases.stripe_api.fetch import whole_json
from purchases.stripe_api.invoices import EXPAND
from purchases.stripe_api.keys import idempotency_key
from purchases.stripe_api.paid_invoices import part_of
from purchases.stripe_api.reading import read_json
from purchases.stripe_api.refunds import ChargeIds, create_refund, find_refund
from purchases.stripe_api.values import Part
from stripe_reader.payments import read_parts


class NothingToReturn(Exception):  # noqa: N818 - named for what it says
    """The invoice was paid without a payment (out of band, or by the customer's balance): staff decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One charge of a payment: what money can go back through; `cents` None: nobody said how much it took."""

    number: int
    charge: ChargeIds
    cents: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Money to send back: `amount` in minor units, and what tells this refund from every other one at Stripe."""

    charge: ChargeIds
    amount: int
    metadata: Mapping[str, str]
    known_by: Mapping[str, str]
    subject: str
    step: str


def payment_of(purchase: Purchase | None, command: Command) -> Payment | None:
    """The payment whose money the command sends back."""
    payments = purchase.payments if purchase else []
    return next((one for one in payments if one.stripe_invoice_id == command.arguments["invoice_id"]), None)


async def sources_of(desk: StripeDesk, command: Command) -> Sequence[Source]:
    """The payment's charges, stored before any refund is made, so that the refund's events find the payment.

    Raises NothingToReturn.
    """
    known = await _known_sources(desk, command)
    if not known and await learn_sources(desk, command):
        known = await _known_sources(desk, command)
    if not known:
        raise NothingToReturn(command.arguments["invoice_id"])
    return known


async def learn_sources(desk: StripeDesk, command: Command) -> bool:
    """Ask Stripe which charges paid the invoice; True where that was news."""
    invoice_id = command.arguments["invoice_id"]
    async with phase("look_at_invoice"):
        invoice = await desk.client.v1.invoices.retrieve_async(invoice_id, params={"expand": EXPAND})
    parts = [part_of(part) for part in read_json(read_parts, await whole_json(desk.client, invoice))]
    async with desk.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, command.purchase_id)
        before = _charges(purchase, command)
        learned = _learn(purchase, invoice_id, parts)
        await release_waiting(session, learned)
        return _charges(purchase, command) != before


def _learn(purchase: Purchase | None, invoice_id: str, parts: Sequence[Part]) -> list[str]:
    return learn_of_invoice(purchase, invoice_id=invoice_id, parts=parts) if purchase is not None else []


def _charges(purchase: Purchase | None, command: Command) -> list[tuple[str | None, str | None, int | None]]:
    payment = payment_of(purchase, command)
    charges = payment.charges if payment else []
    return [(one.stripe_payment_intent_id, one.stripe_charge_id, one.amount_cents) for one in charges]


async def _known_sources(desk: StripeDesk, command: Command) -> list[Source]:
    async with desk.database.reading() as session:
        payment = payment_of(await ledger.find(session, command.purchase_id), command)
    return [_source(one) for one in (refundable_charges(payment) if payment else [])]


def _source(charge: Charge) -> Source:
    ids = ChargeIds(payment_intent_id=charge.stripe_payment_intent_id, charge_id=charge.stripe_charge_id)
    return Source(number=charge.number, charge=ids, cents=charge.amount_cents)


async def send_refund(desk: StripeDesk, command: Command, sending: Sending) -> Any:
    """The refund that an earlier try made, or a new one.

    The attempt's number grows only when Stripe has answered 5xx, which it repeats for ever under the old one.
    """
    made = await find_refund(desk.client, charge=sending.charge, known_by=sending.known_by)
    if made is not None:
        return made
    attempt = int(command.arguments.get("attempt", 1))
    try:
        return await create_refund(
            desk.client,
            charge=sending.charge,
            amount=sending.amount,
            metadata=sending.metadata,
            idempotency_key=idempotency_key(desk.instance, sending.subject, sending.step, attempt),
        )
    except OutcomeUnknown as error:
        if error.stored:
            async with desk.database.transaction() as session:
                await commands.next_attempt(session, command, attempt=attempt + 1)
        raise
