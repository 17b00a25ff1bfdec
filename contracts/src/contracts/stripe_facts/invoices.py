"""Facts of Stripe about invoices, and of the payments that paid them."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from contracts.stripe_facts.event import StripeFact
from contracts.stripe_facts.words import InvoiceStatus


class InvoiceLine(BaseModel):
    """One line of an invoice; amounts in minor units of `currency`, before discount and tax."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line_id: str
    amount: int
    currency: str
    price_id: str | None = None
    purchase_id: str | None = None
    addon_slug: str | None = None
    discount_cents: int = 0
    tax_cents: int = 0
    """Exclusive tax only: what was added to `amount`."""


class InvoiceFact(StripeFact):
    """The invoice as the event showed it; ids resolved by presence, `None` where the payload has none.

    `workspace_id` and `purchase_ids` may come from the subscription's metadata, which every renewal repeats: only the
    first invoice (`billing_reason` is `subscription_create`) pays what they name.
    """

    invoice_id: str
    status: InvoiceStatus | None
    currency: str
    total: int
    amount_due: int
    amount_paid: NonNegativeInt
    amount_remaining: int | None = None
    """What is still to be paid; None where the payload does not say."""
    billing_reason: str | None = None
    """`manual`, `subscription_create`, `subscription_cycle`, `subscription_update`, …"""
    subscription_id: str | None = None
    subscription_period_end: datetime | None = None
    """Until when the subscription's own lines are paid; prorations left out."""
    checkout_session_id: str | None = None
    """Stripe puts none on an invoice; known where a payload or its metadata name one."""
    purchase_ids: tuple[str, ...] = ()
    payment_intent_id: str | None = None
    charge_id: str | None = None
    attempt_count: int = 0
    """How often Stripe tried by itself; what the customer pays by hand is not counted."""
    next_payment_attempt_at: datetime | None = None
    """None: Stripe will not try again, or the invoice is not collected automatically."""
    hosted_invoice_url: str | None = None
    lines: tuple[InvoiceLine, ...] = ()
    lines_complete: bool = True
    """False when Stripe cut the list (`lines.has_more`)."""


class InvoicePart(BaseModel):
    """One charge that paid an invoice, in whole or in part; `amount_paid` in minor units of the invoice's currency."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    payment_intent_id: str | None = None
    charge_id: str | None = None
    amount_paid: NonNegativeInt


class InvoicePaid(InvoiceFact):
    """`invoice.payment_succeeded` and `invoice.paid`: both come for one payment."""

    TYPE: ClassVar = "billing.stripe.invoice_paid.v1"

    paid_by: tuple[InvoicePart, ...] = ()
    """Every charge that paid it, where the payload shows all of them: an expanded invoice since 2025-03-31.basil."""
    paid_by_credit: NonNegativeInt | None = None
    """What the customer's credit balance paid of it; None where the payload does not say."""
    paid_off_stripe: NonNegativeInt | None = None
    """What was paid outside of Stripe; None where the payload cannot tell: events since 2025-03-31.basil."""


class InvoicePaymentFailed(InvoiceFact):
    """`invoice.payment_failed`: also sent for a payment that only needs the customer."""

    TYPE: ClassVar = "billing.stripe.invoice_payment_failed.v1"

    needs_customer: bool | None = None
    """True: authentication is missing, not money. None: the payload cannot tell, Stripe must be asked."""
    failure_code: str | None = None


class InvoicePaymentActionRequired(InvoiceFact):
    """`invoice.payment_action_required`: the bank wants 3-D Secure."""

    TYPE: ClassVar = "billing.stripe.invoice_payment_action_required.v1"

    action_url: str | None = None


class InvoiceVoided(InvoiceFact):
    """`invoice.voided`: it can never be paid again."""

    TYPE: ClassVar = "billing.stripe.invoice_voided.v1"


class InvoiceDeleted(InvoiceFact):
    """`invoice.deleted`: a draft that is gone; it was never payable."""

    TYPE: ClassVar = "billing.stripe.invoice_deleted.v1"


class InvoiceMarkedUncollectible(InvoiceFact):
    """`invoice.marked_uncollectible`: given up, but it can still be paid until it is voided."""

    TYPE: ClassVar = "billing.stripe.invoice_marked_uncollectible.v1"


class InvoicePaymentLinked(StripeFact):
    """`invoice_payment.paid`: which payment intent paid which invoice (since 2025-03-31.basil)."""

    TYPE: ClassVar = "billing.stripe.invoice_payment_linked.v1"

    invoice_payment_id: str
    invoice_id: str
    payment_intent_id: str | None = None
    charge_id: str | None = None
    amount_paid: NonNegativeInt | None = None
    currency: str
