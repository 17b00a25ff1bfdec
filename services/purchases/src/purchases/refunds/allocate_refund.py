"""Where money that went back falls: on the purchase that its charge paid, on each of several, or on none yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.ledger.apply_refund import StripeRefund, apply_refund, book_over_bundle, live_cents, payment_behind
from purchases.ledger.apply_refund import charge_of as charge_of_refund
from purchases.ledger.money import COUNTS, newer_refund_status
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Payment, Purchase
from purchases.refunds.plan_share import share_with_the_plan
from purchases.refunds.rules import ChargeRefund, PaidCharge, Shares, shares_of, shares_of_all


@dataclass(frozen=True, slots=True)
class Paid:
    """A locked purchase, and the one payment of it that a charge made."""

    purchase: Purchase
    payment: Payment


def paid_with(
    purchases: Iterable[Purchase],
    *,
    payment_intent_id: str | None,
    charge_id: str | None,
    invoice_id: str | None = None,
) -> list[Paid]:
    """Return what the charge that these ids name paid."""
    ids = {"payment_intent_id": payment_intent_id, "charge_id": charge_id, "invoice_id": invoice_id}
    payments = ((purchase, payment_behind(purchase, **ids)) for purchase in purchases)
    return [Paid(purchase, payment) for purchase, payment in payments if payment]


def in_currency_of(paid: Sequence[Paid], currency: str) -> bool:
    """Return whether money in this currency, in either case, can have come from the charge."""
    return {sale.payment.currency for sale in paid} == {currency.upper()}


def exceeds(paid: Sequence[Paid], seen: StripeRefund) -> bool:
    """Return whether the live refunds of the charge would be more than the charge with this one.

    One of those that are known has failed meanwhile, or came twice: Stripe's list says which.
    """
    return _exceeds(paid, seen, shares_of(_refund(paid, seen), charge_of(paid)) or {})


async def allocate_refund(
    session: AsyncSession, *, paid: Sequence[Paid], seen: StripeRefund, cause: Cause
) -> Shares | None:
    """Record the refund where it falls; return None when it does not say where, and nothing has changed."""
    shares = shares_of(_refund(paid, seen), charge_of(paid))
    await _record(session, paid, seen, shares, cause)
    return shares


async def allocate_refunds(
    session: AsyncSession, *, paid: Sequence[Paid], refunds: Sequence[StripeRefund], cause: Cause
) -> dict[str, Shares | None]:
    """Record all refunds of the charge, which together say where each falls; return the shares by refund id."""
    shares = shares_of_all([_refund(paid, seen) for seen in refunds], charge_of(paid))
    # What does not count any more makes room for what does.
    for seen in sorted(refunds, key=lambda seen: seen.status in COUNTS):
        if _exceeds(paid, seen, shares[seen.refund_id] or {}):
            shares[seen.refund_id] = None
        await _record(session, paid, seen, shares[seen.refund_id], cause)
    return shares


def charge_of(paid: Sequence[Paid]) -> PaidCharge:
    """Return the charge as the rules see it."""
    return PaidCharge(
        charge_cents=max(sale.payment.invoice_paid_cents for sale in paid),
        paid={str(sale.purchase.id): sale.payment.card_cents for sale in paid},
        shared=any(sale.payment.shared for sale in paid),
    )


def _refund(paid: Sequence[Paid], seen: StripeRefund) -> ChargeRefund:
    rows = [(sale.purchase.id, row) for sale in paid for row in sale.purchase.refunds]
    return ChargeRefund(
        refund_id=seen.refund_id,
        cents=seen.refund_cents,
        counts=seen.status in COUNTS,
        names=seen.purchase_id,
        of_the_plan=seen.of_the_plan,
        known={
            str(purchase_id): row.refund_cents for purchase_id, row in rows if row.stripe_refund_id == seen.refund_id
        },
    )


async def _record(
    session: AsyncSession, paid: Sequence[Paid], seen: StripeRefund, shares: Shares | None, cause: Cause
) -> None:
    for sale in paid:
        if share := (shares or {}).get(str(sale.purchase.id)):
            mine = replace(seen, refund_cents=share)
            await apply_refund(session, purchase=sale.purchase, payment=sale.payment, seen=mine, cause=cause)
    book_over_bundle((sale.purchase, sale.payment) for sale in paid)
    first = paid[0]
    await share_with_the_plan(
        session, purchase=first.purchase, payment=first.payment, refund=seen, shares=shares, cause=cause
    )


def _will_count(paid: Sequence[Paid], seen: StripeRefund) -> bool:
    """Return whether it counts once it is recorded: what has failed does not, whatever an old event says."""
    known = [row for sale in paid for row in sale.purchase.refunds if row.stripe_refund_id == seen.refund_id]
    statuses = [newer_refund_status(known=row.status, reported=seen.status) for row in known]
    return any(status in COUNTS for status in statuses or [seen.status])


def _exceeds(paid: Sequence[Paid], seen: StripeRefund, shares: Shares) -> bool:
    charges = [(sale.purchase, charge) for sale in paid if (charge := charge_of_refund(sale.payment, seen)) is not None]
    limit = min((charge.amount_cents for _, charge in charges if charge.amount_cents is not None), default=None)
    if limit is None or not _will_count(paid, seen):
        return False
    others = sum(live_cents(purchase, charge, excluding=seen) for purchase, charge in charges)
    return others + sum(shares.values()) > limit
