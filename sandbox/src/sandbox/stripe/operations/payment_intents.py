"""Payment intents (https://docs.stripe.com/api/payment_intents), of invoices and of their own."""

from dataclasses import replace

from sandbox.stripe import invoicing, payments
from sandbox.stripe.call import Call
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.model import Json, PaymentIntent, PaymentMethod
from sandbox.stripe.money import check_payable, currency_of
from sandbox.stripe.operations import customers, payment_methods
from sandbox.stripe.refusals import Refusal, parameter_missing

REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> PaymentIntent:
    """Make an intent of its own; `confirm=true` attempts it at once."""
    params = call.params
    amount, customer = params.integer("amount"), params.text("customer")
    if amount is None:
        raise parameter_missing(param="amount")
    currency = currency_of(params.required("currency"))
    check_payable(amount, currency=currency)
    if customer:
        customers.living(call=call, id=customer)
    intent = payments.new_intent(call=call, amount=amount, currency=currency, customer=customer)
    intent = call.save(_changed(call=call, intent=intent))
    return _confirm(call=call, intent=intent) if params.boolean("confirm") else intent


def retrieve(call: Call) -> PaymentIntent:
    return call.account.payment_intents.get(call.id, param="intent")


def update(call: Call) -> PaymentIntent:
    """Metadata and description at any time, the method while it is open."""
    return call.save(_changed(call=call, intent=retrieve(call)))


def list_(call: Call) -> Json:
    """List all intents, or one customer's."""
    account = call.account
    things = filtered(held=account.payment_intents, call=call, by="customer", known=account.customers)
    return page(call=call, things=things, url="/v1/payment_intents")


def confirm(call: Call) -> PaymentIntent:
    """Attempt on-session (or `off_session`); with `return_url` the bank's page is in `next_action`."""
    return _confirm(call=call, intent=retrieve(call))


def cancel(call: Call) -> PaymentIntent:
    """Cancel the intent; an invoice's is cancelled by voiding the invoice only."""
    intent = retrieve(call)
    if intent.invoice:
        message = "You cannot cancel this PaymentIntent because it was created by an Invoice. Void the invoice instead."
        raise payments.unexpected_state(call=call, intent=intent, message=message)
    reason = call.params.choice("cancellation_reason", among=REASONS)
    return payments.cancel(call=call, intent=intent, reason=reason)


def _confirm(*, call: Call, intent: PaymentIntent) -> PaymentIntent:
    _refuse_closed(call=call, intent=intent)
    off_session = call.params.boolean("off_session") or False
    attempted = payments.attempt(
        call=call,
        intent=intent,
        method=_method_for(call=call, intent=intent),
        off_session=off_session,
        return_url=call.params.text("return_url"),
    )
    if attempted.status != "requires_action" or off_session:
        invoicing.follow(call=call, intent=attempted)
    if attempted.last_payment_error:
        raise payments.refusal_of(call=call, intent=attempted)
    return attempted


def _refuse_closed(*, call: Call, intent: PaymentIntent) -> None:
    if intent.status in payments.OPEN:
        return
    message = f"You cannot confirm this PaymentIntent because it has a status of {intent.status}."
    if intent.status == "succeeded":
        message = (
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
    raise payments.unexpected_state(call=call, intent=intent, message=message)


def _method_for(*, call: Call, intent: PaymentIntent) -> PaymentMethod:
    named = call.params.text("payment_method") or intent.payment_method
    if named is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken."
        )
        raise payments.unexpected_state(call=call, intent=intent, message=message)
    method = payment_methods.known_or_new(call=call, named=named)
    _refuse_stranger(intent=intent, method=method)
    return call.save(replace(method, spent=method.customer is None))


def _refuse_stranger(*, intent: PaymentIntent, method: PaymentMethod) -> None:
    if method.spent:
        raise Refusal(payment_methods.SPENT)
    if method.customer and method.customer != intent.customer:
        message = "The PaymentMethod you provided belongs to another Customer than the PaymentIntent."
        raise Refusal(message, param="payment_method")


def _changed(*, call: Call, intent: PaymentIntent) -> PaymentIntent:
    params = call.params
    method = params.text("payment_method")
    known = call.save(payment_methods.known_or_new(call=call, named=method)) if method else None
    ready = known and intent.status == "requires_payment_method"
    return replace(
        intent,
        metadata=params.metadata(current=intent.metadata),
        description=params.unset_or_text("description", current=intent.description),
        receipt_email=params.unset_or_text("receipt_email", current=intent.receipt_email),
        setup_future_usage=params.choice("setup_future_usage", among=("on_session", "off_session")),
        payment_method=known.id if known else intent.payment_method,
        status="requires_confirmation" if ready else intent.status,
    )
