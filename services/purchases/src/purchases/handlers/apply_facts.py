"""The worker's batch: resolve, lock workspaces then purchases in id order, apply in offset order."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from prometheus_client import Counter
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from chassis.fates import TryAgain
from chassis.logs import get_logger
from chassis.records import Received
from contracts import AddonState, Fact
from contracts import stripe_facts as told
from contracts.purchase_facts import PaymentParked
from purchases.domain.money import Line, Mismatch, PaidInvoice
from purchases.domain.transitions import Status, Trigger
from purchases.handlers.apply_payment import apply_payment
from purchases.handlers.apply_refund import ToldRefund, apply_cumulative, apply_refund, has_payment
from purchases.handlers.learn_ids import learn_ids, learn_payment_ids, paid_mark, release
from purchases.handlers.move_purchase import move_or_record_stale
from purchases.publisher import Cause, announce
from purchases.store import addons, commands, ledger
from purchases.store.rows import Purchase, Workspace

log = get_logger(__name__)

FactT = TypeVar("FactT", bound=Fact)
CONSUMER: Final = "purchases"
OUTCOMES: Final = Counter("billing_stripe_facts_total", "Stripe facts by what became of them.", ["type", "outcome"])


@dataclass(slots=True)
class Work:
    """One batch at hand: its session, the locked purchases, and the ids that it learned."""

    session: AsyncSession
    instance: str
    names: ledger.Names
    purchases: Mapping[uuid.UUID, Purchase]
    learned: list[str] = field(default_factory=list)

    def purchase_of(self, *ids: str | None) -> Purchase | None:
        """The locked purchase that the first known id names."""
        found = self.names.purchase_of(*ids)
        return self.purchases.get(found) if found else None


async def apply_facts(session: AsyncSession, batch: Sequence[Received], *, instance: str) -> None:
    """Apply a batch of facts of Stripe and of the catalog. Raises TryAgain when an id was stored meanwhile."""
    for received in batch:
        if isinstance(received.fact, AddonState):
            await addons.keep(session, received.fact)
    ours = [received for received in batch if _may_be_ours(received.fact, instance)]
    if ours:
        await _apply_stripe_facts(session, ours, instance)


def _may_be_ours(fact: Fact, instance: str) -> bool:
    if not isinstance(fact, told.StripeFact):
        return False
    if fact.quittance_instance not in (None, instance):
        _count(fact, "another_instance")
        return False
    return True


async def _apply_stripe_facts(session: AsyncSession, batch: Sequence[Received], instance: str) -> None:
    references = {received.envelope.id: _references(received.fact) for received in batch}
    names = await _resolve(session, references.values())
    purchases = await ledger.lock(session, set(names.by_id.values()))
    unresolved = {one for ids in references.values() if names.purchase_of(*ids) is None for one in ids}
    if unresolved:
        await _make_sure(session, unresolved)
    work = Work(session, instance, names, purchases)
    for received in batch:
        await APPLY[type(received.fact)](work, received)
    await release(session, work.learned)


async def _make_sure(session: AsyncSession, ids: set[str]) -> None:
    """Whoever stores one of these ids holds its lock: what is unknown under the lock may be parked."""
    await parked.lock_ids(session, ids)
    if (await _resolve(session, [ids])).by_id:
        raise TryAgain("an id was stored meanwhile")


async def _resolve(session: AsyncSession, references: Any) -> ledger.Names:
    ids = {one for group in references for one in group}
    purchase_ids = {parsed for one in ids if (parsed := _uuid(one))}
    return await ledger.resolve(session, stripe_ids=ids, purchase_ids=purchase_ids)


def _references(fact: Fact) -> list[str]:
    """The ids by which the purchase is looked for, the surest first (SPEC §4)."""
    match fact:
        case told.InvoiceFact():
            lines = [line.purchase_id for line in fact.lines]
            ids = [fact.invoice_id, fact.purchase_id, *lines]
        case told.InvoicePaymentLinked():
            ids = [fact.invoice_id, fact.payment_intent_id]
        case told.ChargeRefunded():
            ids = [fact.payment_intent_id, fact.invoice_id, fact.charge_id, fact.purchase_id]
        case told.RefundChanged():
            ids = [fact.payment_intent_id, fact.charge_id, fact.purchase_id]
        case _:
            ids = []
    return [one for one in ids if one]


async def _invoice_paid(work: Work, received: Received) -> None:
    fact = _as(told.InvoicePaid, received)
    purchase = work.purchase_of(*_references(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    cause = _cause(fact)
    outcome = await apply_payment(work.session, purchase=purchase, invoice=paid_invoice(fact), cause=cause)
    if isinstance(outcome, Mismatch):
        await _park_money(work, received, purchase, fact, outcome)
        return
    work.learned += outcome
    _count(fact, "applied")


async def _park_money(
    work: Work, received: Received, purchase: Purchase, fact: told.InvoicePaid, mismatch: Mismatch
) -> None:
    """Money that is not surely this purchase's: nothing moves, the team is told, staff decides."""
    cause = _cause(fact, reason=mismatch.reason)
    announce(
        work.session,
        purchase,
        PaymentParked,
        cause=cause,
        stripe_invoice_id=fact.invoice_id,
        amount_paid_cents=fact.amount_paid,
        amount_paid_currency=fact.currency.upper(),
    )
    await parked.park(work.session, received, consumer=CONSUMER, reason=mismatch.reason)
    _count(fact, "parked")


