"""What each event gives: the object as `stripe_reader` reads it, as the fact that the event stands for."""

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
from stripe_reader.subscription_schedules import read_subscription_schedule
from stripe_reader.subscriptions import read_subscription
from webhook_gateway.stripe_events.stripe_event import StripeEvent
from webhook_gateway.stripe_events.told import Told, tell


def invoice_paid(event: StripeEvent) -> Told:
    """`invoice.payment_succeeded` and `invoice.paid`: Stripe sends both for one payment."""
    return tell(InvoicePaid, event, read_invoice(event.object), **vars(read_paid_by(event.object)))


def invoice_payment_failed(event: StripeEvent) -> Told:
    """`invoice.payment_failed`: also sent when only the customer is missing (3-D Secure), which basil hides."""
    failure = read_failure(event.object)
    return tell(InvoicePaymentFailed, event, read_invoice(event.object), **vars(failure))


def invoice_payment_action_required(event: StripeEvent) -> Told:
    """`invoice.payment_action_required`: the bank wants 3-D Secure; the way there only when the intent is expanded."""
    action_url = read_action_url(event.object)
    return tell(InvoicePaymentActionRequired, event, read_invoice(event.object), action_url=action_url)


def invoice_voided(event: StripeEvent) -> Told:
    """`invoice.voided`: final, it can never be paid again."""
    return tell(InvoiceVoided, event, read_invoice(event.object))


def invoice_deleted(event: StripeEvent) -> Told:
    """`invoice.deleted`: a draft is gone; only drafts can be deleted, so nobody was asked to pay it."""
    return tell(InvoiceDeleted, event, read_invoice(event.object))


def invoice_marked_uncollectible(event: StripeEvent) -> Told:
    """`invoice.marked_uncollectible`: given up, though it can still be paid until it is voided."""
    return tell(InvoiceMarkedUncollectible, event, read_invoice(event.object))


def invoice_payment_paid(event: StripeEvent) -> Told:
    """`invoice_payment.paid`: which payment intent paid which invoice."""
    return tell(InvoicePaymentLinked, event, read_invoice_payment(event.object))


def charge_refunded(event: StripeEvent) -> Told:
    """`charge.refunded`: `amount_refunded` is cumulative."""
    return tell(ChargeRefunded, event, read_charge(event.object))


def refund_changed(event: StripeEvent) -> Told:
    """`refund.created`, `.updated`, `.failed`, `charge.refund.updated`: all show the same object."""
    return tell(RefundChanged, event, read_refund(event.object))


def dispute_changed(event: StripeEvent) -> Told:
    """`charge.dispute.created` (opened, or only inquired about) and `.closed`: both show the same object."""
    return tell(DisputeChanged, event, read_dispute(event.object))


def checkout_session_completed(event: StripeEvent) -> Told:
    """`checkout.session.completed`: bought, or a card saved."""
    return tell(
        CheckoutSessionCompleted,
        event,
        read_checkout_session(event.object),
        **vars(read_made(event.object)),
        setup_intent_id=read_setup_intent_id(event.object),
        payment_status=read_payment_status(event.object),
    )


def checkout_session_paid(event: StripeEvent) -> Told:
    """`checkout.session.async_payment_succeeded`: a bank debit came through."""
    return tell(CheckoutSessionPaid, event, read_checkout_session(event.object), **vars(read_made(event.object)))


def checkout_session_unpaid(event: StripeEvent) -> Told:
    """`checkout.session.async_payment_failed`: a bank debit did not come through."""
    return tell(CheckoutSessionUnpaid, event, read_checkout_session(event.object), **vars(read_made(event.object)))


def checkout_session_expired(event: StripeEvent) -> Told:
    """`checkout.session.expired`: nobody will pay on it any more."""
    return tell(CheckoutSessionExpired, event, read_checkout_session(event.object))


def customer_deleted(event: StripeEvent) -> Told:
    """`customer.deleted`: the object is the customer itself."""
    return tell(CustomerDeleted, event, read_customer(event.object))


def subscription_changed(event: StripeEvent) -> Told:
    """`customer.subscription.created`, `.updated`, `.deleted`, `.paused`, `.resumed`: all show the same object."""
    return tell(SubscriptionChanged, event, read_subscription(event.object))


def subscription_trial_will_end(event: StripeEvent) -> Told:
    """`customer.subscription.trial_will_end`: three days before; nothing has changed yet."""
    return tell(SubscriptionTrialWillEnd, event, read_subscription(event.object))


def subscription_schedule_changed(event: StripeEvent) -> Told:
    """`subscription_schedule.*`: what will become of a subscription is planned anew."""
    return tell(SubscriptionScheduleChanged, event, read_subscription_schedule(event.object))
