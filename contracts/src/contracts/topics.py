"""TOPICS: which fact goes to which topic, keyed by what, owned by whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from contracts import addon_facts, plan_facts, purchase_facts, session_facts, stripe_facts, workspace_facts
from contracts.envelope import Envelope
from contracts.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One Kafka topic. Without `retention` it is compacted, and the last fact of each key is kept for ever.

    One that is `compacted` and has a retention keeps the last fact of each key for that long.
    """

    name: str
    key: str
    owner: str
    retention: timedelta | None
    partitions: int = 12
    compacted: bool = False

    @property
    def cleanup_policy(self) -> Literal["delete", "compact", "compact,delete"]:
        if self.retention is None:
            return "compact"
        return "compact,delete" if self.compacted else "delete"

    @property
    def retention_ms(self) -> int:
        """Milliseconds, or -1 for no limit, as Kafka's `retention.ms` wants it."""
        return int(self.retention.total_seconds() * 1000) if self.retention else -1


STRIPE_EVENTS: Final = Topic(
    name="billing.stripe.events.v1",
    key="Stripe customer id, else object id",
    owner="webhook-gateway",
    retention=timedelta(days=7),
)
PURCHASE_EVENTS: Final = Topic(
    name="billing.purchase.events.v1", key="workspace id", owner="purchases", retention=timedelta(days=30)
)
PURCHASE_STATE: Final = Topic(name="billing.purchase.state.v1", key="purchase id", owner="purchases", retention=None)
WORKSPACE_EVENTS: Final = Topic(
    name="billing.workspace.events.v1", key="workspace id", owner="purchases", retention=timedelta(days=30)
)
ADDON_STATE: Final = Topic(name="billing.addon.state.v1", key="add-on id", owner="catalog", retention=None)
ADDON_PRICE: Final = Topic(
    name="billing.addon.price.v1", key="add-on id", owner="purchases", retention=timedelta(days=30)
)
PLAN_PRICE: Final = Topic(
    name="billing.plan.price.v1", key="plan slug", owner="purchases", retention=timedelta(days=30)
)
PLAN_STATE: Final = Topic(name="billing.plan.state.v1", key="plan slug", owner="catalog", retention=None)
SESSION_STATE: Final = Topic(
    name="billing.session.state.v1",
    key="SHA-256 of a token",
    owner="purchases",
    retention=timedelta(days=30),
    compacted=True,
)

