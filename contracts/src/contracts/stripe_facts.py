"""What Stripe told us, normalised: one fact per webhook event, the same for every API version. Internal."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from contracts.fact import Fact


class StripeFact(Fact):
    """What every Stripe event carries. `occurred_at` is the event's `created` (whole seconds)."""

    stripe_event_id: str
    stripe_event_type: str
    api_version: str | None
    livemode: bool
    occurred_at: datetime
    object_id: str
    customer_id: str | None = None
    quittance_instance: str | None = None
    """Our metadata's `quittance_instance`; another instance's objects are left alone."""
    workspace_id: str | None = None
    purchase_id: str | None = None

    @property
    def identity(self) -> str:
        return self.stripe_event_id

    @property
    def subject(self) -> str:
        return self.object_id

    @property
    def key(self) -> str:
        return self.customer_id or self.object_id


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
    """The invoice as the event showed it; ids resolved by presence, `None` where the payload has none."""

    invoice_id: str
    status: str | None
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    billing_reason: str | None = None
    subscription_id: str | None = None
    payment_intent_id: str | None = None
    charge_id: str | None = None
    hosted_invoice_url: str | None = None
    lines: tuple[InvoiceLine, ...] = ()
    lines_complete: bool = True
    """False when Stripe cut the list (`lines.has_more`)."""


class InvoicePaid(InvoiceFact):
    """`invoice.payment_succeeded` and `invoice.paid`: both come for one payment."""

    TYPE: ClassVar = "billing.stripe.invoice_paid.v1"


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
    amount_paid: int | None = None
    currency: str


class RefundSnapshot(BaseModel):
    """One refund as Stripe shows it; `amount` in minor units of `currency`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    refund_id: str
    amount: int
    currency: str
    status: str
    """`pending`, `requires_action`, `succeeded`, `failed` or `canceled`."""
    purchase_id: str | None = None
    failure_reason: str | None = None


class ChargeRefunded(StripeFact):
    """`charge.refunded`. `amount_refunded` is cumulative; basil and later carry no invoice."""

    TYPE: ClassVar = "billing.stripe.charge_refunded.v1"

    charge_id: str
    payment_intent_id: str | None = None
    invoice_id: str | None = None
    amount: int
    amount_refunded: int
    currency: str
    refunds: tuple[RefundSnapshot, ...] = ()
    """Embedded by versions before 2022-11-15 only; otherwise the charge's refunds are listed."""


class RefundChanged(StripeFact):
    """`refund.created`, `refund.updated`, `refund.failed` and `charge.refund.updated`."""

    TYPE: ClassVar = "billing.stripe.refund_changed.v1"

    refund: RefundSnapshot
    charge_id: str | None = None
    payment_intent_id: str | None = None


class DisputeChanged(StripeFact):
    """`charge.dispute.created` and `charge.dispute.closed`; `amount` is what the cardholder's bank wants back."""

    TYPE: ClassVar = "billing.stripe.dispute_changed.v1"

    dispute_id: str
    charge_id: str | None = None
    payment_intent_id: str | None = None
    amount: int
    currency: str
    status: str
    """Stripe's: `needs_response`, `under_review`, `won`, `lost`, `warning_…`, `prevented`."""
    reason: str | None = None
    closed: bool
    """True for `charge.dispute.closed`: `status` is final."""


class CheckoutSessionCompleted(StripeFact):
    """`checkout.session.completed`. In `setup` mode a card was saved, else something was bought."""

    TYPE: ClassVar = "billing.stripe.checkout_session_completed.v1"

    session_id: str
    mode: str
    """`setup`, `subscription` or `payment`."""
    setup_intent_id: str | None = None
    subscription_id: str | None = None
    invoice_id: str | None = None
    payment_intent_id: str | None = None
    client_reference_id: str | None = None


class CheckoutSessionExpired(StripeFact):
    """`checkout.session.expired`: nobody will pay on it any more."""

    TYPE: ClassVar = "billing.stripe.checkout_session_expired.v1"

    session_id: str
    mode: str
    client_reference_id: str | None = None


class CustomerDeleted(StripeFact):
    """`customer.deleted`: `object_id` is the customer; the next need makes a new one."""

    TYPE: ClassVar = "billing.stripe.customer_deleted.v1"


class UnrecognisedEvent(StripeFact):
    """An event of a handled type in a shape that no rule covers: published raw, parked, never guessed."""

    TYPE: ClassVar = "billing.stripe.unrecognised.v1"

    reason: str
    body: str
