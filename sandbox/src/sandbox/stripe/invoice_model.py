"""What invoices are made of: their lines, the items behind them, and the payments made for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sandbox.stripe.adjustments import Discount, DiscountAmount, TaxAmount, TaxRate
from sandbox.stripe.model import Price
from sandbox.stripe.thing import Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceItem(Thing):
    kind: ClassVar[str] = "invoiceitem"

    customer: str
    invoice: str | None
    subscription: str | None = None
    subscription_item: str | None = None
    proration: bool = False
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
    """A line of an invoice, made from an invoice item or a subscription's; `pricing.priced` does its arithmetic."""

    kind: ClassVar[str] = "line_item"

    invoice: str
    invoice_item: str | None
    subscription: str | None = None
    subscription_item: str | None = None
    proration: bool = False
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
        """Return the taxes that `amount` holds already, or those that are added to it."""
        return sum(one.amount for one in self.taxes if one.rate.inclusive == inclusive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Thing):
    """Statuses: draft, open, paid, void, uncollectible. `payment_intent` and `charge` are of the last attempt.

    `finalizes_at` and `next_payment_attempt` are when the clock will do so by itself.
    """

    kind: ClassVar[str] = "invoice"

    customer: str
    customer_email: str | None = None
    customer_name: str | None = None
    currency: str
    status: str = "draft"
    lines: tuple[Line, ...] = ()
    auto_advance: bool = False
    billing_reason: str = "manual"
    subscription: str | None = None
    subscription_metadata: Mapping[str, str] | None = None
    period_start: int
    period_end: int
    finalizes_at: int | None = None
    next_payment_attempt: int | None = None
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
    paid_off_stripe: int = 0
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
    def paid_out_of_band(self) -> bool:
        """Whether the Dashboard, or a request, marked it as paid outside of Stripe."""
        return self.paid_off_stripe > 0

    @property
    def remaining(self) -> int:
        """What is still to be paid."""
        return self.due - self.amount_paid


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePayment(Thing):
    """Ties an invoice to a payment intent; one of them is its default. Statuses: open, paid, canceled.

    `charge` is set only where the charge has no intent.
    """

    kind: ClassVar[str] = "invoice_payment"

    invoice: str
    payment_intent: str | None
    charge: str | None = None
    currency: str
    amount_requested: int
    amount_paid: int | None = None
    is_default: bool = True
    status: str = "open"
    paid_at: int | None = None
    canceled_at: int | None = None
