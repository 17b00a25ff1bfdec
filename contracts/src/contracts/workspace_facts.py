"""What happened to a workspace's plan, for other teams: past tense, business words, the owner's address included."""

from datetime import datetime
from typing import ClassVar, Literal

from contracts.fact import Fact
from contracts.plan_facts import Interval
from contracts.stripe_facts.words import DisputeStatus, SubscriptionStatus


class WorkspaceFact(Fact):
    """What every fact of a workspace carries; `sequence` rises with each fact of the workspace, and may leap."""

    workspace_id: str
    sequence: int
    occurred_at: datetime
    workspace_name: str
    owner_email: str
    plan: str
    """The plan's slug after this fact: `free` or `builder`."""
    actor: str
    """Who caused it: `user:…`, `staff:…`, `stripe` or `quittance`."""
    reason: str | None = None
    stripe_event_id: str | None = None

    @property
    def identity(self) -> str:
        return f"{self.workspace_id}:{self.sequence}"

    @property
    def subject(self) -> str:
        return self.workspace_id

    @property
    def key(self) -> str:
        return self.workspace_id


class WorkspacePlanChanged(WorkspaceFact):
    """Another plan, and with it other caps, from now on."""

    TYPE: ClassVar = "billing.workspace.plan_changed.v1"

    previous_plan: str
    stripe_subscription_id: str | None = None
    """The subscription that decides it; None on a plan that nobody pays for."""


class SubscriptionStatusChanged(WorkspaceFact):
    """The subscription has another status, period, interval or planned end; also published when the plan stays."""

    TYPE: ClassVar = "billing.workspace.subscription_status_changed.v1"

    stripe_subscription_id: str
    status: SubscriptionStatus
    previous_status: SubscriptionStatus | None = None
    """None for a subscription that is new here; the same as `status` when something else changed."""
    interval: Interval | None = None
    currency: str | None = None
    """ISO 4217, upper case: what the plan is paid in."""
    current_period_end: datetime | None = None
    ends_at: datetime | None = None
    """When it is going to end, or did; None while nobody cancelled it."""


class RenewalFailed(WorkspaceFact):
    """A renewal could not be charged. Once per invoice; the owner is mailed, the plan stays while Stripe retries."""

    TYPE: ClassVar = "billing.workspace.renewal_failed.v1"

    stripe_subscription_id: str
    stripe_invoice_id: str
    amount_due_cents: int
    """Minor units of `currency`."""
    currency: str
    """ISO 4217, upper case."""
    next_attempt_at: datetime | None = None
    """None: Stripe will not try again by itself."""
    billing_page_url: str
    """Where the owner can change the card."""


class ExtraSubscriptionEnded(WorkspaceFact):
    """A workspace had two subscriptions: this one was ended and paid back. The team is mailed.

    Once for each, and once more whenever money came for it afterwards, and went back too.
    """

    TYPE: ClassVar = "billing.workspace.extra_subscription_ended.v1"

    stripe_subscription_id: str
    kept_subscription_id: str | None = None
    """The one that goes on."""
    returned_cents: int
    """Minor units of `currency`: what it took for the plan; add-ons that were bought with it stay bought."""
    returned_before_cents: int | None = None
    """What of it had gone back when this was last published; None the first time."""
    currency: str
    """ISO 4217, upper case."""

    @property
    def newly_returned_cents(self) -> int:
        """What went back since this was last published."""
        return self.returned_cents - (self.returned_before_cents or 0)

    @property
    def subscription_and_money(self) -> str:
        """What tells its mails apart: one for its end, and one whenever more went back."""
        if self.returned_before_cents is None:
            return self.stripe_subscription_id
        return f"{self.stripe_subscription_id}:{self.returned_cents}"


class SubscriptionParked(WorkspaceFact):
    """An event tells of a subscription for this workspace that Stripe does not know, or has as another's.

    It gives nothing and waits for staff. The team is mailed.
    """

    TYPE: ClassVar = "billing.workspace.subscription_parked.v1"

    stripe_subscription_id: str


