"""How Checkout sessions and setup intents look before and since basil."""

from sandbox.stripe.checkout.model import CheckoutSession, LineItem, SetupIntent
from sandbox.stripe.render.catalog import price
from sandbox.stripe.thing import Json
from sandbox.stripe.versions import Era


def session(thing: CheckoutSession, era: Era) -> Json:
    """Render https://docs.stripe.com/api/checkout/sessions/object; its page has an address while it is open."""
    return {
        "id": thing.id,
        "object": "checkout.session",
        "adaptive_pricing": None if thing.adaptive_pricing is None else {"enabled": thing.adaptive_pricing},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": thing.subtotal if thing.line_items else None,
        "amount_total": thing.total if thing.line_items else None,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": thing.cancel_url,
        "client_reference_id": thing.client_reference_id,
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "created": thing.created,
        "currency": thing.currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": thing.customer,
        "customer_creation": _customer_creation(thing),
        "customer_details": _customer_details(thing, era),
        "customer_email": thing.customer_email,
        "expires_at": thing.expires_at,
        "invoice": thing.invoice,
        "invoice_creation": None,
        "livemode": False,
        "locale": thing.locale,
        "metadata": dict(thing.metadata),
        "mode": thing.mode,
        "payment_intent": thing.intent if thing.mode == "payment" else None,
        "payment_link": None,
        "payment_method_collection": "always" if thing.mode == "subscription" else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": list(thing.payment_method_types),
        "payment_status": thing.payment_status,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": thing.setup_intent,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": thing.status,
        "submit_type": None,
        "subscription": thing.subscription,
        "success_url": thing.success_url,
        "total_details": _total_details(thing),
        "ui_mode": "hosted" if era is Era.LEGACY else "hosted_page",
        "url": thing.url if thing.status == "open" else None,
    } | (_legacy() if era is Era.LEGACY else _basil())


def line_item(thing: LineItem, era: Era) -> Json:
    """Render https://docs.stripe.com/api/checkout/sessions/line_items"""
    return {
        "id": thing.id,
        "object": "item",
        "amount_discount": thing.discount,
        "amount_subtotal": thing.amount,
        "amount_tax": thing.tax,
        "amount_total": thing.amount - thing.discount + thing.tax,
        "currency": thing.price.currency,
        "description": thing.description,
        "price": price(thing.price, era),
        "quantity": thing.quantity,
    } | ({} if era is Era.LEGACY else {"adjustable_quantity": None, "metadata": dict(thing.metadata)})


def _customer_creation(thing: CheckoutSession) -> str | None:
    if thing.mode == "setup" or (thing.customer and thing.customer_email is None):
        return None
    return "always" if thing.mode == "subscription" else "if_required"


def _total_details(thing: CheckoutSession) -> Json | None:
    if not thing.line_items:
        return None
    return {
        "amount_discount": sum(one.discount for one in thing.line_items),
        "amount_shipping": 0,
        "amount_tax": sum(one.tax for one in thing.line_items),
    }


def _customer_details(thing: CheckoutSession, era: Era) -> Json | None:
    if thing.customer_details is None:
        return None
    known = {"address": None, "phone": None, "tax_ids": [], **thing.customer_details}
    return known | ({} if era is Era.LEGACY else {"business_name": None, "individual_name": None})


def _legacy() -> Json:
    return {"shipping_details": None}


def _basil() -> Json:
    return {
        "collected_information": None,
        "customer_account": None,
        "discounts": None,
        "integration_identifier": None,
        "managed_payments": None,
        "origin_context": None,
        "permissions": None,
        "wallet_options": None,
    }


def setup_intent(thing: SetupIntent, era: Era) -> Json:
    """Render https://docs.stripe.com/api/setup_intents/object"""
    return {
        "id": thing.id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": thing.cancellation_reason,
        "client_secret": thing.client_secret,
        "created": thing.created,
        "customer": thing.customer,
        "description": thing.description,
        "flow_directions": None,
        "last_setup_error": thing.last_setup_error,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": dict(thing.metadata),
        "next_action": thing.next_action,
        "on_behalf_of": None,
        "payment_method": thing.payment_method,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": list(thing.payment_method_types),
        "single_use_mandate": None,
        "status": thing.status,
        "usage": thing.usage,
    } | ({} if era is Era.LEGACY else {"customer_account": None})
