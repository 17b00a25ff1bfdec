"""NORMALISERS: which pure function turns which Stripe event into its fact, the same for every API version.

What the event's object says, `stripe_reader` reads; a function here says which fact the event stands for.
"""

from collections.abc import Callable, Mapping
from typing import Final

from contracts.stripe_facts import (
    ChargeRefunded,
    CheckoutSessionCompleted,
    CheckoutSessionExpired,
    CheckoutSessionPaid,
    CheckoutSessionUnpaid,
    CustomerDeleted,
    DisputeChanged,
    InvoiceDeleted,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoicePaymentActionRequired,
    InvoicePaymentFailed,
    InvoicePaymentLinked,
    InvoiceVoided,
    RefundChanged,
    SubscriptionChanged,
    SubscriptionScheduleChanged,
    SubscriptionTrialWillEnd,
)
from stripe_reader.charges import read_charge
from stripe_reader.checkout_sessions import (
    read_checkout_session,
    read_made,
    read_payment_status,
    read_setup_intent_id,
)
from stripe_reader.customers import read_customer
from stripe_reader.disputes import read_dispute
from stripe_reader.invoice_payments import read_invoice_payment
from stripe_reader.invoices import read_invoice
from stripe_reader.payments import read_action_url, read_failure, read_paid_by
from stripe_reader.refunds import read_refund
from stripe_reader.stripe_json import Json, UnknownShape
from stripe_reader.subscriptions import read_subscription, read_subscription_schedule
from webhook_gateway.stripe_events.stripe_event import OutgoingFact, StripeEvent, outgoing_fact, read_event
from webhook_gateway.stripe_events.unrecognised import unrecognised


def invoice_paid(event: StripeEvent) -> OutgoingFact:
    """Normalise `invoice.payment_succeeded` and `invoice.paid`: Stripe sends both for one payment."""
    return outgoing_fact(InvoicePaid, event, read_invoice(event.object), **vars(read_paid_by(event.object)))


def invoice_payment_failed(event: StripeEvent) -> OutgoingFact:
    """Normalise `invoice.payment_failed`: sent, too, when only the customer is missing (3-D Secure); basil hides it."""
    failure = read_failure(event.object)
    return outgoing_fact(InvoicePaymentFailed, event, read_invoice(event.object), **vars(failure))


def invoice_payment_action_required(event: StripeEvent) -> OutgoingFact:
    """Normalise `invoice.payment_action_required`: 3-D Secure is wanted; the way there only in an expanded intent."""
    action_url = read_action_url(event.object)
    return outgoing_fact(InvoicePaymentActionRequired, event, read_invoice(event.object), action_url=action_url)


def invoice_voided(event: StripeEvent) -> OutgoingFact:
    """Normalise `invoice.voided`: final, it can never be paid again."""
    return outgoing_fact(InvoiceVoided, event, read_invoice(event.object))


def invoice_deleted(event: StripeEvent) -> OutgoingFact:
    """Normalise `invoice.deleted`: a draft is gone; only drafts can be deleted, so nobody was asked to pay it."""
    return outgoing_fact(InvoiceDeleted, event, read_invoice(event.object))


def invoice_marked_uncollectible(event: StripeEvent) -> OutgoingFact:
    """Normalise `invoice.marked_uncollectible`: given up, though it can still be paid until it is voided."""
    return outgoing_fact(InvoiceMarkedUncollectible, event, read_invoice(event.object))


def invoice_payment_paid(event: StripeEvent) -> OutgoingFact:
    """Normalise `invoice_payment.paid`: which payment intent paid which invoice."""
    return outgoing_fact(InvoicePaymentLinked, event, read_invoice_payment(event.object))


def charge_refunded(event: StripeEvent) -> OutgoingFact:
    """Normalise `charge.refunded`: `amount_refunded` is cumulative."""
    return outgoing_fact(ChargeRefunded, event, read_charge(event.object))


def refund_changed(event: StripeEvent) -> OutgoingFact:
    """Normalise `refund.created`, `.updated`, `.failed`, `charge.refund.updated`: all show the same object."""
    return outgoing_fact(RefundChanged, event, read_refund(event.object))


def dispute_changed(event: StripeEvent) -> OutgoingFact:
    """Normalise `charge.dispute.created` (opened, or only inquired about) and `.closed`: both show the same object."""
    return outgoing_fact(DisputeChanged, event, read_dispute(event.object))


def checkout_session_completed(event: StripeEvent) -> OutgoingFact:
    """Normalise `checkout.session.completed`: bought, or a card saved."""
    return outgoing_fact(
        CheckoutSessionCompleted,
        event,
        read_checkout_session(event.object),
        **vars(read_made(event.object)),
        setup_intent_id=read_setup_intent_id(event.object),
        payment_status=read_payment_status(event.object),
    )


def checkout_session_paid(event: StripeEvent) -> OutgoingFact:
    """Normalise `checkout.session.async_payment_succeeded`: a bank debit came through."""
    return outgoing_fact(
        CheckoutSessionPaid, event, read_checkout_session(event.object), **vars(read_made(event.object))
    )


def checkout_session_unpaid(event: StripeEvent) -> OutgoingFact:
    """Normalise `checkout.session.async_payment_failed`: a bank debit did not come through."""
    return outgoing_fact(
        CheckoutSessionUnpaid, event, read_checkout_session(event.object), **vars(read_made(event.object))
    )


def checkout_session_expired(event: StripeEvent) -> OutgoingFact:
    """Normalise `checkout.session.expired`: nobody will pay on it any more."""
    return outgoing_fact(CheckoutSessionExpired, event, read_checkout_session(event.object))


def customer_deleted(event: StripeEvent) -> OutgoingFact:
    """Normalise `customer.deleted`: the object is the customer itself."""
    return outgoing_fact(CustomerDeleted, event, read_customer(event.object))


def subscription_changed(event: StripeEvent) -> OutgoingFact:
    """Normalise `customer.subscription.created`, `.updated`, `.deleted`, `.paused`, `.resumed`: all of one object."""
    return outgoing_fact(SubscriptionChanged, event, read_subscription(event.object))


def subscription_trial_will_end(event: StripeEvent) -> OutgoingFact:
    """Normalise `customer.subscription.trial_will_end`: three days before; nothing has changed yet."""
    return outgoing_fact(SubscriptionTrialWillEnd, event, read_subscription(event.object))


def subscription_schedule_changed(event: StripeEvent) -> OutgoingFact:
    """Normalise `subscription_schedule.*`: what will become of a subscription is planned anew."""
    return outgoing_fact(SubscriptionScheduleChanged, event, read_subscription_schedule(event.object))


NORMALISERS: Final[Mapping[str, Callable[[StripeEvent], OutgoingFact]]] = {
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


def normalise(*, event: Json, body: bytes, received_at: float) -> OutgoingFact:
    """Return the fact of an event whose type is in NORMALISERS; in an unknown shape the raw `body`, to be parked."""
    try:
        return NORMALISERS[event["type"]](read_event(event))
    except UnknownShape as shape:
        return unrecognised(event=event, body=body, reason=str(shape), received_at=received_at)