async def _invoice_payment_failed(work: Work, received: Received) -> None:
    fact = _as(told.InvoicePaymentFailed, received)
    purchase = work.purchase_of(*_references(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    work.learned += learn_ids(purchase, invoice_id=fact.invoice_id, payment_intent_id=fact.payment_intent_id)
    if fact.needs_customer:
        _count(fact, "needs_customer")
    elif fact.needs_customer is None and purchase.status is Status.PENDING:
        # The payload cannot tell a decline from a missing authentication: Stripe is asked after the commit.
        await commands.ask(work.session, kind="settle", subject=str(purchase.id))
        _count(fact, "asked")
    else:
        await _fail(work, purchase, fact)


async def _fail(work: Work, purchase: Purchase, fact: told.InvoicePaymentFailed) -> None:
    cause = _cause(fact)
    if purchase.status is Status.PENDING:
        purchase.failure_code = fact.failure_code
        purchase.declined_at = cause.at
    moved = move_or_record_stale(work.session, purchase, Trigger.PAYMENT_FAILED, cause=cause)
    if moved:
        await commands.ask(work.session, kind="void", subject=str(purchase.id))
    _count(fact, "applied" if moved else "stale")


async def _invoice_payment_action_required(work: Work, received: Received) -> None:
    fact = _as(told.InvoicePaymentActionRequired, received)
    purchase = work.purchase_of(*_references(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    work.learned += learn_ids(purchase, invoice_id=fact.invoice_id, payment_intent_id=fact.payment_intent_id)
    if purchase.status is Status.PENDING and purchase.action_url is None:
        # Our own URL, which brings the buyer back, is better than the invoice's page, which does not.
        purchase.action_url = fact.action_url or fact.hosted_invoice_url
    _count(fact, "applied")


async def _invoice_voided(work: Work, received: Received) -> None:
    fact = _as(told.InvoiceVoided, received)
    purchase = work.purchase_of(*_references(fact))
    if purchase is None:
        await _park_if_ours(work, received, fact)
        return
    work.learned += learn_ids(purchase, invoice_id=fact.invoice_id)
    _count(fact, "applied" if void(work.session, purchase, fact.invoice_id, cause=_cause(fact)) else "stale")


def void(session: AsyncSession, purchase: Purchase, invoice_id: str, *, cause: Cause) -> bool:
    """The purchase's invoice can never be paid again: its slot is free, and a pending one has failed."""
    if purchase.stripe_invoice_id != invoice_id:
        return False
    purchase.payable = False
    if purchase.status in {Status.FAILED, Status.CANCELLED}:
        return True
    return move_or_record_stale(session, purchase, Trigger.INVOICE_VOIDED, cause=cause)


async def _invoice_payment_linked(work: Work, received: Received) -> None:
    fact = _as(told.InvoicePaymentLinked, received)
    purchase = work.purchase_of(fact.invoice_id)
    if purchase is None:
        _count(fact, "not_ours")
        return
    ids = {"payment_intent_id": fact.payment_intent_id, "charge_id": fact.charge_id}
    if purchase.stripe_invoice_id == fact.invoice_id:
        work.learned += learn_ids(purchase, **ids)
    for payment in purchase.payments:
        if payment.stripe_invoice_id == fact.invoice_id:
            work.learned += learn_payment_ids(payment, **ids)
    _count(fact, "applied")


async def _charge_refunded(work: Work, received: Received) -> None:
    fact = _as(told.ChargeRefunded, received)
    purchase = work.purchase_of(*_references(fact))
    if purchase is None:
        await _ask_whose(work, received, fact.payment_intent_id, fact.charge_id)
        return
    if not has_payment(purchase):
        await _wait_for_payment(work, received, purchase)
        return
    cause = _cause(fact)
    work.learned += learn_ids(purchase, charge_id=fact.charge_id)
    for refund in fact.refunds:
        one = told_refund(refund, payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id)
        await apply_refund(work.session, purchase=purchase, told=one, cause=cause)
    if _paid_by(purchase, fact):
        await apply_cumulative(work.session, purchase=purchase, amount_refunded=fact.amount_refunded, cause=cause)
    if sum(refund.amount for refund in fact.refunds) != fact.amount_refunded:
        await commands.ask(
            work.session,
            kind="look_at_charge",
            subject=fact.charge_id,
            purchase_id=str(purchase.id),
            amount_refunded=fact.amount_refunded,
            currency=fact.currency,
        )
    _count(fact, "applied")


def _said(purchase: Purchase, fact: told.ChargeRefunded) -> dict[str, Any]:
    return {
        "purchase_id": str(purchase.id),
        "amount_refunded": fact.amount_refunded,
        "currency": fact.currency,
    }


def _paid_by(purchase: Purchase, fact: told.ChargeRefunded) -> bool:
    """Whether this charge is the sale's, and not that of a duplicate which was returned."""
    sale = [payment for payment in purchase.payments if not payment.returned]
    returned = [payment for payment in purchase.payments if payment.returned]
    ids = {fact.payment_intent_id, fact.charge_id} - {None}
    named = any({payment.stripe_payment_intent_id, payment.stripe_charge_id} & ids for payment in sale)
    return named or (bool(sale) and not returned)


async def _refund_changed(work: Work, received: Received) -> None:
    fact = _as(told.RefundChanged, received)
    purchase = work.purchase_of(*_references(fact))
    if purchase is None:
        await _ask_whose(work, received, fact.payment_intent_id, fact.charge_id)
        return
    if not has_payment(purchase):
        await _wait_for_payment(work, received, purchase)
        return
    work.learned += learn_ids(purchase, charge_id=fact.charge_id)
    one = told_refund(fact.refund, payment_intent_id=fact.payment_intent_id, charge_id=fact.charge_id)
    await apply_refund(work.session, purchase=purchase, told=one, cause=_cause(fact))
    _count(fact, "applied")


async def _unrecognised(work: Work, received: Received) -> None:
    fact = _as(told.UnrecognisedEvent, received)
    await parked.park(work.session, received, consumer=CONSUMER, reason=f"unknown shape: {fact.reason}")
    _count(fact, "parked")


async def _wait_for_payment(work: Work, received: Received, purchase: Purchase) -> None:
    """A refund of a purchase whose payment we have not seen: the payment must be somewhere, so we look for it."""
    await parked.park(
        work.session, received, consumer=CONSUMER, reason="refund before its payment", waits_for=paid_mark(purchase)
    )
    await commands.ask(work.session, kind="settle", subject=str(purchase.id))
    _count(received.fact, "waits")


async def _ask_whose(work: Work, received: Received, payment_intent_id: str | None, charge_id: str | None) -> None:
    """A refund that names no purchase of ours: parked until Stripe has said whose payment it is."""
    subject = payment_intent_id or charge_id
    reason = "a refund of an unknown payment"
    await parked.park(work.session, received, consumer=CONSUMER, reason=reason, waits_for=subject)
    if subject is not None:
        await commands.ask(
            work.session, kind="identify", subject=subject, payment_intent_id=payment_intent_id, charge_id=charge_id
        )
    _count(received.fact, "waits")


async def _park_if_ours(work: Work, received: Received, fact: told.InvoiceFact) -> None:
    """No purchase of ours: set aside when it must be ours, left alone when it is somebody else's."""
    subscription = fact.subscription_id is not None
    ours = fact.quittance_instance == work.instance or (
        not subscription and fact.customer_id is not None and await _our_customer(work.session, fact.customer_id)
    )
    if ours and not subscription:
        waits_for = fact.purchase_id or fact.invoice_id
        reason = "an invoice of ours without a purchase"
        await parked.park(work.session, received, consumer=CONSUMER, reason=reason, waits_for=waits_for)
    _count(fact, "waits" if ours and not subscription else "not_ours")


async def _our_customer(session: AsyncSession, customer_id: str) -> bool:
    return bool(await session.scalar(select(exists().where(Workspace.stripe_customer_id == customer_id))))


Applier = Callable[[Work, Received], Awaitable[None]]

APPLY: Final[Mapping[type[Fact], Applier]] = {
    told.InvoicePaid: _invoice_paid,
    told.InvoicePaymentFailed: _invoice_payment_failed,
    told.InvoicePaymentActionRequired: _invoice_payment_action_required,
    told.InvoiceVoided: _invoice_voided,
    told.InvoicePaymentLinked: _invoice_payment_linked,
    told.ChargeRefunded: _charge_refunded,
    told.RefundChanged: _refund_changed,
    told.UnrecognisedEvent: _unrecognised,
}


def paid_invoice(fact: told.InvoicePaid) -> PaidInvoice:
    """The event's invoice as the domain knows it."""
    return PaidInvoice(
        invoice_id=fact.invoice_id,
        customer_id=fact.customer_id,
        amount_paid=fact.amount_paid,
        currency=fact.currency,
        lines=tuple(
            Line(
                amount=line.amount,
                currency=line.currency,
                price_id=line.price_id,
                purchase_id=line.purchase_id,
                discount_cents=line.discount_cents,
                tax_cents=line.tax_cents,
            )
            for line in fact.lines
        ),
        lines_complete=fact.lines_complete,
        payment_intent_id=fact.payment_intent_id,
        charge_id=fact.charge_id,
    )


def told_refund(refund: told.RefundSnapshot, *, payment_intent_id: str | None, charge_id: str | None) -> ToldRefund:
    """The event's refund as the handler takes it."""
    return ToldRefund(
        refund_id=refund.refund_id,
        refund_cents=refund.amount,
        currency=refund.currency,
        status=refund.status,
        failure_reason=refund.failure_reason,
        payment_intent_id=payment_intent_id,
        charge_id=charge_id,
    )


def _cause(fact: told.StripeFact, *, reason: str | None = None) -> Cause:
    return Cause(actor="stripe", at=datetime.now(UTC), stripe_event_id=fact.stripe_event_id, reason=reason)


def _as(kind: type[FactT], received: Received) -> FactT:
    if not isinstance(received.fact, kind):
        raise TypeError(f"{type(received.fact).__name__} is no {kind.__name__}")
    return received.fact


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _count(fact: Fact, outcome: str) -> None:
    OUTCOMES.labels(fact.TYPE, outcome).inc()
