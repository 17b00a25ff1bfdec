"""Command: list a charge's refunds as they are now, for what its events cannot tell."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from contracts.stripe_facts import RefundChanged
from purchases.domain.charges import Shares
from purchases.domain.money import refunded_cents
from purchases.handlers.at_stripe.found_at_stripe import received, refund_fact
from purchases.handlers.at_stripe.set_unknown_aside import set_unknown_aside
from purchases.handlers.facts.refund_facts import set_aside, told_refund
from purchases.handlers.facts.whose_payment import is_foreign
from purchases.handlers.steps.apply_refund import ToldRefund, follow_the_money
from purchases.handlers.steps.land_refund import Paid, in_currency_of, land, land_all, paid_with
from purchases.handlers.steps.learn_ids import release
from purchases.handlers.steps.stripe_desk import DONE, Result, StripeDesk
from purchases.handlers.steps.work import Work
from purchases.payments.client import ObjectMissing, UnknownShape
from purchases.payments.look import refunds_of_charge, refunds_of_intent
from purchases.publisher import Cause
from purchases.store import ledger
from purchases.store.commands import Command
from purchases.store.waiting import allocation_mark, is_set_aside


async def look_at_charge(desk: StripeDesk, command: Command) -> Result:
    """Apply each of the charge's refunds; of a charge that Stripe does not know, what its events said."""
    refunds = await _refunds(desk, command.subject)
    async with desk.database.transaction() as session:
        names = await ledger.resolve(session, stripe_ids={command.subject}, purchase_ids={command.purchase_id})
        purchases = await ledger.lock(session, {one for named in names.by_id.values() for one in named})
        work = Work(session, desk.instance, names, purchases)
        paid = _paid(work, command)
        if paid:
            readable = None if refunds is None else await _readable(work, paid, refunds)
            shares = await _apply(session, paid, readable, command)
            await _end_waiting(work, readable or (), shares)
    return DONE


async def _readable(work: Work, paid: Sequence[Paid], refunds: Sequence[Any]) -> list[RefundChanged]:
    """The refunds that can be taken; one in another currency, or that nobody understands, is set aside by itself."""
    taken: list[RefundChanged] = []
    for refund in refunds:
        try:
            fact = refund_fact(refund)
        except UnknownShape as error:
            await set_unknown_aside(work, refund, "refund", error)
            continue
        if in_currency_of(paid, fact.refund.currency):
            taken.append(fact)
        elif not await is_set_aside(work.session, received(fact)):
            await is_foreign(work, received(fact), paid, what="refund", currency=fact.refund.currency)
    return taken


async def _refunds(desk: StripeDesk, subject: str) -> list[Any] | None:
    """None when Stripe does not know the charge, or the intent."""
    try:
        lists = refunds_of_intent if subject.startswith("pi_") else refunds_of_charge
        return await lists(desk.client, subject)
    except ObjectMissing:
        return None


def _paid(work: Work, command: Command) -> list[Paid]:
    intent, charge = (command.subject, None) if command.subject.startswith("pi_") else (None, command.subject)
    return paid_with(work.purchases.values(), payment_intent_id=intent, charge_id=charge)


async def _apply(
    session: AsyncSession, paid: Sequence[Paid], refunds: Sequence[RefundChanged] | None, command: Command
) -> dict[str, Shares | None]:
    cause = Cause(actor="stripe", at=datetime.now(UTC), reason="the charge's refunds as Stripe lists them")
    for one in paid if refunds is None else ():
        for said in _said(one, command):
            await land(session, paid=[one], told=said, cause=cause)
    told = [told_refund(one.refund) for one in refunds or ()]
    shares = await land_all(session, paid=paid, refunds=told, cause=cause)
    for one in paid:
        # What is known one by one is the truth now; an older cumulative figure must not stand above it.
        one.payment.charge_refunded_cents = 0
        await follow_the_money(session, purchase=one.purchase, cause=cause)
    return shares


def _said(one: Paid, command: Command) -> list[ToldRefund]:
    """One refund per cumulative amount, for what the refunds that are known do not explain."""
    told = one.payment.charge_refunded_cents
    missing = told - refunded_cents(refunds=_known(one), charge_refunded_cents=0)
    if missing <= 0:
        return []
    return [
        ToldRefund(
            refund_id=f"{command.subject}:{told}",
            refund_cents=missing,
            currency=command.arguments["currency"],
            status="succeeded",
            purchase_id=str(one.purchase.id),
        )
    ]


def _known(one: Paid) -> list[tuple[str, int]]:
    told = (row for row in one.purchase.refunds if row.stripe_refund_id and row.kind != "dispute")
    return [(row.status, row.refund_cents) for row in told if row.stripe_invoice_id == one.payment.stripe_invoice_id]


async def _end_waiting(work: Work, refunds: Sequence[RefundChanged], shares: dict[str, Shares | None]) -> None:
    """What waited to be allocated is tried again, or ended; what nobody can allocate but staff is set aside."""
    for fact in refunds:
        refund_id = fact.refund.refund_id
        mark, share = allocation_mark(refund_id), shares[refund_id]
        if share is None:
            await set_aside(work, received(fact), refund_id)
        elif share:
            await release(work.session, [mark])
        else:
            await parked.discard(work.session, ids=[mark], resolution="of the charge, but of no purchase")
