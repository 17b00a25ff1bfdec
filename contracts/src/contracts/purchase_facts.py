"""What happened to a purchase, for other teams: past tense, business words, the owner's address included."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.fact import Fact

ReturnedTo = Literal["payment", "credit_balance"]
"""Whereto money goes back: the payment method that was charged, or the customer's credit balance at Stripe."""
Status = Literal["pending", "paid", "delivered", "failed", "cancelled", "refunded"]


class SoldAddon(BaseModel):
    """The add-on as it was sold: a later edit of the catalog never touches it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    slug: str
    name: str


class PurchaseFact(Fact):
    """What every fact of a purchase carries; `sequence` rises with each fact of the purchase, and may leap."""

    purchase_id: UUID
    sequence: int
    occurred_at: datetime
    workspace_id: str
    workspace_name: str
    owner_email: str
    addon: SoldAddon
    price_cents: int
    """Minor units of `currency`, as sold."""
    currency: str
    """ISO 4217, upper case."""
    status: Status
    """The status after this fact."""
    actor: str
    """Who caused it: `user:…`, `staff:…`, `stripe` or `quittance`."""
    reason: str | None = None
    stripe_event_id: str | None = None

    @property
    def identity(self) -> str:
        return f"{self.purchase_id}:{self.sequence}"

    @property
    def subject(self) -> str:
        return str(self.purchase_id)

    @property
    def key(self) -> str:
        return self.workspace_id


class PurchaseStarted(PurchaseFact):
    """A buyer asked; no money has moved."""

    TYPE: ClassVar = "billing.purchase.started.v1"


class PurchasePaid(PurchaseFact):
    """Stripe confirmed the payment. The delivery team is mailed."""

    TYPE: ClassVar = "billing.purchase.paid.v1"

    paid_cents: int
    """What was paid for this purchase: its line less discount, plus tax."""
    stripe_invoice_id: str | None = None


class PurchaseFailed(PurchaseFact):
    """Declined, voided, or nothing at Stripe."""

    TYPE: ClassVar = "billing.purchase.failed.v1"

    failure_code: str | None = None


class PurchaseCancelled(PurchaseFact):
    """Cancelled by the buyer, the team, or because a step was not taken in time."""

    TYPE: ClassVar = "billing.purchase.cancelled.v1"

    previous_status: Status
    paid_cents: int | None = None
    """What had been paid for it; none where no money had come."""
    refund_requested_cents: int = 0
    """What staff asked Stripe to send back as they cancelled it."""
    paid_outside_stripe_cents: int = 0
    """What of `paid_cents` was paid outside of Stripe: nothing of that can be sent back through it."""


class PurchaseDelivered(PurchaseFact):
    """The team marked the work complete."""

    TYPE: ClassVar = "billing.purchase.delivered.v1"


class PurchaseRefunded(PurchaseFact):
    """All the money went back."""

    TYPE: ClassVar = "billing.purchase.refunded.v1"

    refunded_cents: int
    refunded_at: datetime


class PurchaseRestored(PurchaseFact):
    """Its refund failed at the bank: it is paid or delivered again, as before."""

    TYPE: ClassVar = "billing.purchase.restored.v1"


class PurchaseReopened(PurchaseFact):
    """Support re-opened the catalog: the add-on can be bought again."""

    TYPE: ClassVar = "billing.purchase.reopened.v1"


class RefundIssued(PurchaseFact):
    """Stripe confirmed a refund, in full or in part. Once per refund id; the owner is mailed."""

    TYPE: ClassVar = "billing.refund.issued.v1"

    refund_id: UUID
    """Ours."""
    stripe_refund_id: str
    """Of credit that was given back, the balance transaction's."""
    returned_to: ReturnedTo = "payment"
    refund_cents: int
    refunded_cents: int
    """All refunds of this purchase that count, this one included."""


