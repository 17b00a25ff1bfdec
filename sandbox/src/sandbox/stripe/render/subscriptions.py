"""How subscriptions look before and since basil, which moved the current period to the items."""

from sandbox.stripe.render.catalog import plan, price
from sandbox.stripe.subscriptions.model import Subscription, SubscriptionItem
from sandbox.stripe.thing import Json
from sandbox.stripe.versions import Era


def subscription(thing: Subscription, era: Era) -> Json:
    """Render https://docs.stripe.com/api/subscriptions/object"""
    return {
        "id": thing.id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": thing.anchor,
        "billing_cycle_anchor_config": None,
        "billing_thresholds": None,
        "cancel_at": thing.cancel_at,
        "cancel_at_period_end": thing.cancel_at_period_end,
        "canceled_at": thing.canceled_at,
        "cancellation_details": dict(thing.cancellation),
        "collection_method": thing.collection_method,
        "created": thing.created,
        "currency": thing.currency,
        "customer": thing.customer,
        "days_until_due": thing.days_until_due,
        "default_payment_method": thing.default_payment_method,
        "default_source": None,
        "default_tax_rates": [],
        "description": thing.description,
        "discounts": [],
        "ended_at": thing.ended_at,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list",
            "data": [item(one, era) for one in thing.items],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={thing.id}",
        },
        "latest_invoice": thing.latest_invoice,
        "livemode": False,
        "metadata": dict(thing.metadata),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": thing.pause_collection,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": thing.created,
        "status": thing.status,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": thing.trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": thing.missing_payment_method}},
        "trial_start": thing.trial_start,
    } | (_legacy(thing) if era is Era.LEGACY else _basil())


def item(thing: SubscriptionItem, era: Era) -> Json:
    """Render https://docs.stripe.com/api/subscription_items/object"""
    shared: Json = {
        "id": thing.id,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": thing.created,
        "discounts": [],
        "metadata": dict(thing.metadata),
        "price": price(thing.price, era),
        "quantity": thing.quantity,
        "subscription": thing.subscription,
        "tax_rates": [],
    }
    if era is Era.LEGACY:
        return shared | {"plan": plan(thing.price)}
    return shared | {"current_period_end": thing.period_end, "current_period_start": thing.period_start}


def _legacy(thing: Subscription) -> Json:
    return {
        "current_period_end": thing.period_end,
        "current_period_start": thing.period_start,
        "discount": None,
    }


def _basil() -> Json:
    return {
        "billing_mode": {"flexible": None, "type": "classic"},
        "billing_schedules": [],
        "customer_account": None,
        "managed_payments": None,
    }
