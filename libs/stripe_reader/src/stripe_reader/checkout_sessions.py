"""Checkout sessions, and Stripe's other pages that people are sent to."""

from datetime import datetime
from typing import Final

from contracts.stripe_facts.words import CHECKOUT_PAYMENT_STATUSES, CHECKOUT_STATUSES
from stripe_reader.origin import StripeObject, fill, metadata_of, purchase_ids_of, read_origin
from stripe_reader.stripe_json import (
    Json,
    id_of,
    optional_currency,
    optional_time,
    part,
    required_id,
    required_text,
    required_word,
    text,
    word,
)
from stripe_reader.value import Value

MADE: Final = ("subscription", "setup_intent", "payment_intent", "invoice")
"""What a session makes; from 2025-03-31.basil on nothing of it exists before the session completes."""


class CheckoutSession(StripeObject):
    """What a session says of itself, open or over."""

    session_id: str
    mode: str
    currency: str | None
    purchase_ids: tuple[str, ...]
    client_reference_id: str | None


class Made(Value):
    """What a session that is complete made."""

    subscription_id: str | None
    invoice_id: str | None
    payment_intent_id: str | None


def read_checkout_session(session: Json) -> CheckoutSession:
    """Return what a session says. Raises UnknownShape. Source: https://docs.stripe.com/api/checkout/sessions/object."""
    more = [metadata_of(part(session, name)) for name in MADE]
    return CheckoutSession(
        **read_origin(session, elsewhere=lambda: more),
        session_id=required_id(session, "id"),
        mode=required_text(session, "mode"),
        currency=optional_currency(session),
        purchase_ids=purchase_ids_of(fill(metadata_of(session), more)),
        client_reference_id=text(session, "client_reference_id"),
    )


def read_made(session: Json) -> Made:
    """Return what a session made. Raises UnknownShape."""
    return Made(
        subscription_id=id_of(session.get("subscription")),
        invoice_id=id_of(session.get("invoice")),
        payment_intent_id=id_of(session.get("payment_intent")),
    )


def read_setup_intent_id(session: Json) -> str | None:
    """Return the setup intent of a session in `setup` mode. Raises UnknownShape."""
    return id_of(session.get("setup_intent"))


def read_payment_status(session: Json) -> str | None:
    """Return whether a session is paid; None in old API versions. Raises UnknownShape.

    `unpaid` of one that is complete: the money comes later, or never.
    """
    return word(session, "payment_status", known=CHECKOUT_PAYMENT_STATUSES)


def read_session_status(session: Json) -> str:
    """Return `open`, `complete` or `expired`. Raises UnknownShape."""
    return required_word(session, "status", known=CHECKOUT_STATUSES)


class HostedPage(Value):
    """Where the browser goes, whereto the page leads it back, and until when the page is open."""

    session_id: str
    url: str | None
    """None once a Checkout session is over."""
    return_url: str | None
    expires_at: datetime | None


def read_hosted_page(session: Json) -> HostedPage:
    """Return what a session says of its page. Raises UnknownShape.

    Source: https://docs.stripe.com/api/checkout/sessions/object, https://docs.stripe.com/api/customer_portal/sessions.
    """
    return HostedPage(
        session_id=required_id(session, "id"),
        url=text(session, "url"),
        return_url=text(session, "success_url") or text(session, "return_url"),
        expires_at=optional_time(session, "expires_at"),
    )
