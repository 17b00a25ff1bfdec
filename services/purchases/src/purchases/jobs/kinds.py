"""What can be wanted of Stripe after a commit: a frozen dataclass for each kind of job.

All stand here, below the subjects that want them and those whose functions do them (`worker/jobs.py`: JOBS).
"""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Final

from purchases.jobs.job import Job

ANOTHER_RUNS: Final = "the workspace has another subscription"
CAME_LATE: Final = "it was paid after it had been ended, unfinished, for another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePurchase(Job):
    """Look the purchase's invoice up, by id or by listing and metadata, and apply what is found, until nothing is open.

    It never pays.
    """

    KIND = "settle"
    purchase_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidInvoice(Job):
    """Close what a purchase that is over has left payable: delete a draft, void any other invoice."""

    KIND = "void"
    purchase_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncInvoice(Job):
    """Read an invoice that only its metadata connects with purchases: it pays what it paid at Stripe, or is parked."""

    KIND = "look_at_invoice"
    invoice_id: str
    purchase_ids: tuple[uuid.UUID, ...]
    amount_paid: int
    """Minor units of `currency`, as its event has it."""
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPayment(SyncInvoice):
    """Read what paid an invoice whose event does not say: which charges, credit, or somebody outside of Stripe."""

    KIND = "look_at_payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRefunds(Job):
    """List the refunds of a payment as they are now, and apply them."""

    KIND = "look_at_charge"
    payment: str
    """`pi_…`, or the `ch_…` of one without."""
    purchase_id: uuid.UUID
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRefundToPayment(Job):
    """Find out whose payment went back; what waits for it is released, or left alone."""

    KIND = "identify"
    payment_intent_id: str | None
    charge_id: str | None

    @property
    def subject(self) -> str:
        """Return what Stripe is asked for first; one of both is known."""
        return str(self.payment_intent_id or self.charge_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundUnmatchedPayment(Job):
    """Refund money that found no purchase to pay, after a look whether it went back already."""

    KIND = "return_payment"
    purchase_id: uuid.UUID
    invoice_id: str
    amount: int
    """Minor units of the invoice's currency."""
    attempt: int = 1

    @property
    def subject(self) -> str:
        """Return both ids: one invoice may have paid for several purchases."""
        return f"{self.purchase_id}:{self.invoice_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRefund(Job):
    """Make the refund that staff asked for; refused for good, it has failed and its money is free again."""

    KIND = "refund"
    refund_id: uuid.UUID
    purchase_id: uuid.UUID
    invoice_id: str
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCredit(MakeRefund):
    """Give back to a customer's balance what its credit paid, and never more than the invoice took from it."""

    KIND = "return_credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCard(Job):
    """Make the card that was saved last through Checkout the customer's default."""

    KIND = "adopt_card"
    workspace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameProduct(Job):
    """Give an add-on's product, which Checkout's page shows, the name that the add-on has now."""

    KIND = "rename_product"
    addon_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionPlan(Job):
    """Find or make what a plan costs, or was edited to, and offer it in the Customer Portal."""

    KIND = "provision_plan"
    plan: str
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile(Job):
    """Have everything compared with the ledger now: each reach of the sweep, and what runs."""

    KIND = "sweep"
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileDay(Job):
    """Compare what Stripe's lists show of one day, by UTC: paid invoices, refunds, disputes.

    Only versions before the passes enqueue it.
    """

    KIND = "sweep_day"
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileReach(Job):
    """Compare a slice of what Stripe's lists show of the last hour, day or 35 days; due again by itself."""

    KIND = "sweep_reach"
    reach: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSubscription(Job):
    """Fetch a subscription that was another one at Stripe than here, unless its event has come meanwhile."""

    KIND = "sweep_subscription"
    subscription_id: str
    workspace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePeriods(Job):
    """Fetch each subscription of which nothing was read since its period ended; due again every minute."""

    KIND = "sweep_periods"
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSubscriptions(Job):
    """Compare the subscriptions at the plan's prices with the stored ones; due again every ten minutes."""

    KIND = "sweep_subscriptions"
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileCheckout(Job):
    """Look a Checkout's session up, and apply what it has come to, until it is over."""

    KIND = "settle_checkout"
    checkout_id: uuid.UUID
    heard: str | None = None
    """A session that only says that it is this Checkout's: it is looked up also when the Checkout is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSubscription(Job):
    """Read a subscription as it is now, and try again what waits for it."""

    KIND = "look_at_subscription"
    subscription_id: str
    workspace_id: str
    said: str | None = None
    """The status that an invoice lets one expect, for when Stripe does not know the subscription."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRenewal(Job):
    """Read a renewal that may have failed, and its subscription: what is still owed is announced, once per invoice."""

    KIND = "look_at_renewal"
    invoice_id: str
    subscription_id: str
    workspace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchNextCharge(Job):
    """Fetch the preview of a subscription's next invoice: when and how much is charged next, or why nothing."""

    KIND = "fetch_next_charge"
    subscription_id: str
    workspace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptSubscriptions(Job):
    """Take over what a workspace's customer had subscribed to before the workspace was registered."""

    KIND = "adopt_subscriptions"
    workspace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSubscriptions(Job):
    """Of several subscriptions that run for one workspace, have all but the best ended."""

    KIND = "compare_subscriptions"
    workspace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSubscription(Job):
    """End a subscription, and pay back what it took for the plan."""

    KIND = "end_subscription"
    subscription_id: str
    workspace_id: str
    reason: str = ANOTHER_RUNS
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EndUnfinished(EndSubscription):
    """End a subscription whose first payment nobody finished, with its invoice, unless it is being paid."""

    KIND = "end_unfinished"


Sweeping = Reconcile | ReconcileDay | ReconcileReach | ReconcileSubscriptions | ReconcileSubscription | ReconcilePeriods
"""What compares with Stripe, and is never urgent: one worker of all replicas is at it, which does nothing else."""
OfPurchase = ReconcilePurchase | VoidInvoice
"""What is done about the invoice of a purchase."""
Numbered = ProvisionPlan | RefundUnmatchedPayment | MakeRefund | EndSubscription
"""With an `attempt` of its idempotency key: Stripe repeats a 5xx for ever under the one that met it."""
MoneyBack = RefundUnmatchedPayment | MakeRefund
"""What sends money of a purchase's payment back."""
