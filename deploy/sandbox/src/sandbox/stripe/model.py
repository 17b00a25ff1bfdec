"""The canonical objects of the sandbox that payments are made of."""

from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.stripe.adjustments import Discount, DiscountAmount, TaxAmount, TaxRate
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
class InvoiceItem(Thing):
    kind: ClassVar[str] = "invoiceitem"

    customer: str
    invoice: str | None
    amount: int
    currency: str
    quantity: int = 1
    unit_amount: int
    price: Price
    description: str | None = None
    discountable: bool = True
    tax_rates: tuple[TaxRate, ...] = ()
    period_start: int
    period_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Thing):
    """A line of an invoice, made from an invoice item; `pricing.priced` says what is taken off and added."""

    kind: ClassVar[str] = "line_item"

    invoice: str
    invoice_item: str | None
    amount: int
    currency: str
    quantity: int
    unit_amount: int
    price: Price
    description: str | None
    discountable: bool
    tax_rates: tuple[TaxRate, ...] = ()
    discount_amounts: tuple[DiscountAmount, ...] = ()
    taxes: tuple[TaxAmount, ...] = ()
    period_start: int
    period_end: int

    @property
    def discounted(self) -> int:
        """What all discounts take off."""
        return sum(one.amount for one in self.discount_amounts)

    def taxed(self, *, inclusive: bool) -> int:
        """The taxes that `amount` holds already, or those that are added to it."""
        return sum(one.amount for one in self.taxes if one.rate.inclusive == inclusive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Thing):
    """Statuses: draft, open, paid, void, uncollectible. `payment_intent` and `charge` are of the last attempt."""

    kind: ClassVar[str] = "invoice"

    customer: str
    customer_email: str | None = None
    customer_name: str | None = None
    currency: str
    status: str = "draft"
    lines: tuple[Line, ...] = ()
    auto_advance: bool = False
    billing_reason: str = "manual"
    collection_method: str = "charge_automatically"
    default_payment_method: str | None = None
    default_tax_rates: tuple[TaxRate, ...] = ()
    discounts: tuple[Discount, ...] = ()
    description: str | None = None
    footer: str | None = None
    statement_descriptor: str | None = None
    number: str | None = None
    due_date: int | None = None
    amount_paid: int = 0
    amount_due: int | None = None
    attempt_count: int = 0
    attempted: bool = False
    starting_balance: int = 0
    ending_balance: int | None = None
    paid_out_of_band: bool = False
    payment_intent: str | None = None
    charge: str | None = None
    hosted_invoice_url: str | None = None
    finalized_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    marked_uncollectible_at: int | None = None

    @property
    def subtotal(self) -> int:
        """The sum of the lines, in minor units."""
        return sum(line.amount for line in self.lines)

    @property
    def total(self) -> int:
        """The same less discounts, plus the taxes that come on top."""
        return sum(line.amount - line.discounted + line.taxed(inclusive=False) for line in self.lines)

    @property
    def due(self) -> int:
        """What is asked for: fixed at finalisation, until then the total (never negative)."""
        return max(self.total, 0) if self.amount_due is None else self.amount_due

    @property
    def remaining(self) -> int:
        """What is still to be paid."""
        return self.due - self.amount_paid


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePayment(Thing):
    """Ties an invoice to its payment intent. Statuses: open, paid, canceled."""

    kind: ClassVar[str] = "invoice_payment"

    invoice: str
    payment_intent: str
    currency: str
    amount_requested: int
    amount_paid: int | None = None
    status: str = "open"
    paid_at: int | None = None
    canceled_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIntent(Thing):
    """`authenticated` is the bank's word on this attempt; `off_session` how the last attempt was made."""

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
    client_secret: str
    canceled_at: int | None = None
    cancellation_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge(Thing):
    """Statuses: succeeded, failed. `amount_refunded` counts pending and succeeded refunds."""

    kind: ClassVar[str] = "charge"

    amount: int
    amount_captured: int
    amount_refunded: int = 0
    currency: str
    customer: str | None
    description: str | None = None
    invoice: str | None
    payment_intent: str
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
    payment_intent: str
    customer: str | None
    status: str
    reason: str | None = None
    failure_reason: str | None = None


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
