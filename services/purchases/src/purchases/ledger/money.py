"""What money means for a purchase: is it ours, is it new, how much of it went back."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from purchases.ledger.transitions import Status
from purchases.stripe_api.values import Line, PaidInvoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What a purchase row says it costs, and to whom."""

    purchase_id: str
    price_cents: int
    currency: str
    price_id: str | None
    customer_id: str | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Money that is not, or not surely, for this purchase; `reason` is for staff."""

    reason: str


NO_LINE: Final = Mismatch("the invoice has no line for this purchase")


def our_lines(*, sold: Iterable[Sold], invoice: PaidInvoice) -> dict[str, Line | Mismatch]:
    """Return, by purchase id, the line of `invoice` that pays for it, or why none does.

    By its metadata, else by its price; of the right customer, amount and currency. Two purchases never share one.
    """
    wanted = sorted(sold, key=lambda one: one.purchase_id)
    left, found = list(invoice.lines), dict[str, Line]()
    for finds in (_named, _priced):
        for one in wanted:
            line = None if one.purchase_id in found else finds(one, left)
            if line is not None:
                found[one.purchase_id] = line
                left.remove(line)
    return {one.purchase_id: _fitting(one, found.get(one.purchase_id), invoice) for one in wanted}


def _fitting(sold: Sold, line: Line | None, invoice: PaidInvoice) -> Line | Mismatch:
    if line is None and invoice.subscription_id is not None:
        return NO_LINE
    if sold.customer_id != invoice.customer_id:
        return Mismatch(f"paid by another customer: {invoice.customer_id}")
    if line is None:
        return NO_LINE
    if not _costs(sold, line):
        return Mismatch(
            f"the line has {line.amount} {line.currency.upper()}, sold for {sold.price_cents} {sold.currency}"
        )
    return line


def _costs(sold: Sold, line: Line) -> bool:
    return (line.amount, line.currency.upper()) == (sold.price_cents, sold.currency)


def _named(sold: Sold, lines: Iterable[Line]) -> Line | None:
    return next((line for line in lines if line.purchase_id == sold.purchase_id), None)


def _priced(sold: Sold, lines: Iterable[Line]) -> Line | None:
    """Return a line of the sold price that names no purchase, one with the right amount before another."""
    unnamed = [line for line in lines if line.purchase_id is None and line.price_id]
    priced = [line for line in unnamed if line.price_id == sold.price_id]
    return next((line for line in priced if _costs(sold, line)), next(iter(priced), None))


def is_paid_in_full(*, status: str | None, amount_due: int, amount_paid: int, amount_remaining: int | None) -> bool:
    """Return whether an event's invoice is surely paid: no other status is known, and nothing is left to be paid.

    Amounts in minor units; `status` and `amount_remaining` are None where the payload does not say.
    """
    remaining = amount_due - amount_paid if amount_remaining is None else amount_remaining
    return status in (None, "paid") and remaining <= 0


class Money(StrEnum):
    """What a payment that Stripe confirmed is to a purchase."""

    DUPLICATE = "duplicate"
    SETTLES = "settles"
    TO_RETURN = "to_return"


def judge(*, status: Status, seen_invoices: Iterable[str], invoice_id: str, slot_free: bool) -> Money:
    """Return what a payment is: new money settles a pending purchase, or a failed one whose slot is free.

    Other new money goes back. A payment is new if its invoice was never recorded as paid for this purchase, whatever
    the status.
    """
    if invoice_id in set(seen_invoices):
        return Money.DUPLICATE
    if status is Status.PENDING or (status is Status.FAILED and slot_free):
        return Money.SETTLES
    return Money.TO_RETURN


COUNTS: Final = frozenset({"pending", "requires_action", "succeeded"})
"""Stripe's statuses of a refund that count against the payment; `failed` and `canceled` are final and do not."""

REQUESTED: Final = "requested"
"""Staff asked, Stripe has not spoken: kept from what remains, but no money that went back."""

_RANK: Final = {"pending": 1, "requires_action": 1, "succeeded": 2, "failed": 3, "canceled": 3}


def newer_refund_status(*, known: str | None, reported: str) -> str:
    """Return the status further on: a late `pending` never takes `succeeded` back, nothing takes back `failed`.

    Raises KeyError for a word that Stripe does not document: such a refund is parked before it comes here.
    """
    if known is None or _RANK[reported] > _RANK.get(known, 0):
        return reported
    return known


def refunded_cents(
    *, refunds: Iterable[tuple[str, int]], charge_refunded_cents: int, disputed_cents: int = 0, paid_cents: int = 0
) -> int:
    """Return what went back: refunds (status, minor units) that count, or the charge's cumulative figure if larger.

    The cumulative figure is of its moment: once a refund has failed it says nothing, and Stripe is asked instead.
    A lost dispute takes at most what the refunds have left of `paid_cents`, though the bank may name the whole charge.
    """
    known = list(refunds)
    total = sum(amount for status, amount in known if status in COUNTS)
    doubtful = any(status not in COUNTS for status, _ in known)
    returned = total if doubtful else max(total, charge_refunded_cents)
    return returned + min(disputed_cents, max(0, paid_cents - returned))


LOST: Final = "lost"


WON: Final = "won"


FINAL: Final = {"prevented": 1, "warning_closed": 1, "charge_refunded": 1, LOST: 2, WON: 3}
"""A lost dispute can still be won, by the bank's second thoughts; all others are open."""


def is_final(status: str) -> bool:
    """Return whether the bank has decided."""
    return status in FINAL


def newer_dispute_status(*, known: str | None, reported: str) -> str:
    """Return the status further on: opened, inquiry closed, lost, won."""
    if known is None or FINAL.get(reported, 0) > FINAL.get(known, 0):
        return reported
    return reported if not is_final(reported) and not is_final(known) else known
