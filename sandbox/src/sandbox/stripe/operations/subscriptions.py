"""Subscriptions (https://docs.stripe.com/api/subscriptions)."""

from dataclasses import replace
from typing import Final

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.model import Customer
from sandbox.stripe.operations import customers, payment_methods, subscription_items
from sandbox.stripe.refusals import Refusal, missing, parameter_invalid, parameter_missing
from sandbox.stripe.subscriptions import beginning, bills, ending, pausing, switching
from sandbox.stripe.subscriptions.calendar import end_of_period
from sandbox.stripe.subscriptions.model import Subscription, no_cancellation
from sandbox.stripe.thing import Json

DAY: Final = 24 * 3600
STATUSES: Final = (
    "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing",
    "unpaid",
)  # fmt: skip
FEEDBACK: Final = (
    "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex", "too_expensive",
    "unused",
)  # fmt: skip
NO_CARD: Final = (
    "This customer has no attached payment source or default payment method. Please consider adding a default payment "
    "method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting."
)

COLLECTED = ("charge_automatically", "send_invoice")


def create(call: Call) -> Subscription:
    """Begin: the first invoice is charged at once, and the subscription is `incomplete` until it is paid."""
    params = call.params
    customer = customers.living(call=call, id=params.required("customer"))
    behaviour = params.choice("payment_behavior", among=("allow_incomplete", "default_incomplete"))
    subscription = _changed(call=call, subscription=_sent(call=call, customer=customer))
    method = subscription.default_payment_method or customer.default_payment_method
    automatic = subscription.collection_method == "charge_automatically"
    if automatic and method is None and not subscription.trial_end and behaviour != "default_incomplete":
        raise Refusal(NO_CARD, code="resource_missing")
    pending = bills.pending(call=call, subscription=subscription)
    bill = beginning.first_bill(call=call, subscription=subscription, customer=customer, items=pending)
    return beginning.begin(call=call, subscription=subscription, bill=bill, attempt=behaviour != "default_incomplete")


def retrieve(call: Call) -> Subscription:
    return call.account.subscriptions.get(call.id)


def list_(call: Call) -> Json:
    """List by customer, price and status; without a status those that are not canceled."""
    params, account = call.params, call.account
    status, price = params.choice("status", among=STATUSES), params.text("price")
    things = filtered(held=account.subscriptions, call=call, by="customer", known=account.customers)
    kept = (one for one in things if _has_status(one, status))
    kept = (one for one in kept if price is None or any(item.price.id == price for item in one.items))
    return page(call=call, things=kept, url="/v1/subscriptions")


def update(call: Call) -> Subscription:
    """Change what was sent; other items are prorated as `proration_behavior` says."""
    before = retrieve(call)
    if before.is_over:
        _refuse_over(call=call)
    behaviour = call.params.choice("proration_behavior", among=switching.PRORATIONS) or "create_prorations"
    changed = _changed(call=call, subscription=before)
    items = subscription_items.changed(call=call, subscription=before)
    if items != before.items:
        emitted = _emit_update(call=call, changed=changed, before=before)
        return switching.switch(call=call, subscription=emitted, items=items, behaviour=behaviour)
    return _emit_update(call=call, changed=changed, before=before)


def cancel(call: Call) -> Subscription:
    """End it at once. Raises resource_missing for one that has ended already, as Stripe does."""
    subscription = retrieve(call)
    if subscription.is_over:
        raise missing(kind="subscription", id=subscription.id)
    for name in ("invoice_now", "prorate"):
        if call.params.boolean(name):
            raise parameter_invalid(f"The sandbox cancels without `{name}`.", param=name)
    details = call.params.nested("cancellation_details")
    return ending.cancel(
        call=call,
        subscription=subscription,
        reason="cancellation_requested",
        comment=details.text("comment"),
        feedback=details.choice("feedback", among=FEEDBACK),
    )


def resume(call: Call) -> Subscription:
    """Let a paused subscription run again. Raises a complaint about one that is not paused."""
    call.params.choice("billing_cycle_anchor", among=("now", "unchanged"))
    return pausing.resume(call=call, subscription=retrieve(call))


