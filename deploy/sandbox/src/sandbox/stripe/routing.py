"""Every operation of the API that the sandbox knows: its name, its path, the parameters it accepts, its function."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.stripe.call import Call
from sandbox.stripe.model import Json, Thing
from sandbox.stripe.operations import (
    charges,
    checkout_sessions,
    coupons,
    customers,
    discounts,
    disputes,
    events,
    invoice_items,
    invoice_payments,
    invoices,
    payment_intents,
    payment_methods,
    portal_configurations,
    portal_sessions,
    prices,
    products,
    refunds,
    setup_intents,
    subscription_items,
    subscriptions,
    tax_rates,
    webhook_endpoints,
)

PAGING: Final = "limit starting_after ending_before "
CUSTOMER: Final = (
    "email name phone description metadata address shipping balance tax_exempt preferred_locales invoice_prefix "
    "next_invoice_sequence invoice_settings.default_payment_method invoice_settings.custom_fields "
    "invoice_settings.footer invoice_settings.rendering_options business_name individual_name "
)
INVOICE: Final = (
    "metadata auto_advance default_payment_method description footer statement_descriptor number due_date "
    "collection_method days_until_due effective_at automatic_tax.enabled payment_settings rendering custom_fields "
    "default_tax_rates discounts "
)
ITEM: Final = (
    "amount description metadata discountable quantity unit_amount_decimal period.start period.end pricing.price price "
    "price_data.currency price_data.product price_data.unit_amount price_data.unit_amount_decimal "
    "price_data.tax_behavior tax_behavior tax_code tax_rates "
)
INTENT: Final = "metadata description receipt_email setup_future_usage payment_method payment_method_types "
CONFIRM: Final = (
    "off_session return_url use_stripe_sdk mandate error_on_requires_action capture_method payment_method_options "
)
AUTOMATIC: Final = "automatic_payment_methods.enabled automatic_payment_methods.allow_redirects confirmation_method "
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table. `{id}` in the path is one segment."""

    name: str
    method: str
    path: str
    accepts: frozenset[str]
    act: Callable[[Call], Thing | Json]


def _row(name: str, route: str, accepts: str, act: Callable[[Call], Any]) -> Operation:
    method, path = route.split()
    names = frozenset([*accepts.split(), *(["expand"] if method != "DELETE" else [])])
    return Operation(name=name, method=method, path=path, accepts=names, act=act)