class RefundFailed(PurchaseFact):
    """A refund failed, was cancelled, or Stripe would not make it. Once per refund; the team is mailed.

    So is the owner, where RefundIssued had said that it was made.
    """

    TYPE: ClassVar = "billing.refund.failed.v1"

    refund_id: UUID
    """Ours."""
    stripe_refund_id: str | None = None
    """None where staff asked and Stripe refused."""
    returned_to: ReturnedTo = "payment"
    refund_cents: int
    failure_reason: str | None = None
    was_issued: bool = False
    """RefundIssued came before: its owner was mailed that it was made, and is mailed again."""


class PaymentReturned(PurchaseFact):
    """New money found no purchase to pay and is refunded automatically. The team is mailed why."""

    TYPE: ClassVar = "billing.payment.returned.v1"

    stripe_invoice_id: str
    returned_cents: int
    returned_credit_cents: int = 0
    """What of `returned_cents` goes to the customer's credit balance, which had paid it."""


class PaymentParked(PurchaseFact):
    """Money that cannot be matched to our line, amount and currency. The team is mailed."""

    TYPE: ClassVar = "billing.payment.parked.v1"

    stripe_invoice_id: str
    amount_paid_cents: int
    amount_paid_currency: str


class MoneyBackParked(PurchaseFact):
    """A refund or dispute that only a person can allocate or value. Once for each; the team is mailed.

    Of a payment for several purchases it is of the first of them, and names all their `addons`.
    """

    TYPE: ClassVar = "billing.money_back.parked.v1"

    addons: tuple[str, ...] = ()
    """Names of the add-ons that it may concern; empty in facts of before."""
    stripe_refund_id: str | None = None
    stripe_dispute_id: str | None = None
    """One of the two is there."""
    money_back_cents: int
    money_back_currency: str
    """ISO 4217, upper case; not always the purchase's."""

    @property
    def object_id(self) -> str:
        """Stripe's id of what waits."""
        return str(self.stripe_refund_id or self.stripe_dispute_id)


class MoneyOverReturned(PurchaseFact):
    """More went back of the sale than it brought, as where a bank took the money of a charge that was refunded too.

    Once for each refund or lost dispute that made it more. The team is mailed.
    """

    TYPE: ClassVar = "billing.purchase.over_returned.v1"

    over_returned_cents: int
    """What went back beyond `charged_cents`, in minor units of `currency`."""
    charged_cents: int
    stripe_refund_id: str | None = None
    stripe_dispute_id: str | None = None
    """One of the two is there: what made it so much."""

    @property
    def object_id(self) -> str:
        """Stripe's id of what made it so much."""
        return str(self.stripe_refund_id or self.stripe_dispute_id)


class DisputeOpened(PurchaseFact):
    """The cardholder's bank wants money of this purchase back. The team is mailed."""

    TYPE: ClassVar = "billing.dispute.opened.v1"

    stripe_dispute_id: str
    dispute_cents: int
    dispute_reason: str | None = None
    evidence_due_at: datetime | None = None
    """Until when the bank takes evidence."""


class DisputeClosed(PurchaseFact):
    """The bank has decided; a lost one counts like a refund. The team is mailed."""

    TYPE: ClassVar = "billing.dispute.closed.v1"

    stripe_dispute_id: str
    dispute_cents: int
    dispute_reason: str | None = None
    outcome: str
    """Stripe's final status: `won`, `lost` or `warning_closed`."""


class PurchaseState(PurchaseFact):
    """The whole purchase after each change, compacted: a new subscriber can start from nothing."""

    TYPE: ClassVar = "billing.purchase.state.v1"

    started_at: datetime
    paid_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    cancelled_at: datetime | None = None
    refunded_at: datetime | None = None
    paid_cents: int | None = None
    refunded_cents: int = 0
    """What of `paid_cents` went back."""
    returned_cents: int = 0
    """What came though there was nothing to pay, as for a purchase that was over, and went back."""
    returning_cents: int = 0
    """What came so and has not gone back yet."""
    failure_code: str | None = None
    stripe_invoice_id: str | None = None
    stripe_payment_intent_id: str | None = None
    stripe_subscription_id: str | None = None
    stripe_checkout_session_id: str | None = None

    @property
    def key(self) -> str:
        return str(self.purchase_id)