def _sent(*, call: Call, customer: Customer) -> Subscription:
    params, id_ = call.params, new_id(prefix="sub")
    trial_end = _trial_end(call)
    items = subscription_items.sent(call=call, subscription=id_, start=call.now, end=call.now)
    end = trial_end or end_of_period(start=call.now, anchor=call.now, price=items[0].price)
    method = params.choice("collection_method", among=COLLECTED)
    status = "trialing" if trial_end else "active" if method == "send_invoice" else "incomplete"
    return Subscription(
        id=id_,
        created=call.now,
        customer=customer.id,
        status=status,
        currency=items[0].price.currency,
        items=tuple(replace(one, period_end=end) for one in items),
        anchor=trial_end or call.now,
        collection_method=method or "charge_automatically",
        days_until_due=params.integer("days_until_due"),
        cancellation=no_cancellation(),
        trial_start=call.now if trial_end else None,
        trial_end=trial_end,
    )


def _trial_end(call: Call) -> int | None:
    days, end = call.params.integer("trial_period_days"), call.params.integer("trial_end")
    return call.now + days * DAY if days else end


def _changed(*, call: Call, subscription: Subscription) -> Subscription:
    params = call.params
    method = params.unset_or_text("default_payment_method", current=subscription.default_payment_method)
    if method and method != subscription.default_payment_method:
        payment_methods.attached(call=call, id=method, customer=subscription.customer)
    trial = params.nested("trial_settings").nested("end_behavior")
    changed = replace(
        subscription,
        metadata=params.metadata(current=subscription.metadata),
        description=params.unset_or_text("description", current=subscription.description),
        default_payment_method=method,
        missing_payment_method=trial.choice("missing_payment_method", among=pausing.TRIAL_ENDS)
        or subscription.missing_payment_method,
        pause_collection=_pause_collection(call=call, subscription=subscription),
        collection_method=params.choice("collection_method", among=COLLECTED) or subscription.collection_method,
        days_until_due=params.integer("days_until_due") or subscription.days_until_due,
    )
    return _with_cancellation(call=call, subscription=changed)


def _with_cancellation(*, call: Call, subscription: Subscription) -> Subscription:
    """Return `cancel_at_period_end`, or `cancel_at` a time; taken back by false, or by an empty time."""
    params = call.params
    at_end = params.boolean("cancel_at_period_end")
    if at_end is not None:
        subscription = ending.at_period_end(call=call, subscription=subscription, wanted=at_end)
    if params.has("cancel_at"):
        at = None if params.form["cancel_at"] == "" else params.integer("cancel_at")
        subscription = ending.at_time(call=call, subscription=subscription, at=at)
    details = params.nested("cancellation_details")
    sent = {"comment": details.text("comment"), "feedback": details.choice("feedback", among=FEEDBACK)}
    given = {name: text for name, text in sent.items() if text}
    return replace(subscription, cancellation={**subscription.cancellation, **given})


def _pause_collection(*, call: Call, subscription: Subscription) -> Json | None:
    if not call.params.has("pause_collection"):
        return subscription.pause_collection
    sent = call.params.nested("pause_collection")
    if not sent.form:
        return None
    behaviour = sent.choice("behavior", among=pausing.BEHAVIOURS)
    if behaviour is None:
        raise parameter_missing(param="pause_collection[behavior]")
    return {"behavior": behaviour, "resumes_at": sent.integer("resumes_at")}


def _emit_update(*, call: Call, changed: Subscription, before: Subscription) -> Subscription:
    if changed != before:
        call.save(changed)
        call.emit("customer.subscription.updated", changed, before=before)
    return changed


def _has_status(subscription: Subscription, status: str | None) -> bool:
    if status == "all":
        return True
    if status == "ended":
        return subscription.is_over
    return subscription.status == status if status else subscription.status != "canceled"


def _refuse_over(*, call: Call) -> None:
    if call.params.form.keys() - {"metadata", "cancellation_details", "expand"}:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
