"""What Stripe says, as values that know neither its client nor a row."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A purchase, as far as its objects at Stripe are made of it and found by it."""

    purchase_id: uuid.UUID
    workspace_id: str
    addon_slug: str
    addon_name: str
    price_cents: int
    """Minor units of `currency`."""
    currency: str
    """ISO 4217, upper case."""
    started_at: datetime
    customer_id: str | None = None
    invoice_id: str | None = None
    checkout_session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSale:
    """A Checkout of the plan, as far as its session at Stripe is made of it and found by it."""

    checkout_id: uuid.UUID
    workspace_id: str
    plan: str
    price_id: str
    purchase_ids: tuple[str, ...]
    """What is sold besides the plan, in the order of the request."""
    customer_id: str
    session_id: str | None
    """None: the session was requested, and Stripe's answer is not known."""
    success_url: str
    cancel_url: str
    attempt: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an invoice; minor units of `currency` (lower case, as Stripe writes it)."""

    amount: int
    currency: str
    price_id: str | None = None
    purchase_id: str | None = None
    addon_slug: str | None = None
    discount_cents: int = 0
    tax_cents: int = 0

    @property
    def paid_cents(self) -> int:
        """Return the line less its discount, plus its tax."""
        return self.amount - self.discount_cents + self.tax_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One charge that paid an invoice, in whole or in part; `cents` None: not said how much of it."""

    payment_intent_id: str | None = None
    charge_id: str | None = None
    cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """An invoice that is paid in full at Stripe, of an event or fetched: the same to us. Minor units of `currency`."""

    invoice_id: str
    customer_id: str | None
    amount_paid: int
    currency: str
    lines: tuple[Line, ...]
    lines_complete: bool = True
    subscription_id: str | None = None
    parts: tuple[Part, ...] = ()
    """What paid it, as far as is known; several since partial payments (2025-05-28.basil)."""
    credit_cents: int | None = None
    """What the customer's credit balance paid, which no charge took; None: not said."""
    off_stripe_cents: int | None = None
    """What was paid outside of Stripe; None: not said, and `amount_paid` may hold some."""

    @property
    def charged_cents(self) -> int:
        """Return what its charges took."""
        return max(0, self.amount_paid - (self.off_stripe_cents or 0))

    def share_of(self, line: Line, cents: int | None) -> int:
        """Return the line's share of `cents`, which paid the whole invoice, in proportion; all shares add up to it."""
        before, total = 0, sum(max(0, other.paid_cents) for other in self.lines)
        for other in self.lines:
            if other is line:
                break
            before += max(0, other.paid_cents)
        if not cents or not total:
            return 0
        return cents * (before + max(0, line.paid_cents)) // total - cents * before // total

    def paid_more_than(self, line: Line) -> bool:
        """Return whether its money was also for something else: the plan, another purchase. Raises ValueError."""
        others = list(self.lines)
        others.remove(line)
        return any(other.amount for other in others)


class InvoiceState(StrEnum):
    """An invoice as far as `reconcile_purchase` cares."""

    PAID = "paid"
    DRAFT = "draft"
    OPEN_NEEDS_CUSTOMER = "open_needs_customer"
    OPEN_PROCESSING = "open_processing"
    OPEN_DECLINED = "open_declined"
    OPEN_UNTRIED = "open_untried"
    PAID_IN_PART = "paid_in_part"
    """Open, or given up as uncollectible: Stripe voids it only once its parts were refunded."""
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one purchase's invoice stands at Stripe now. Minor units of `currency`."""

    state: InvoiceState
    invoice_id: str | None = None
    payment_intent_id: str | None = None
    failure_code: str | None = None
    action_url: str | None = None
    currency: str | None = None
    """ISO 4217, of an invoice that is open."""
    paid_cents: int = 0
    """What was paid of one that is not paid in full."""
    paid: PaidInvoice | None = None
    """Set when `state` is PAID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A whole subscription at one moment, of an event or fetched: the same to us."""

    subscription_id: str
    status: str
    customer_id: str | None = None
    price_id: str | None = None
    interval: str | None = None
    currency: str | None = None
    started_at: datetime | None = None
    current_period_end: datetime | None = None
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    latest_invoice_id: str | None = None
    default_payment_method_id: str | None = None
    pause_behavior: str | None = None
    pause_resumes_at: datetime | None = None
    collection_method: str | None = None
    schedule_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Stripe's preview of a subscription's next invoice; minor units of `currency` (ISO 4217, upper case)."""

    at: datetime
    amount_cents: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldAddon:
    """An add-on at the price that it is sold at; minor units of `currency`."""

    addon_id: uuid.UUID
    slug: str
    name: str
    price_cents: int
    currency: str
