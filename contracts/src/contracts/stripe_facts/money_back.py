"""Facts of Stripe about money that went back, or that a cardholder's bank wants back."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from contracts.stripe_facts.event import StripeFact
from contracts.stripe_facts.words import DisputeStatus, RefundStatus


class RefundSnapshot(BaseModel):
    """One refund as Stripe shows it; `amount` in minor units of `currency`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    refund_id: str
    amount: PositiveInt
    currency: str
    status: RefundStatus
    purchase_id: str | None = None
    requested_id: str | None = None
    """Our own id of the refund, where we asked for it: `refund_id` of its metadata."""
    returned_invoice_id: str | None = None
    """The invoice of which it gives back the plan's part, where we ended an extra subscription; of no purchase."""
    failure_reason: str | None = None


class ChargeRefunded(StripeFact):
    """`charge.refunded`. `amount_refunded` is cumulative; basil and later carry no invoice."""

    TYPE: ClassVar = "billing.stripe.charge_refunded.v1"

    charge_id: str
    payment_intent_id: str | None = None
    invoice_id: str | None = None
    amount: NonNegativeInt
    amount_refunded: NonNegativeInt
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
    amount: PositiveInt
    currency: str
    status: DisputeStatus
    reason: str | None = None
    evidence_due_at: datetime | None = None
    """Until when the bank takes evidence."""
    closed: bool
    """`status` is final."""
