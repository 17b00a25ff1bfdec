"""What jobs that send money back have in common: the payment's charges, a search, one refund at Stripe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from purchases.jobs.kinds import MakeRefund, MoneyBack
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import StripeContext, number_tries
from purchases.ledger import store as ledger
from purchases.ledger.apply_refund import StripeRefund, apply_refund, refuse_refund
from purchases.ledger.learn_ids import learn_of_invoice, refundable_charges, release_waiting
from purchases.ledger.money import REQUESTED
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Charge, Payment, Purchase, Refund
from purchases.stripe_api.fetch import whole_invoice
from purchases.stripe_api.keys import idempotency_key
from purchases.stripe_api.money_back import ChargeIds, create_refund, find_refund
from purchases.stripe_api.paid_invoices import part_of
from purchases.stripe_api.reading import Fetched
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
class OutgoingRefund:
    """Money to send back: `amount` in minor units, and what sets this refund apart at Stripe from every other one."""

    charge: ChargeIds
    amount: int
    metadata: Mapping[str, str]
    known_by: Mapping[str, str]
    subject: str
    step: str


def payment_of(purchase: Purchase | None, job: MoneyBack) -> Payment | None:
    """Return the payment whose money is sent back."""
    payments = purchase.payments if purchase else []
    return next((one for one in payments if one.stripe_invoice_id == job.invoice_id), None)


def requested_refund(purchase: Purchase | None, job: MakeRefund) -> Refund | None:
    """Return the requested refund or credit, while Stripe's answer on it is not known."""
    refunds = purchase.refunds if purchase else []
    return next((one for one in refunds if one.id == job.refund_id and one.status == REQUESTED), None)


async def sources_of(context: StripeContext, job: MoneyBack) -> Sequence[Source]:
    """Return the payment's charges, stored before any refund is made, so that the refund's events find the payment.

    Raises NothingToReturn, OutcomeUnknown or StripeRefused.
    """
    known = await _known_sources(context, job)
    if not known and await learn_sources(context, job):
        known = await _known_sources(context, job)
    if not known:
        raise NothingToReturn(job.invoice_id)
    return known


async def learn_sources(context: StripeContext, job: MoneyBack) -> bool:
    """Fetch which charges paid the invoice and store them; return whether that was news."""
    invoice_id = job.invoice_id
    invoice = await whole_invoice(context.client, invoice_id)
    parts = [part_of(part) for part in invoice.read(read_parts)]
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, job.purchase_id)
        before = _charges(purchase, job)
        if purchase is not None:
            await release_waiting(session, learn_of_invoice(purchase, invoice_id=invoice_id, parts=parts))
        return _charges(purchase, job) != before


def _charges(purchase: Purchase | None, job: MoneyBack) -> list[tuple[str | None, str | None, int | None]]:
    payment = payment_of(purchase, job)
    charges = payment.charges if payment else []
    return [(one.stripe_payment_intent_id, one.stripe_charge_id, one.amount_cents) for one in charges]


async def _known_sources(context: StripeContext, job: MoneyBack) -> list[Source]:
    async with context.database.reading() as session:
        payment = payment_of(await ledger.find(session, job.purchase_id), job)
    return [_source(one) for one in (refundable_charges(payment) if payment else [])]


def _source(charge: Charge) -> Source:
    ids = ChargeIds(payment_intent_id=charge.stripe_payment_intent_id, charge_id=charge.stripe_charge_id)
    return Source(number=charge.number, charge=ids, cents=charge.amount_cents)


async def send_refund(context: StripeContext, task: Task[MoneyBack], outgoing: OutgoingRefund) -> Fetched:
    """Return the refund that an earlier try made, or a new one. Raises StripeRefused or OutcomeUnknown."""
    made = await find_refund(context.client, charge=outgoing.charge, known_by=outgoing.known_by)
    if made is not None:
        return made
    refund = create_refund(
        context.client,
        charge=outgoing.charge,
        amount=outgoing.amount,
        metadata=outgoing.metadata,
        idempotency_key=idempotency_key(context.instance, outgoing.subject, outgoing.step, task.job.attempt),
    )
    return await number_tries(context, task, refund)


async def record_refund(
    context: StripeContext, job: MoneyBack, seen: StripeRefund, *, actor: str, reason: str | None = None
) -> None:
    """Apply what Stripe answered to the payment whose money went back, as the doing of `actor`."""
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, job.purchase_id)
        payment = payment_of(purchase, job)
        if purchase is not None and payment is not None:
            # Under the lock: what was published while it was waited for is not later than this.
            cause = Cause(actor=actor, at=datetime.now(UTC), reason=reason)
            await apply_refund(session, purchase=purchase, payment=payment, seen=seen, cause=cause)


async def record_refusal(context: StripeContext, job: MakeRefund, *, failure_reason: str, error: Exception) -> None:
    """Record that the requested refund or credit has failed for good, which frees its money."""
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, job.purchase_id)
        refund = requested_refund(purchase, job)
        cause = Cause(actor="stripe", at=datetime.now(UTC), reason=str(error))
        if purchase is not None and refund is not None:
            refuse_refund(session, purchase=purchase, refund=refund, failure_reason=failure_reason, cause=cause)