OPERATIONS: Final = (
    _row("customers.create", "POST /v1/customers", CUSTOMER + "payment_method", customers.create),
    _row("customers.list", "GET /v1/customers", PAGING + "created email", customers.list_),
    _row("customers.retrieve", "GET /v1/customers/{id}", "", customers.retrieve),
    _row("customers.update", "POST /v1/customers/{id}", CUSTOMER, customers.update),
    _row("customers.delete", "DELETE /v1/customers/{id}", "", customers.delete),
    _row("customers.discount.delete", "DELETE /v1/customers/{id}/discount", "", discounts.delete_of_customer),
    _row(
        "customers.payment_methods.list",
        "GET /v1/customers/{id}/payment_methods",
        PAGING + "type allow_redisplay",
        payment_methods.list_of_customer,
    ),
    _row(
        "customers.payment_methods.retrieve",
        "GET /v1/customers/{id}/payment_methods/{method}",
        "",
        payment_methods.retrieve_of_customer,
    ),
    _row(
        "payment_methods.create",
        "POST /v1/payment_methods",
        "type card.token card.number card.exp_month card.exp_year card.cvc billing_details metadata allow_redisplay",
        payment_methods.create,
    ),
    _row("payment_methods.list", "GET /v1/payment_methods", PAGING + "customer type", payment_methods.list_),
    _row("payment_methods.retrieve", "GET /v1/payment_methods/{id}", "", payment_methods.retrieve),
    _row(
        "payment_methods.update",
        "POST /v1/payment_methods/{id}",
        "metadata billing_details",
        payment_methods.update,
    ),
    _row("payment_methods.attach", "POST /v1/payment_methods/{id}/attach", "customer", payment_methods.attach),
    _row("payment_methods.detach", "POST /v1/payment_methods/{id}/detach", "", payment_methods.detach),
    _row(
        "invoiceitems.create",
        "POST /v1/invoiceitems",
        ITEM + "customer invoice currency",
        invoice_items.create,
    ),
    _row(
        "invoiceitems.list",
        "GET /v1/invoiceitems",
        PAGING + "created customer invoice pending",
        invoice_items.list_,
    ),
    _row("invoiceitems.retrieve", "GET /v1/invoiceitems/{id}", "", invoice_items.retrieve),
    _row("invoiceitems.update", "POST /v1/invoiceitems/{id}", "amount description metadata", invoice_items.update),
    _row("invoiceitems.delete", "DELETE /v1/invoiceitems/{id}", "", invoice_items.delete),
    _row(
        "invoices.create",
        "POST /v1/invoices",
        INVOICE + "customer currency pending_invoice_items_behavior",
        invoices.create,
    ),
    _row(
        "invoices.list",
        "GET /v1/invoices",
        PAGING + "created customer status collection_method due_date subscription",
        invoices.list_,
    ),
    _row("invoices.retrieve", "GET /v1/invoices/{id}", "", invoices.retrieve),
    _row("invoices.update", "POST /v1/invoices/{id}", INVOICE, invoices.update),
    _row("invoices.delete", "DELETE /v1/invoices/{id}", "", invoices.delete),
    _row("invoices.lines.list", "GET /v1/invoices/{id}/lines", PAGING, invoices.list_lines),
    _row("invoices.finalize", "POST /v1/invoices/{id}/finalize", "auto_advance", invoices.finalize),
    _row(
        "invoices.pay",
        "POST /v1/invoices/{id}/pay",
        "payment_method source off_session paid_out_of_band forgive mandate",
        invoices.pay,
    ),
    _row("invoices.void", "POST /v1/invoices/{id}/void", "", invoices.void),
    _row(
        "invoices.mark_uncollectible",
        "POST /v1/invoices/{id}/mark_uncollectible",
        "",
        invoices.mark_uncollectible,
    ),
    _row(
        "invoice_payments.list",
        "GET /v1/invoice_payments",
        PAGING + "created invoice status payment.type payment.payment_intent payment.payment_record",
        invoice_payments.list_,
    ),
    _row("invoice_payments.retrieve", "GET /v1/invoice_payments/{id}", "", invoice_payments.retrieve),
    _row(
        "payment_intents.create",
        "POST /v1/payment_intents",
        INTENT + CONFIRM + AUTOMATIC + "amount currency customer confirm",
        payment_intents.create,
    ),
    _row("payment_intents.list", "GET /v1/payment_intents", PAGING + "created customer", payment_intents.list_),
    _row("payment_intents.retrieve", "GET /v1/payment_intents/{id}", "client_secret", payment_intents.retrieve),
    _row("payment_intents.update", "POST /v1/payment_intents/{id}", INTENT, payment_intents.update),
    _row(
        "payment_intents.confirm",
        "POST /v1/payment_intents/{id}/confirm",
        CONFIRM + "payment_method receipt_email setup_future_usage payment_method_types",
        payment_intents.confirm,
    ),
    _row(
        "payment_intents.cancel",
        "POST /v1/payment_intents/{id}/cancel",
        "cancellation_reason",
        payment_intents.cancel,
    ),
    _row("charges.list", "GET /v1/charges", PAGING + "created customer payment_intent", charges.list_),
    _row("charges.retrieve", "GET /v1/charges/{id}", "", charges.retrieve),
    _row("charges.update", "POST /v1/charges/{id}", "metadata description", charges.update),
    _row("charges.refunds.list", "GET /v1/charges/{id}/refunds", PAGING, refunds.list_of_charge),
    _row(
        "refunds.create",
        "POST /v1/refunds",
        "charge payment_intent amount reason metadata instructions_email",
        refunds.create,
    ),
    _row("refunds.list", "GET /v1/refunds", PAGING + "created charge payment_intent", refunds.list_),
    _row("refunds.retrieve", "GET /v1/refunds/{id}", "", refunds.retrieve),
    _row("refunds.update", "POST /v1/refunds/{id}", "metadata", refunds.update),
    _row("disputes.list", "GET /v1/disputes", PAGING + "created charge payment_intent", disputes.list_),
    _row("disputes.retrieve", "GET /v1/disputes/{id}", "", disputes.retrieve),
    _row("disputes.update", "POST /v1/disputes/{id}", "evidence metadata submit", disputes.update),
    _row("disputes.close", "POST /v1/disputes/{id}/close", "", disputes.close),
    _row("checkout.sessions.create", "POST /v1/checkout/sessions", SESSION, checkout_sessions.create),
    _row(
        "checkout.sessions.list",
        "GET /v1/checkout/sessions",
        PAGING + "created customer status subscription payment_intent",
        checkout_sessions.list_,
    ),
    _row(
        "checkout.sessions.line_items.list",
        "GET /v1/checkout/sessions/{id}/line_items",
        PAGING,
        checkout_sessions.list_line_items,
    ),
    _row("checkout.sessions.retrieve", "GET /v1/checkout/sessions/{id}", "", checkout_sessions.retrieve),
    _row("checkout.sessions.expire", "POST /v1/checkout/sessions/{id}/expire", "", checkout_sessions.expire),
    _row(
        "setup_intents.list", "GET /v1/setup_intents", PAGING + "created customer payment_method", setup_intents.list_
    ),
    _row("setup_intents.retrieve", "GET /v1/setup_intents/{id}", "client_secret", setup_intents.retrieve),
    _row(
        "subscriptions.create",
        "POST /v1/subscriptions",
        SUBSCRIPTION + "customer collection_method days_until_due trial_end trial_period_days currency",
        subscriptions.create,
    ),
    _row("subscriptions.list", "GET /v1/subscriptions", PAGING + "created customer price status", subscriptions.list_),
    _row("subscriptions.retrieve", "GET /v1/subscriptions/{id}", "", subscriptions.retrieve),
    _row(
        "subscriptions.update",
        "POST /v1/subscriptions/{id}",
        SUBSCRIPTION + "cancellation_details.comment cancellation_details.feedback pause_collection",
        subscriptions.update,
    ),
    _row(
        "subscriptions.cancel",
        "DELETE /v1/subscriptions/{id}",
        "cancellation_details.comment cancellation_details.feedback invoice_now prorate",
        subscriptions.cancel,
    ),
    _row(
        "subscriptions.resume",
        "POST /v1/subscriptions/{id}/resume",
        "billing_cycle_anchor proration_behavior",
        subscriptions.resume,
    ),
    _row("subscription_items.list", "GET /v1/subscription_items", PAGING + "subscription", subscription_items.list_),
    _row(
        "billing_portal.configurations.create",
        "POST /v1/billing_portal/configurations",
        PORTAL,
        portal_configurations.create,
    ),
    _row(
        "billing_portal.configurations.list",
        "GET /v1/billing_portal/configurations",
        PAGING + "active is_default",
        portal_configurations.list_,
    ),
    _row(
        "billing_portal.configurations.retrieve",
        "GET /v1/billing_portal/configurations/{id}",
        "",
        portal_configurations.retrieve,
    ),
    _row(
        "billing_portal.configurations.update",
        "POST /v1/billing_portal/configurations/{id}",
        PORTAL + "active",
        portal_configurations.update,
    ),
    _row(
        "billing_portal.sessions.create",
        "POST /v1/billing_portal/sessions",
        "customer configuration return_url locale flow_data.type flow_data.after_completion "
        "flow_data.subscription_cancel flow_data.subscription_update",
        portal_sessions.create,
    ),
    _row(
        "coupons.create",
        "POST /v1/coupons",
        "id percent_off amount_off currency duration duration_in_months name metadata max_redemptions redeem_by",
        coupons.create,
    ),
    _row("coupons.list", "GET /v1/coupons", PAGING + "created", coupons.list_),
    _row("coupons.retrieve", "GET /v1/coupons/{id}", "", coupons.retrieve),
    _row("coupons.update", "POST /v1/coupons/{id}", "metadata name", coupons.update),
    _row("coupons.delete", "DELETE /v1/coupons/{id}", "", coupons.delete),
    _row("tax_rates.create", "POST /v1/tax_rates", TAX_RATE + "percentage inclusive", tax_rates.create),
    _row("tax_rates.list", "GET /v1/tax_rates", PAGING + "created active inclusive", tax_rates.list_),
    _row("tax_rates.retrieve", "GET /v1/tax_rates/{id}", "", tax_rates.retrieve),
    _row("tax_rates.update", "POST /v1/tax_rates/{id}", TAX_RATE, tax_rates.update),
    _row("events.list", "GET /v1/events", PAGING + "created type types delivery_success", events.list_),
    _row("events.retrieve", "GET /v1/events/{id}", "", events.retrieve),
    _row(
        "webhook_endpoints.create",
        "POST /v1/webhook_endpoints",
        "url enabled_events api_version description metadata connect",
        webhook_endpoints.create,
    ),
    _row("webhook_endpoints.list", "GET /v1/webhook_endpoints", PAGING, webhook_endpoints.list_),
    _row("webhook_endpoints.retrieve", "GET /v1/webhook_endpoints/{id}", "", webhook_endpoints.retrieve),
    _row(
        "webhook_endpoints.update",
        "POST /v1/webhook_endpoints/{id}",
        "url enabled_events description metadata disabled",
        webhook_endpoints.update,
    ),
    _row("webhook_endpoints.delete", "DELETE /v1/webhook_endpoints/{id}", "", webhook_endpoints.delete),
    _row("products.create", "POST /v1/products", PRODUCT + "id", products.create),
    _row("products.list", "GET /v1/products", PAGING + "created active ids", products.list_),
    _row("products.retrieve", "GET /v1/products/{id}", "", products.retrieve),
    _row("products.update", "POST /v1/products/{id}", PRODUCT + "default_price", products.update),
    _row("products.delete", "DELETE /v1/products/{id}", "", products.delete),
    _row(
        "prices.create",
        "POST /v1/prices",
        PRICE + "product currency unit_amount recurring.interval recurring.interval_count recurring.usage_type "
        "product_data.name product_data.metadata product_data.active billing_scheme",
        prices.create,
    ),
    _row(
        "prices.list",
        "GET /v1/prices",
        PAGING + "created product currency active lookup_keys type recurring",
        prices.list_,
    ),
    _row("prices.retrieve", "GET /v1/prices/{id}", "", prices.retrieve),
    _row("prices.update", "POST /v1/prices/{id}", PRICE, prices.update),
)


def find_operation(*, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Find the row for a request, with the ids that its path carries."""
    steps = tuple(path.strip("/").split("/"))
    for pattern, operation in _BY_SHAPE.get((method, len(steps)), ()):
        if all(own == step or own.startswith("{") for own, step in zip(pattern, steps, strict=True)):
            named = zip(pattern, steps, strict=True)
            return operation, {own[1:-1]: step for own, step in named if own.startswith("{")}
    return None


_Shapes = Mapping[tuple[str, int], list[tuple[tuple[str, ...], Operation]]]


def _by_shape(operations: Iterable[Operation]) -> _Shapes:
    shapes: dict[tuple[str, int], list[tuple[tuple[str, ...], Operation]]] = {}
    for operation in operations:
        pattern = tuple(operation.path.strip("/").split("/"))
        shapes.setdefault((operation.method, len(pattern)), []).append((pattern, operation))
    return shapes


_BY_SHAPE: Final = _by_shape(OPERATIONS)
