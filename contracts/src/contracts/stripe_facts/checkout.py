"""Facts of Stripe about Checkout sessions."""

from typing import ClassVar

from contracts.stripe_facts.event import StripeFact
from contracts.stripe_facts.words import CheckoutPaymentStatus


class CheckoutSessionFact(StripeFact):
    """The session as the event showed it."""

    session_id: str
    mode: str
    """`setup`, `subscription` or `payment`."""
    currency: str | None = None
    """ISO 4217, upper case; a session in `setup` mode may have none."""
    client_reference_id: str | None = None
    purchase_ids: tuple[str, ...] = ()
    """Our metadata's `purchase_ids` and `purchase_ids_2`: what the bundle sells besides the plan."""


class CheckoutSessionCompleted(CheckoutSessionFact):
    """`checkout.session.completed`. In `setup` mode a card was saved, else something was bought."""

    TYPE: ClassVar = "billing.stripe.checkout_session_completed.v1"

    payment_status: CheckoutPaymentStatus | None = None
    """`unpaid`: the money comes later, or never. None in old API versions."""
    setup_intent_id: str | None = None
    subscription_id: str | None = None
    invoice_id: str | None = None
    payment_intent_id: str | None = None


class CheckoutSessionPaid(CheckoutSessionFact):
    """`checkout.session.async_payment_succeeded`: the bank has paid for a session that was complete and unpaid."""

    TYPE: ClassVar = "billing.stripe.checkout_session_paid.v1"

    subscription_id: str | None = None
    invoice_id: str | None = None
    payment_intent_id: str | None = None


class CheckoutSessionUnpaid(CheckoutSessionFact):
    """`checkout.session.async_payment_failed`: the bank will not pay for a session that was complete and unpaid."""

    TYPE: ClassVar = "billing.stripe.checkout_session_unpaid.v1"

    subscription_id: str | None = None
    invoice_id: str | None = None
    payment_intent_id: str | None = None


class CheckoutSessionExpired(CheckoutSessionFact):
    """`checkout.session.expired`: nobody will pay on it any more."""

    TYPE: ClassVar = "billing.stripe.checkout_session_expired.v1"