class WorkspacePaymentRefunded(WorkspaceFact):
    """Money that a subscription took went back: the plan's share of it. The team is mailed.

    Published anew where it failed, and where the share was wrong before: its charge had paid purchases too.
    """

    TYPE: ClassVar = "billing.workspace.payment_refunded.v1"

    stripe_refund_id: str
    stripe_subscription_id: str
    stripe_invoice_id: str
    refund_cents: int
    """Minor units of `currency`."""
    previously_cents: int | None = None
    """What was published before, where this corrects it; the rest fell on purchases, or waits for staff."""
    currency: str
    """ISO 4217, upper case."""
    outcome: Literal["refunded", "failed"]
    """`failed`: the bank did not take it; the money is ours again."""
    failure_reason: str | None = None
    automatic: bool = False
    """We sent it back ourselves, for a second subscription: ExtraSubscriptionEnded tells the team."""

    @property
    def refund_and_outcome(self) -> str:
        """What tells its mails apart."""
        return f"{self.stripe_refund_id}:{self.outcome}{_corrected(self.previously_cents, self.refund_cents)}"


class WorkspaceDisputeOpened(WorkspaceFact):
    """The cardholder's bank wants back what a subscription took: the plan's share of it. The team is mailed.

    Published anew where the share was wrong before: its charge had paid purchases too.
    """

    TYPE: ClassVar = "billing.workspace.dispute_opened.v1"

    stripe_dispute_id: str
    stripe_subscription_id: str
    stripe_invoice_id: str
    dispute_cents: int
    """Minor units of `currency`."""
    previously_cents: int | None = None
    """What was published before, where this corrects it; the rest is of purchases."""
    currency: str
    """ISO 4217, upper case."""
    dispute_reason: str | None = None
    evidence_due_at: datetime | None = None
    """Until when the bank takes evidence."""

    @property
    def dispute_and_correction(self) -> str:
        """What tells its mails apart."""
        return f"{self.stripe_dispute_id}{_corrected(self.previously_cents, self.dispute_cents)}"


class WorkspaceDisputeClosed(WorkspaceFact):
    """The bank has decided about such a dispute; the plan goes on until Stripe says otherwise. The team is mailed."""

    TYPE: ClassVar = "billing.workspace.dispute_closed.v1"

    stripe_dispute_id: str
    stripe_subscription_id: str
    stripe_invoice_id: str
    dispute_cents: int
    """Minor units of `currency`."""
    previously_cents: int | None = None
    """What was published before, where this corrects it; the rest is of purchases."""
    currency: str
    """ISO 4217, upper case."""
    dispute_reason: str | None = None
    outcome: DisputeStatus
    """Stripe's final status: `won`, `lost`, `warning_closed` …"""

    @property
    def dispute_and_correction(self) -> str:
        """What tells its mails apart."""
        return f"{self.stripe_dispute_id}{_corrected(self.previously_cents, self.dispute_cents)}"


class WorkspaceMoneyBackParked(WorkspaceFact):
    """A refund or dispute of a subscription's charge that a person has to value. Once for each; the team is mailed."""

    TYPE: ClassVar = "billing.workspace.money_back_parked.v1"

    stripe_refund_id: str | None = None
    stripe_dispute_id: str | None = None
    """One of the two is there."""
    stripe_subscription_id: str
    stripe_invoice_id: str
    money_back_cents: int
    """Minor units of `money_back_currency`."""
    money_back_currency: str
    """ISO 4217, upper case; not always the invoice's."""

    @property
    def object_id(self) -> str:
        """Stripe's id of what waits."""
        return str(self.stripe_refund_id or self.stripe_dispute_id)


def _corrected(previously_cents: int | None, cents: int) -> str:
    return "" if previously_cents is None else f":{cents}"
