"""Checkout session events: bought, a card saved, paid by the bank days later, or expired; in every API version."""

from collections.abc import Iterable
from typing import Final

from contracts.stripe_facts import (
    CheckoutSessionCompleted,
    CheckoutSessionExpired,
    CheckoutSessionPaid,
    CheckoutSessionUnpaid,
)
from contracts.stripe_facts.words import CHECKOUT_PAYMENT_STATUSES
from webhook_gateway.presence import Json, id_of, optional_currency, part, required_id, required_text, text, word
from webhook_gateway.purchase_ids import purchase_ids_of
from webhook_gateway.stripe_event import StripeEvent, filled, metadata_of, origin
from webhook_gateway.told import Told, tell

MADE: Final = ("subscription", "setup_intent", "payment_intent", "invoice")
"""What a session makes; from 2025-03-31.basil on nothing of it exists before the session completes."""
OF_A_BANK: Final = ("subscription", "invoice", "payment_intent")


def checkout_session_completed(event: StripeEvent) -> Told:
    """`checkout.session.completed`. Source: https://docs.stripe.com/api/checkout/sessions/object."""
    made = _made(event.object, MADE)
    payment_status = word(event.object, "payment_status", known=CHECKOUT_PAYMENT_STATUSES)
    return tell(CheckoutSessionCompleted, **_session(event), **made, payment_status=payment_status)


def checkout_session_paid(event: StripeEvent) -> Told:
    """`checkout.session.async_payment_succeeded`: a bank debit came through."""
    return tell(CheckoutSessionPaid, **_session(event), **_made(event.object, OF_A_BANK))


def checkout_session_unpaid(event: StripeEvent) -> Told:
    """`checkout.session.async_payment_failed`: a bank debit did not come through."""
    return tell(CheckoutSessionUnpaid, **_session(event), **_made(event.object, OF_A_BANK))


def checkout_session_expired(event: StripeEvent) -> Told:
    """`checkout.session.expired`: nobody will pay on it any more."""
    return tell(CheckoutSessionExpired, **_session(event))


def _made(session: Json, names: Iterable[str]) -> dict[str, str | None]:
    return {f"{name}_id": id_of(session.get(name)) for name in names}


def _session(event: StripeEvent) -> dict[str, object]:
    session = event.object
    return {
        **origin(event, elsewhere=lambda: _more_metadata(session)),
        "session_id": required_id(session, "id"),
        "mode": required_text(session, "mode"),
        "currency": optional_currency(session),
        "purchase_ids": purchase_ids_of(filled(metadata_of(session), _more_metadata(session))),
        "client_reference_id": text(session, "client_reference_id"),
    }


def _more_metadata(session: Json) -> list[Json]:
    """Where else our keys may be: on what the session made, where that is expanded."""
    return [metadata_of(part(session, name)) for name in MADE]