TOPICS: Final[Mapping[type[Fact], Topic]] = {
    stripe_facts.InvoicePaid: STRIPE_EVENTS,
    stripe_facts.InvoicePaymentFailed: STRIPE_EVENTS,
    stripe_facts.InvoicePaymentActionRequired: STRIPE_EVENTS,
    stripe_facts.InvoiceVoided: STRIPE_EVENTS,
    stripe_facts.InvoiceDeleted: STRIPE_EVENTS,
    stripe_facts.InvoiceMarkedUncollectible: STRIPE_EVENTS,
    stripe_facts.InvoicePaymentLinked: STRIPE_EVENTS,
    stripe_facts.ChargeRefunded: STRIPE_EVENTS,
    stripe_facts.RefundChanged: STRIPE_EVENTS,
    stripe_facts.DisputeChanged: STRIPE_EVENTS,
    stripe_facts.CheckoutSessionCompleted: STRIPE_EVENTS,
    stripe_facts.CheckoutSessionExpired: STRIPE_EVENTS,
    stripe_facts.CheckoutSessionPaid: STRIPE_EVENTS,
    stripe_facts.CheckoutSessionUnpaid: STRIPE_EVENTS,
    stripe_facts.SubscriptionChanged: STRIPE_EVENTS,
    stripe_facts.SubscriptionTrialWillEnd: STRIPE_EVENTS,
    stripe_facts.SubscriptionScheduleChanged: STRIPE_EVENTS,
    stripe_facts.CustomerDeleted: STRIPE_EVENTS,
    stripe_facts.UnrecognisedEvent: STRIPE_EVENTS,
    purchase_facts.PurchaseStarted: PURCHASE_EVENTS,
    purchase_facts.PurchasePaid: PURCHASE_EVENTS,
    purchase_facts.PurchaseFailed: PURCHASE_EVENTS,
    purchase_facts.PurchaseCancelled: PURCHASE_EVENTS,
    purchase_facts.PurchaseDelivered: PURCHASE_EVENTS,
    purchase_facts.PurchaseRefunded: PURCHASE_EVENTS,
    purchase_facts.PurchaseRestored: PURCHASE_EVENTS,
    purchase_facts.PurchaseReopened: PURCHASE_EVENTS,
    purchase_facts.RefundIssued: PURCHASE_EVENTS,
    purchase_facts.RefundFailed: PURCHASE_EVENTS,
    purchase_facts.PaymentReturned: PURCHASE_EVENTS,
    purchase_facts.PaymentParked: PURCHASE_EVENTS,
    purchase_facts.MoneyBackParked: PURCHASE_EVENTS,
    purchase_facts.MoneyOverReturned: PURCHASE_EVENTS,
    purchase_facts.DisputeOpened: PURCHASE_EVENTS,
    purchase_facts.DisputeClosed: PURCHASE_EVENTS,
    purchase_facts.PurchaseState: PURCHASE_STATE,
    workspace_facts.WorkspacePlanChanged: WORKSPACE_EVENTS,
    workspace_facts.SubscriptionStatusChanged: WORKSPACE_EVENTS,
    workspace_facts.RenewalFailed: WORKSPACE_EVENTS,
    workspace_facts.ExtraSubscriptionEnded: WORKSPACE_EVENTS,
    workspace_facts.SubscriptionParked: WORKSPACE_EVENTS,
    workspace_facts.WorkspacePaymentRefunded: WORKSPACE_EVENTS,
    workspace_facts.WorkspaceDisputeOpened: WORKSPACE_EVENTS,
    workspace_facts.WorkspaceDisputeClosed: WORKSPACE_EVENTS,
    workspace_facts.WorkspaceMoneyBackParked: WORKSPACE_EVENTS,
    addon_facts.AddonState: ADDON_STATE,
    addon_facts.AddonPriceProvisioned: ADDON_PRICE,
    addon_facts.AddonPriceRefused: ADDON_PRICE,
    plan_facts.PlanState: PLAN_STATE,
    plan_facts.PlanPriceProvisioned: PLAN_PRICE,
    session_facts.SessionEnded: SESSION_STATE,
}
INTERNAL: Final = frozenset({STRIPE_EVENTS.name, SESSION_STATE.name})
"""Topics that our services use among themselves."""
ALL_TOPICS: Final[tuple[Topic, ...]] = tuple({topic.name: topic for topic in TOPICS.values()}.values())
FACTS: Final[Mapping[str, type[Fact]]] = {fact.TYPE: fact for fact in TOPICS}


class UnknownFact(ValueError):  # noqa: N818 - named for what it says
    """A fact type that this version of the contracts does not know; a consumer passes over it."""


def seal(fact: Fact, *, occurred_at: datetime, traceparent: str | None = None) -> Envelope:
    """Put `fact` into the envelope that it travels in."""
    return Envelope(
        id=fact.id,
        type=fact.TYPE,
        source=f"/quittance/{TOPICS[type(fact)].owner}",
        subject=fact.subject,
        time=occurred_at,
        traceparent=traceparent,
    )


def read(*, type: str, value: bytes | str | None) -> Fact:  # noqa: A002 - CloudEvents' own word
    """Return the fact in a record's body, which is JSON and not yet decoded.

    Raises UnknownFact, or pydantic's ValidationError for a body that is not one (a record without one among them).
    """
    model = FACTS.get(type)
    if model is None:
        raise UnknownFact(type)
    return model.model_validate_json(value or b"")
