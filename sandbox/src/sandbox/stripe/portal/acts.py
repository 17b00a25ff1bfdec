"""What a customer does in the portal, as far as its configuration lets him."""

from dataclasses import replace

from sandbox.stripe import bank, invoicing, payments
from sandbox.stripe.call import Call
from sandbox.stripe.cards import CARDS
from sandbox.stripe.checkout import card_setup
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.model import PaymentMethod, Price
from sandbox.stripe.portal.model import PortalSession
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions import ending, switching
from sandbox.stripe.subscriptions.collecting import card_for
from sandbox.stripe.subscriptions.model import Subscription
from sandbox.stripe.subscriptions.states import change
from sandbox.stripe.thing import Json


def feature(*, call: Call, session: PortalSession, name: str) -> Json:
    """Return what the configuration says of a feature."""
    configuration = call.account.portal_configurations.get(session.configuration)
    found: Json = configuration.features[name]
    return found


def subscription_of(*, call: Call, session: PortalSession) -> Subscription:
    """Return the customer's newest subscription that is not over. Raises Refusal where there is none."""
    held = call.account.subscriptions.where("customer", session.customer)
    running = next((one for one in held if not one.is_over), None)
    if running is None:
        raise Refusal("You have no subscription.", status=404)
    return running


def offered(*, call: Call, session: PortalSession, subscription: Subscription) -> list[Price]:
    """Return the other prices that the customer may switch to: those of its currency."""
    update = feature(call=call, session=session, name="subscription_update")
    if not update["enabled"] or "price" not in update["default_allowed_updates"]:
        return []
    named = [price for product in update["products"] for price in product["prices"]]
    prices = [call.account.prices.get(price) for price in named]
    has = subscription.items[0].price
    return [one for one in prices if one.currency == has.currency and one.id != has.id]


def switch(*, call: Call, session: PortalSession, price: str) -> Subscription:
    """Another price, billed as the configuration says; the customer is there, so a bank that asks hears yes.

    A card that would be declined changes nothing.
    """
    subscription = subscription_of(call=call, session=session)
    prices = {one.id: one for one in offered(call=call, session=session, subscription=subscription)}
    if price not in prices:
        raise Refusal(f"This portal does not offer {price}.", param="price")
    method = card_for(call=call, subscription=subscription)
    if method is None or CARDS[method.card].charge:
        raise Refusal("Your card was declined. Please update your payment method.", status=402, type="card_error")
    update = feature(call=call, session=session, name="subscription_update")
    first, *rest = subscription.items
    items = (replace(first, price=prices[price]), *rest)
    behaviour = update["proration_behavior"]
    switched = switching.switch(call=call, subscription=subscription, items=items, behaviour=behaviour)
    _say_yes(call=call, invoice=call.account.invoices.get(str(switched.latest_invoice)))
    return call.account.subscriptions.get(switched.id)


def cancel(
    *, call: Call, session: PortalSession, feedback: str | None = None, comment: str | None = None
) -> Subscription:
    """With the period's end or at once, as the configuration says."""
    how = _enabled(call=call, session=session, name="subscription_cancel")
    subscription = subscription_of(call=call, session=session)
    if how["mode"] == "immediately":
        reason = "cancellation_requested"
        return ending.cancel(call=call, subscription=subscription, reason=reason, feedback=feedback, comment=comment)
    planned = ending.at_period_end(call=call, subscription=subscription, wanted=True)
    details = {**planned.cancellation, "feedback": feedback, "comment": comment}
    return _store(call=call, planned=replace(planned, cancellation=details), before=subscription)


def resume(*, call: Call, session: PortalSession) -> Subscription:
    """Take a planned cancellation back."""
    _enabled(call=call, session=session, name="subscription_cancel")
    subscription = subscription_of(call=call, session=session)
    kept = ending.at_period_end(call=call, subscription=subscription, wanted=False)
    return _store(call=call, planned=kept, before=subscription)


def update_card(*, call: Call, session: PortalSession, card: str) -> PaymentMethod:
    """Save a card (its bank, if it asks, hears yes), make it the default everywhere, and pay what is open with it.

    Raises 402 for a card that cannot be saved.
    """
    _enabled(call=call, session=session, name="payment_method_update")
    intent = card_setup.begin(call=call, customer=session.customer, description=None, metadata={})
    intent = card_setup.attempt(call=call, intent=intent, card=card, bank=session.url)
    if intent.status == "requires_action":
        intent = card_setup.answer_bank(call=call, intent=intent, authorised=True)
    if intent.last_setup_error:
        raise Refusal(intent.last_setup_error["message"], status=402, type="card_error")
    method = call.account.payment_methods.get(str(intent.payment_method))
    _make_default(call=call, customer=session.customer, method=method)
    for invoice in call.account.invoices.where("customer", session.customer):
        if invoice.status == "open" and invoice.subscription:
            _pay(call=call, invoice=invoice, method=method)
    return method


def _pay(*, call: Call, invoice: Invoice, method: PaymentMethod) -> None:
    intent = payments.attempt(
        call=call,
        intent=call.account.payment_intents.get(str(invoice.payment_intent)),
        method=method,
        off_session=False,
        return_url=invoice.hosted_invoice_url,
    )
    if intent.status != "requires_action":
        invoicing.follow(call=call, intent=intent)
    _say_yes(call=call, invoice=call.account.invoices.get(invoice.id))


def _say_yes(*, call: Call, invoice: Invoice) -> None:
    """Authorise a payment for which the bank waits."""
    intent = call.account.payment_intents.find(str(invoice.payment_intent))
    if invoice.status == "open" and intent and intent.status == "requires_action":
        bank.answer(call=call, intent=intent, authorised=True)


def _make_default(*, call: Call, customer: str, method: PaymentMethod) -> None:
    """Make it the customer's default, and that of each subscription that has a card of its own."""
    before = call.account.customers.get(customer)
    call.save(replace(before, default_payment_method=method.id))
    call.emit("customer.updated", call.account.customers.get(customer), before=before)
    for subscription in call.account.subscriptions.where("customer", customer):
        if subscription.default_payment_method and not subscription.is_over:
            change(call=call, subscription=subscription, default_payment_method=method.id)


def _enabled(*, call: Call, session: PortalSession, name: str) -> Json:
    found = feature(call=call, session=session, name=name)
    if not found["enabled"]:
        raise Refusal(f"This portal has {name} disabled.", param=name)
    return found


def _store(*, call: Call, planned: Subscription, before: Subscription) -> Subscription:
    if planned != before:
        call.save(planned)
        call.emit("customer.subscription.updated", planned, before=before)
    return planned
