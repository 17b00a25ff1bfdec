"""What the appliers of one batch share: the locked rows, the ids they learn, how a fact is set aside or counted."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote

from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received
from chassis.outbox import parked
from contracts import Fact
from contracts.stripe_facts import InvoicePaid, StripeFact
from purchases.batch.parking import keep_references
from purchases.batch.references import all_ids_of, references_of
from purchases.jobs.kinds import SyncPayment
from purchases.ledger import store as ledger
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.workspaces.rows import Workspace

FactT = TypeVar("FactT", bound=Fact)
CONSUMER: Final = "purchases"
FETCHED: Final = -1
"""The partition of a record that never was on Kafka: its fact was made of what Stripe answered."""
OUTCOMES: Final = Counter("billing_stripe_facts_total", "Stripe facts by what became of them.", ["type", "outcome"])

AGE: Final = Histogram(
    "billing_stripe_fact_age_seconds",
    "From Stripe's event to our ledger: what Stripe, the gateway, Kafka and the worker took together.",
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 259_200),
)


@dataclass(frozen=True, slots=True)
class Pages:
    """Where our own pages are, for facts that send somebody there."""

    public_base_url: str

    def billing(self, workspace_id: str) -> str:
        """Return the workspace's billing page."""
        return f"{self.public_base_url.rstrip('/')}/app/{quote(workspace_id, safe='')}/settings/billing"


@dataclass(slots=True)
class BatchContext:
    """One batch at hand: its session, the locked purchases, and the ids that it learned."""

    session: AsyncSession
    instance: str
    index: ledger.PurchaseIndex
    purchases: Mapping[uuid.UUID, Purchase]
    our_customers: Collection[str] = ()
    our_prices: Collection[str] = ()
    """Those that sold something here, of the prices on invoices of our customers that name no purchase."""
    workspaces_by_event: Mapping[str, Workspace] = field(default_factory=dict)
    """By Stripe event id: the locked workspace that a subscription's fact is about."""
    plan_prices: Collection[str] = ()
    """Stripe's ids of what the plans cost."""
    pages: Pages = Pages("")
    learned: set[str] = field(default_factory=set)
    unexplained: dict[str, list[tuple[Purchase, InvoicePaid]]] = field(default_factory=dict)
    """By invoice, the payments of which its event did not say what paid them."""

    def purchases_of(self, fact: Fact) -> list[Purchase]:
        """Return the locked purchases that the fact's surest known ids name, in the order of their ids."""
        known = (self.index.purchases_of(group) for group in references_of(fact))
        named = next(filter(None, known), ())
        return [self.purchases[purchase_id] for purchase_id in named if purchase_id in self.purchases]

    def learn(self, purchase: Purchase, ids: Collection[str]) -> None:
        """Have later facts of the batch find the purchase by `ids`; what waits for them is released at its end."""
        self.learned.update(ids)
        self.index.add(purchase.id, ids)

    def note_unexplained(self, purchase: Purchase, fact: InvoicePaid) -> None:
        """Note that the event did not say what paid this payment; what the batch says of it later counts, too."""
        if _unexplained(purchase, fact.invoice_id):
            self.unexplained.setdefault(fact.invoice_id, []).append((purchase, fact))

    def still_unexplained(self) -> list[SyncPayment]:
        """Return what asks Stripe at the end of the batch what paid an invoice, a job for each."""
        return [
            SyncPayment(
                invoice_id=invoice_id,
                purchase_ids=tuple(purchase.id for purchase, _ in noted),
                amount_paid=noted[0][1].amount_paid,
                currency=noted[0][1].currency,
            )
            for invoice_id, noted in self.unexplained.items()
            if any(_unexplained(purchase, invoice_id) for purchase, _ in noted)
        ]

    async def park(
        self, received: Received, *, reason: str, waits_for: str | None = None, again: bool | None = None
    ) -> None:
        """Set the fact aside in this batch's transaction; with `again` false no timer tries what waits."""
        await parked.park(self.session, received, consumer=CONSUMER, reason=reason, waits_for=waits_for, again=again)
        await keep_references(self.session, received.envelope.id, all_ids_of(received.fact))


def _unexplained(purchase: Purchase, invoice_id: str) -> bool:
    return any(payment.stripe_invoice_id == invoice_id and not payment.is_explained for payment in purchase.payments)


async def keep_names(session: AsyncSession, received: Received) -> None:
    """Keep the ids of a fact that is set aside since it cannot be applied: it is on the page of what it may concern."""
    ids = {one for one in all_ids_of(received.fact) if one.isprintable()}
    await keep_references(session, received.envelope.id, ids)


def was_fetched(received: Received) -> bool:
    """Return whether Stripe itself was asked: what such a fact says of money needs no second look."""
    return received.record.partition == FETCHED


def note_age(received: Received) -> None:
    """Measure how old a fact of an event is that is applied now; what was fetched is as old as the question."""
    if not was_fetched(received) and isinstance(received.fact, StripeFact):
        AGE.observe(max((datetime.now(UTC) - received.fact.occurred_at).total_seconds(), 0))


def cause_of(fact: StripeFact, *, reason: str | None = None) -> Cause:
    """Return a Stripe event as what made something happen."""
    return Cause(actor="stripe", at=datetime.now(UTC), stripe_event_id=fact.stripe_event_id, reason=reason)


def fact_as(kind: type[FactT], received: Received) -> FactT:
    """Return the fact as the type that its applier is for. Raises TypeError when APPLY is wrong."""
    if not isinstance(received.fact, kind):
        raise TypeError(f"{type(received.fact).__name__} is no {kind.__name__}")
    return received.fact


def count_outcome(fact: Fact, outcome: str) -> None:
    """Count what became of a fact."""
    OUTCOMES.labels(fact.TYPE, outcome).inc()
