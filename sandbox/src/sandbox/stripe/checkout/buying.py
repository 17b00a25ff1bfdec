"""A session that sells. Nothing but the payment exists before it completes (since 2025-03-31.basil)."""

from dataclasses import replace

from sandbox.stripe import payments
from sandbox.stripe.call import Call
from sandbox.stripe.checkout import order, sessions
from sandbox.stripe.checkout.model import CheckoutSession
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.model import Customer, PaymentIntent, PaymentMethod
from sandbox.stripe.money import minimum_of
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions import beginning


def submit(*, call: Call, session: CheckoutSession, card: str) -> CheckoutSession:
    """Pay with `card`: complete, unless its bank says no (the session stays open) or wants to see the buyer."""
    if session.subscription:
        raise Refusal("The invoice of this Checkout Session's subscription is paid for itself.")
    method = call.save(_method(call=call, session=session, card=card))
    amount = _amount(call=call, session=session)
    if amount < minimum_of(str(session.currency)):
        return _deliver(call=call, session=session, method=method, intent=None)
    intent = _intent(call=call, session=session, amount=amount)
    session = call.save(replace(session, intent=intent.id))
    intent = payments.attempt(call=call, intent=intent, method=method, off_session=False, return_url=session.url)
    return follow(call=call, intent=intent) or session


def subscribe_early(*, call: Call, session: CheckoutSession) -> CheckoutSession:
    """Begin the open session's subscription, incomplete, as before 2025-03-31.basil. Its page takes no card then.

    Raises Refusal for a session that is over, sells no subscription, or has one.
    """
    sessions.refuse_closed(session)
    if session.mode != "subscription" or session.subscription:
        raise Refusal("This Checkout Session begins no subscription.")
    customer = _customer(call=call, session=session)
    subscription = order.subscription_of(call=call, session=session, customer=customer, method=None)
    bill = order.bill_of(call=call, session=session, customer=customer, subscription=subscription)
    begun = beginning.begin(call=call, subscription=subscription, bill=bill, attempt=False)
    return call.save(replace(session, customer=customer.id, subscription=begun.id, invoice=begun.latest_invoice))


def follow_debit(*, call: Call, intent: PaymentIntent) -> None:
    """Tell of a complete session what became of its debit (https://docs.stripe.com/payments/checkout/fulfill-orders)."""
    session = call.account.checkout_sessions.find(intent.checkout) if intent.checkout else None
    if session is None or session.status != "complete" or session.payment_status != "unpaid":
        return
    if intent.status == "succeeded":
        paid = call.save(replace(session, payment_status="paid"))
        call.emit("checkout.session.async_payment_succeeded", paid)
    else:
        call.emit("checkout.session.async_payment_failed", session)


def follow(*, call: Call, intent: PaymentIntent) -> CheckoutSession | None:
    """Complete the open session that `intent` paid for; none if there is nothing to complete."""
    session = call.account.checkout_sessions.find(intent.checkout) if intent.checkout else None
    if session is None or session.status != "open" or intent.status not in ("succeeded", "processing"):
        return None
    method = call.account.payment_methods.get(str(intent.payment_method))
    return _deliver(call=call, session=session, method=method, intent=intent)


def _deliver(
    *, call: Call, session: CheckoutSession, method: PaymentMethod, intent: PaymentIntent | None
) -> CheckoutSession:
    status = "unpaid" if intent and intent.status == "processing" else "paid"
    if session.mode == "payment":
        return sessions.complete(call=call, session=session, payment_status=status)
    customer = _customer(call=call, session=session)
    method = call.save(replace(method, customer=customer.id, set_up=True))
    call.emit("payment_method.attached", method)
    subscription = order.subscription_of(call=call, session=session, customer=customer, method=method.id)
    begun = beginning.begin(
        call=call,
        subscription=subscription,
        bill=order.bill_of(call=call, session=session, customer=customer, subscription=subscription),
        paid_by=intent,
    )
    made = {"customer": customer.id, "subscription": begun.id, "invoice": begun.latest_invoice}
    return sessions.complete(call=call, session=session, payment_status=status, **made)


def _customer(*, call: Call, session: CheckoutSession) -> Customer:
    customer = order.customer_of(call=call, session=session)
    if session.customer is None:
        call.save(customer)
        call.emit("customer.created", customer)
    return customer


def _amount(*, call: Call, session: CheckoutSession) -> int:
    if session.mode == "payment":
        return session.total
    customer = order.customer_of(call=call, session=session)
    subscription = order.subscription_of(call=call, session=session, customer=customer, method=None)
    bill = order.bill_of(call=call, session=session, customer=customer, subscription=subscription)
    return order.amount_due(bill=bill, customer=customer)


def _intent(*, call: Call, session: CheckoutSession, amount: int) -> PaymentIntent:
    """Return the one that was begun already, else a new one."""
    if session.intent:
        return call.account.payment_intents.get(session.intent)
    subscribing = session.mode == "subscription"
    return payments.new_intent(
        call=call,
        amount=amount,
        currency=str(session.currency),
        customer=order.customer_of(call=call, session=session).id,
        checkout=session.id,
        description="Subscription creation" if subscribing else session.description,
        metadata={} if subscribing else session.described,
        setup_future_usage="off_session" if subscribing else None,
    )


def _method(*, call: Call, session: CheckoutSession, card: str) -> PaymentMethod:
    customer = call.account.customers.find(session.customer) if session.customer else None
    return PaymentMethod(
        id=new_id(prefix="pm"),
        created=call.now,
        card=card,
        billing_details={"email": customer.email, "name": customer.name} if customer else {},
        fingerprint=new_token(length=16),
    )
