"""What is sold and how: checkout, subscriptions, the portal, prices; and who receives events of it."""

from typing import Final

from sandbox.stripe.known.operation import PAGING, row
from sandbox.stripe.operations import (
    checkout_sessions,
    coupons,
    events,
    portal_configurations,
    portal_sessions,
    prices,
    products,
    subscription_items,
    subscriptions,
    tax_rates,
    webhook_endpoints,
)

SESSION: Final = (
    "mode ui_mode currency customer customer_email success_url cancel_url client_reference_id metadata expires_at "
    "locale payment_method_types payment_method_options setup_intent_data.description setup_intent_data.metadata "
    "allowed_payment_method_types "
    "adaptive_pricing.enabled line_items subscription_data.description subscription_data.metadata "
    "payment_intent_data.description payment_intent_data.metadata "
)
SUBSCRIPTION: Final = (
    "items metadata description default_payment_method cancel_at cancel_at_period_end proration_behavior "
    "payment_behavior off_session trial_settings.end_behavior payment_settings.save_default_payment_method "
)
PORTAL: Final = (
    "features business_profile.headline business_profile.privacy_policy_url business_profile.terms_of_service_url "
    "default_return_url metadata name "
)
TAX_RATE: Final = "active country description display_name jurisdiction metadata state tax_type "
PRODUCT: Final = "name active description metadata statement_descriptor unit_label url tax_code images "
PRICE: Final = "active nickname lookup_key transfer_lookup_key metadata tax_behavior "

SELLING: Final = (
    row("checkout.sessions.create", "POST /v1/checkout/sessions", SESSION, checkout_sessions.create),
    row(
        "checkout.sessions.list",
        "GET /v1/checkout/sessions",
        PAGING + "created customer status subscription payment_intent",
        checkout_sessions.list_,
    ),
    row(
        "checkout.sessions.line_items.list",
        "GET /v1/checkout/sessions/{id}/line_items",
        PAGING,
        checkout_sessions.list_line_items,
    ),
    row("checkout.sessions.retrieve", "GET /v1/checkout/sessions/{id}", "", checkout_sessions.retrieve),
    row("checkout.sessions.expire", "POST /v1/checkout/sessions/{id}/expire", "", checkout_sessions.expire),
    row(
        "subscriptions.create",
        "POST /v1/subscriptions",
        SUBSCRIPTION + "customer collection_method days_until_due trial_end trial_period_days currency",
        subscriptions.create,
    ),
    row("subscriptions.list", "GET /v1/subscriptions", PAGING + "created customer price status", subscriptions.list_),
    row("subscriptions.retrieve", "GET /v1/subscriptions/{id}", "", subscriptions.retrieve),
    row(
        "subscriptions.update",
        "POST /v1/subscriptions/{id}",
        SUBSCRIPTION + "cancellation_details.comment cancellation_details.feedback pause_collection "
        "collection_method days_until_due",
        subscriptions.update,
    ),
    row(
        "subscriptions.cancel",
        "DELETE /v1/subscriptions/{id}",
        "cancellation_details.comment cancellation_details.feedback invoice_now prorate",
        subscriptions.cancel,
    ),
    row(
        "subscriptions.resume",
        "POST /v1/subscriptions/{id}/resume",
        "billing_cycle_anchor proration_behavior",
        subscriptions.resume,
    ),
    row("subscription_items.list", "GET /v1/subscription_items", PAGING + "subscription", subscription_items.list_),
    row(
        "billing_portal.configurations.create",
        "POST /v1/billing_portal/configurations",
        PORTAL,
        portal_configurations.create,
    ),
    row(
        "billing_portal.configurations.list",
        "GET /v1/billing_portal/configurations",
        PAGING + "active is_default",
        portal_configurations.list_,
    ),
    row(
        "billing_portal.configurations.retrieve",
        "GET /v1/billing_portal/configurations/{id}",
        "",
        portal_configurations.retrieve,
    ),
    row(
        "billing_portal.configurations.update",
        "POST /v1/billing_portal/configurations/{id}",
        PORTAL + "active",
        portal_configurations.update,
    ),
    row(
        "billing_portal.sessions.create",
        "POST /v1/billing_portal/sessions",
        "customer configuration return_url locale flow_data.type flow_data.after_completion "
        "flow_data.subscription_cancel flow_data.subscription_update",
        portal_sessions.create,
    ),
    row(
        "coupons.create",
        "POST /v1/coupons",
        "id percent_off amount_off currency duration duration_in_months name metadata max_redemptions redeem_by",
        coupons.create,
    ),
    row("coupons.list", "GET /v1/coupons", PAGING + "created", coupons.list_),
    row("coupons.retrieve", "GET /v1/coupons/{id}", "", coupons.retrieve),
    row("coupons.update", "POST /v1/coupons/{id}", "metadata name", coupons.update),
    row("coupons.delete", "DELETE /v1/coupons/{id}", "", coupons.delete),
    row("tax_rates.create", "POST /v1/tax_rates", TAX_RATE + "percentage inclusive", tax_rates.create),
    row("tax_rates.list", "GET /v1/tax_rates", PAGING + "created active inclusive", tax_rates.list_),
    row("tax_rates.retrieve", "GET /v1/tax_rates/{id}", "", tax_rates.retrieve),
    row("tax_rates.update", "POST /v1/tax_rates/{id}", TAX_RATE, tax_rates.update),
    row("events.list", "GET /v1/events", PAGING + "created type types delivery_success", events.list_),
    row("events.retrieve", "GET /v1/events/{id}", "", events.retrieve),
    row(
        "webhook_endpoints.create",
        "POST /v1/webhook_endpoints",
        "url enabled_events api_version description metadata connect",
        webhook_endpoints.create,
    ),
    row("webhook_endpoints.list", "GET /v1/webhook_endpoints", PAGING, webhook_endpoints.list_),
    row("webhook_endpoints.retrieve", "GET /v1/webhook_endpoints/{id}", "", webhook_endpoints.retrieve),
    row(
        "webhook_endpoints.update",
        "POST /v1/webhook_endpoints/{id}",
        "url enabled_events description metadata disabled",
        webhook_endpoints.update,
    ),
    row("webhook_endpoints.delete", "DELETE /v1/webhook_endpoints/{id}", "", webhook_endpoints.delete),
    row("products.create", "POST /v1/products", PRODUCT + "id", products.create),
    row("products.list", "GET /v1/products", PAGING + "created active ids", products.list_),
    row("products.retrieve", "GET /v1/products/{id}", "", products.retrieve),
    row("products.update", "POST /v1/products/{id}", PRODUCT + "default_price", products.update),
    row("products.delete", "DELETE /v1/products/{id}", "", products.delete),
    row(
        "prices.create",
        "POST /v1/prices",
        PRICE + "product currency unit_amount recurring.interval recurring.interval_count recurring.usage_type "
        "product_data.name product_data.metadata product_data.active billing_scheme",
        prices.create,
    ),
    row(
        "prices.list",
        "GET /v1/prices",
        PAGING + "created product currency active lookup_keys type recurring",
        prices.list_,
    ),
    row("prices.retrieve", "GET /v1/prices/{id}", "", prices.retrieve),
    row("prices.update", "POST /v1/prices/{id}", PRICE, prices.update),
)
