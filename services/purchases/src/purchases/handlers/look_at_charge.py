"""Command: list a charge's refunds as they are now, since `charge.refunded` tells their sum alone."""

from datetime import UTC, datetime

from purchases.domain.money import refunded_cents
from purchases.handlers.apply_refund import ToldRefund, apply_refund, follow_the_money, payment_behind
from purchases.handlers.stripe_desk import DONE, Result, StripeDesk
from purchases.handlers.told_by_stripe import told_by_stripe
from purchases.payments.look import refunds_of_charge
from purchases.publisher import Cause
from purchases.store import ledger
from purchases.store.commands import Command
from purchases.store.rows import Payment, Purchase


async def look_at_charge(desk: StripeDesk, command: Command) -> Result:
    """Apply each of the charge's refunds; of a charge that Stripe does not know, what its events said."""
    refunds = await refunds_of_charge(desk.client, command.subject)
    async with desk.database.transaction() as session:
        purchase = await ledger.lock_one(session, command.purchase_id)
        payment = payment_behind(purchase, payment_intent_id=None, charge_id=command.subject) if purchase else None
        if purchase is None or payment is None:
            return DONE
        told = _said(purchase, payment, command) if refunds is None else [told_by_stripe(one) for one in refunds]
        cause = Cause(actor="stripe", at=datetime.now(UTC), reason="the charge's refunds as Stripe lists them")
        for one in told:
            await apply_refund(session, purchase=purchase, payment=payment, told=one, cause=cause)
        # What is known one by one is the truth now; an older cumulative figure must not stand above it.
        payment.charge_refunded_cents = 0
        await follow_the_money(session, purchase=purchase, cause=cause)
    return DONE


def _said(purchase: Purchase, payment: Payment, command: Command) -> list[ToldRefund]:
    """One refund per cumulative amount, for what the refunds that are known do not explain."""
    told = payment.charge_refunded_cents
    missing = told - refunded_cents(refunds=_known(purchase, payment), charge_refunded_cents=0)
    if missing <= 0:
        return []
    return [
        ToldRefund(
            refund_id=f"{command.subject}:{told}",
            refund_cents=missing,
            currency=command.arguments["currency"],
            status="succeeded",
        )
    ]


def _known(purchase: Purchase, payment: Payment) -> list[tuple[str, int]]:
    told = (one for one in purchase.refunds if one.stripe_refund_id)
    return [(one.status, one.refund_cents) for one in told if one.stripe_invoice_id == payment.stripe_invoice_id]
