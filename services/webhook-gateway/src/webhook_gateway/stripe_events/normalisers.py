"""NORMALISERS: which pure function turns which Stripe event into its fact, the same for every API version."""

from collections.abc import Callable, Mapping
from typing import Final

from stripe_reader.stripe_json import Json, UnknownShape
from webhook_gateway.stripe_events.event_facts import (
    charge_refunded,
    checkout_session_completed,
    checkout_session_expired,
    checkout_session_paid,
    checkout_session_unpaid,
    customer_deleted,
    dispute_changed,
    invoice_deleted,
    invoice_marked_uncollectible,
    invoice_paid,
    invoice_payment_action_required,
    invoice_payment_failed,
    invoice_payment_paid,
    invoice_voided,
    refund_changed,
    subscription_changed,
    subscription_schedule_changed,
    subscription_trial_will_end,
)
from webhook_gateway.stripe_events.stripe_event import StripeEvent, read_event
from webhook_gateway.stripe_events.told import Told
from webhook_gateway.stripe_events.unrecognised import unrecognised

NORMALISERS: Final[Mapping[str, Callable[[StripeEvent], Told]]] = {
    "invoice.payment_succeeded": invoice_paid,
    "invoice.paid": invoice_paid,
    "invoice.payment_failed": invoice_payment_failed,
    "invoice.payment_action_required": invoice_payment_action_required,
    "invoice.voided": invoice_voided,
    "invoice.deleted": invoice_deleted,
    "invoice.marked_uncollectible": invoice_marked_uncollectible,
    "invoice_payment.paid": invoice_payment_paid,
    "charge.refunded": charge_refunded,
    "refund.created": refund_changed,
    "refund.updated": refund_changed,
    "refund.failed": refund_changed,
    "charge.refund.updated": refund_changed,
    "charge.dispute.created": dispute_changed,
    "charge.dispute.closed": dispute_changed,
    "checkout.session.completed": checkout_session_completed,
    "checkout.session.expired": checkout_session_expired,
    "checkout.session.async_payment_succeeded": checkout_session_paid,
    "checkout.session.async_payment_failed": checkout_session_unpaid,
    "customer.deleted": customer_deleted,
    "customer.subscription.created": subscription_changed,
    "customer.subscription.updated": subscription_changed,
    "customer.subscription.deleted": subscription_changed,
    "customer.subscription.paused": subscription_changed,
    "customer.subscription.resumed": subscription_changed,
    "customer.subscription.trial_will_end": subscription_trial_will_end,
    "subscription_schedule.aborted": subscription_schedule_changed,
    "subscription_schedule.canceled": subscription_schedule_changed,
    "subscription_schedule.completed": subscription_schedule_changed,
    "subscription_schedule.created": subscription_schedule_changed,
    "subscription_schedule.expiring": subscription_schedule_changed,
    "subscription_schedule.released": subscription_schedule_changed,
    "subscription_schedule.updated": subscription_schedule_changed,
}


def normalise(*, event: Json, body: bytes, received_at: float) -> Told:
    """The fact of an event whose type is in NORMALISERS; in an unknown shape the raw `body`, to be parked."""
    try:
        return NORMALISERS[event["type"]](read_event(event))
    except UnknownShape as shape:
        return unrecognised(event=event, body=body, reason=str(shape), received_at=received_at)
