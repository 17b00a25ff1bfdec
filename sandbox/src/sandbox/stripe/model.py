"""The canonical objects of the sandbox that payments are made of."""

from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.stripe.adjustments import Discount
from sandbox.stripe.thing import Json as Json
from sandbox.stripe.thing import Thing as Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(Thing):
    kind: ClassVar[str] = "customer"

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    description: str | None = None
    address: Json | None = None
    shipping: Json | None = None
    balance: int = 0
    currency: str | None = None
    default_payment_method: str | None = None
    default_source: str | None = None
    tax_exempt: str = "none"
    preferred_locales: tuple[str, ...] = ()
    invoice_prefix: str
    next_invoice_sequence: int = 1
    discount: Discount | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod(Thing):
    """`card` names a row of CARDS. `spent`: detached, or used unattached; it may never be attached again.

    `set_up`: saved with the customer's consent, which some banks want to see before they pay without him.
    """

    kind: ClassVar[str] = "payment_method"

    card: str
    customer: str | None = None
    billing_details: Json = field(default_factory=dict)
    fingerprint: str
    spent: bool = False
    set_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Thing):
    kind: ClassVar[str] = "product"

    name: str
    active: bool = True
    description: str | None = None
    default_price: str | None = None
    statement_descriptor: str | None = None
    unit_label: str | None = None
    url: str | None = None
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Thing):
    kind: ClassVar[str] = "price"

    product: str
    currency: str
    unit_amount: int
    active: bool = True
    lookup_key: str | None = None
    nickname: str | None = None
    recurring: Json | None = None
    tax_behavior: str = "unspecified"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIntent(Thing):
    """`invoice` or `checkout` is what it pays; both where Checkout made an invoice of it."""

    kind: ClassVar[str] = "payment_intent"

    amount: int
    currency: str
    customer: str | None = None
    invoice: str | None = None
    status: str
    amount_received: int = 0
    payment_method: str | None = None
    latest_charge: str | None = None
    last_payment_error: Json | None = None
    next_action: Json | None = None
    return_url: str | None = None
    description: str | None = None
    receipt_email: str | None = None
    setup_future_usage: str | None = None
    checkout: str | None = None
    client_secret: str
    canceled_at: int | None = None
    cancellation_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge(Thing):
    """Statuses: succeeded, pending, failed. `amount_refunded` counts pending and succeeded refunds."""

    kind: ClassVar[str] = "charge"

    amount: int
    amount_captured: int
    amount_refunded: int = 0
    currency: str
    customer: str | None
    description: str | None = None
    invoice: str | None
    payment_intent: str | None
    payment_method: str
    card: str
    billing_details: Json = field(default_factory=dict)
    fingerprint: str
    status: str
    authenticated: bool = False
    failure_code: str | None = None
    failure_message: str | None = None
    decline_code: str | None = None
    receipt_email: str | None = None
    disputed: bool = False

    @property
    def refunded(self) -> bool:
        """Whether nothing is left to refund."""
        return self.status == "succeeded" and self.amount_refunded == self.amount_captured


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(Thing):
    """Statuses: pending, succeeded, failed, canceled."""

    kind: ClassVar[str] = "refund"

    amount: int
    currency: str
    charge: str
    payment_intent: str | None
    customer: str | None
    status: str
    reason: str | None = None
    failure_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTransaction(Thing):
    """One move of a customer's balance; negative is credit. `ending_balance` is the balance behind it."""

    kind: ClassVar[str] = "customer_balance_transaction"

    customer: str
    amount: int
    currency: str
    ending_balance: int
    type: str = "adjustment"
    description: str | None = None
    invoice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint(Thing):
    """`secrets` holds more than one while a secret is rotated."""

    kind: ClassVar[str] = "webhook_endpoint"

    url: str
    secrets: tuple[str, ...]
    enabled_events: tuple[str, ...]
    api_version: str | None = None
    description: str | None = None
    status: str = "enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Thing):
    """What happened to `thing`; `before` is the object as it was, for `previous_attributes`."""

    kind: ClassVar[str] = "event"

    type: str
    thing: Thing
    before: Thing | None
    api_version: str
    request_id: str | None
    idempotency_key: str | None
