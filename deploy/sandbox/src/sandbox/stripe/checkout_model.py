"""What Checkout is made of: its session, and the setup intent of one that saves a card."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.stripe.thing import Json, Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession(Thing):
    """Statuses: open, complete, expired."""

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
    setup_intent: str | None = None


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
