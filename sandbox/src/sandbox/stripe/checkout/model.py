"""What Checkout is made of: its session, what that sells, and the setup intent of one that saves a card."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.stripe.model import Price
from sandbox.stripe.thing import Json, Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem(Thing):
    """One price that a session sells, once or again and again."""

    kind: ClassVar[str] = "item"

    price: Price
    quantity: int
    description: str | None
    discount: int = 0
    tax: int = 0

    @property
    def amount(self) -> int:
        """Before discounts and taxes, in minor units."""
        return self.price.unit_amount * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession(Thing):
    """Statuses: open, complete, expired. `intent` is the payment that was begun on its page, shown or not.

    `described` is the `subscription_data` or `payment_intent_data` of the request: a description and metadata.
    """

    kind: ClassVar[str] = "checkout.session"

    mode: str
    status: str = "open"
    payment_status: str
    success_url: str
    cancel_url: str | None = None
    url: str
    expires_at: int
    currency: str | None = None
    customer: str | None = None
    customer_email: str | None = None
    customer_details: Json | None = None
    client_reference_id: str | None = None
    locale: str | None = None
    payment_method_types: tuple[str, ...] = ("card",)
    adaptive_pricing: bool | None = None
    setup_intent: str | None = None
    line_items: tuple[LineItem, ...] = ()
    description: str | None = None
    described: Mapping[str, str] = field(default_factory=dict)
    intent: str | None = None
    invoice: str | None = None
    subscription: str | None = None

    @property
    def recurring(self) -> tuple[LineItem, ...]:
        """What the subscription is for."""
        return tuple(one for one in self.line_items if one.price.recurring)

    @property
    def once(self) -> tuple[LineItem, ...]:
        """What is bought once, with it or alone."""
        return tuple(one for one in self.line_items if not one.price.recurring)

    @property
    def subtotal(self) -> int:
        """The sum of the line items."""
        return sum(one.amount for one in self.line_items)

    @property
    def total(self) -> int:
        """The same less discounts, plus taxes: what the buyer is shown."""
        return sum(one.amount - one.discount + one.tax for one in self.line_items)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupIntent(Thing):
    """Statuses: requires_payment_method, requires_action, succeeded, canceled."""

    kind: ClassVar[str] = "setup_intent"

    status: str = "requires_payment_method"
    client_secret: str
    customer: str | None = None
    description: str | None = None
    payment_method: str | None = None
    payment_method_types: tuple[str, ...] = ("card",)
    usage: str = "off_session"
    next_action: Json | None = None
    last_setup_error: Json | None = None
    cancellation_reason: str | None = None
