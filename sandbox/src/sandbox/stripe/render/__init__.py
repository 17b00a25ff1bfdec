"""Pure functions from the canonical objects to Stripe's JSON, in either era."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.stripe.model import Event, Json, Thing
from sandbox.stripe.render import (
    adjustments,
    catalog,
    charges,
    checkout,
    customers,
    disputes,
    events,
    invoices,
    lines,
    payments,
    portal,
    subscriptions,
)
from sandbox.stripe.versions import Era, era_of

RENDERERS: Final[Mapping[str, Callable[[Any, Era], Json]]] = {
    "customer": customers.customer,
    "customer_balance_transaction": customers.balance_transaction,
    "payment_method": customers.payment_method,
    "product": catalog.product,
    "price": catalog.price,
    "invoiceitem": lines.invoice_item,
    "line_item": lines.line,
    "invoice": invoices.invoice,
    "invoice_payment": invoices.invoice_payment,
    "payment_intent": payments.payment_intent,
    "charge": charges.charge,
    "refund": payments.refund,
    "dispute": disputes.dispute,
    "checkout.session": checkout.session,
    "item": checkout.line_item,
    "setup_intent": checkout.setup_intent,
    "subscription": subscriptions.subscription,
    "subscription_item": subscriptions.item,
    "billing_portal.configuration": portal.configuration,
    "billing_portal.session": portal.session,
    "coupon": adjustments.coupon,
    "discount": adjustments.discount,
    "tax_rate": adjustments.tax_rate,
    "webhook_endpoint": events.webhook_endpoint,
}

SINCE_BASIL: Final = frozenset({"invoice_payment"})
"""Objects that an older version has never heard of: no event about them reaches it."""


def render(thing: Thing, *, version: str) -> Json:
    """Show `thing` as an account of `version` sees it. An event keeps the version it was made with."""
    if isinstance(thing, Event):
        return render_event(thing, version=thing.api_version)
    return RENDERERS[thing.kind](thing, era_of(version))


def render_event(thing: Event, *, version: str, pending_webhooks: int = 0) -> Json:
    """Show an event with its object in `version`, as each webhook endpoint has its own."""
    data = _object_of(thing.thing, version=version)
    before = _object_of(thing.before, version=version) if thing.before else None
    return events.event(
        thing,
        data=data,
        previous=None if before is None else changed(before=before, after=data),
        version=version,
        pending_webhooks=pending_webhooks,
    )


def exists_in(thing: Event, *, version: str) -> bool:
    """Return whether an endpoint of `version` can receive this event."""
    return era_of(version) is Era.BASIL or thing.thing.kind not in SINCE_BASIL


def changed(*, before: Json, after: Json) -> Json:
    """Return `previous_attributes`: the old values of what changed; of a hash only the keys that did."""
    return {
        name: _difference(old, after.get(name))
        for name, old in before.items()
        if name not in after or old != after[name]
    }


def _difference(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return old
    added: Json = dict.fromkeys(name for name in new if name not in old)
    return added | changed(before=old, after=new)


def _object_of(thing: Thing, *, version: str) -> Json:
    return RENDERERS[thing.kind](thing, era_of(version))
