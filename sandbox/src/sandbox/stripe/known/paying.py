"""Who pays, what is owed, what was paid, and what went back."""

from typing import Final

from sandbox.stripe.known.operation import PAGING, row
from sandbox.stripe.operations import (
    balance_transactions,
    charges,
    customers,
    discounts,
    disputes,
    invoice_items,
    invoice_payments,
    invoices,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
)

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

PAYING: Final = (
    row("customers.create", "POST /v1/customers", CUSTOMER + "payment_method", customers.create),
    row("customers.list", "GET /v1/customers", PAGING + "created email", customers.list_),
    row("customers.retrieve", "GET /v1/customers/{id}", "", customers.retrieve),
    row("customers.update", "POST /v1/customers/{id}", CUSTOMER, customers.update),
    row("customers.delete", "DELETE /v1/customers/{id}", "", customers.delete),
    row("customers.discount.delete", "DELETE /v1/customers/{id}/discount", "", discounts.delete_of_customer),
    row(
        "customers.balance_transactions.create",
        "POST /v1/customers/{id}/balance_transactions",
        "amount currency description metadata",
        balance_transactions.create,
    ),
    row(
        "customers.balance_transactions.list",
        "GET /v1/customers/{id}/balance_transactions",
        PAGING + "created invoice",
        balance_transactions.list_,
    ),
    row(
        "customers.balance_transactions.retrieve",
        "GET /v1/customers/{id}/balance_transactions/{transaction}",
        "",
        balance_transactions.retrieve,
    ),
    row(
        "customers.balance_transactions.update",
        "POST /v1/customers/{id}/balance_transactions/{transaction}",
        "description metadata",
        balance_transactions.update,
    ),
    row(
        "customers.payment_methods.list",
        "GET /v1/customers/{id}/payment_methods",
        PAGING + "type allow_redisplay",
        payment_methods.list_of_customer,
    ),
    row(
        "customers.payment_methods.retrieve",
        "GET /v1/customers/{id}/payment_methods/{method}",
        "",
        payment_methods.retrieve_of_customer,
    ),
    row(
        "payment_methods.create",
        "POST /v1/payment_methods",
        "type card.token card.number card.exp_month card.exp_year card.cvc sepa_debit.iban billing_details metadata "
        "allow_redisplay",
        payment_methods.create,
    ),
    row("payment_methods.list", "GET /v1/payment_methods", PAGING + "customer type", payment_methods.list_),
    row("payment_methods.retrieve", "GET /v1/payment_methods/{id}", "", payment_methods.retrieve),
    row(
        "payment_methods.update",
        "POST /v1/payment_methods/{id}",
        "metadata billing_details",
        payment_methods.update,
    ),
    row("payment_methods.attach", "POST /v1/payment_methods/{id}/attach", "customer", payment_methods.attach),
    row("payment_methods.detach", "POST /v1/payment_methods/{id}/detach", "", payment_methods.detach),
    row(
        "invoiceitems.create",
        "POST /v1/invoiceitems",
        ITEM + "customer invoice currency",
        invoice_items.create,
    ),
    row(
        "invoiceitems.list",
        "GET /v1/invoiceitems",
        PAGING + "created customer invoice pending",
        invoice_items.list_,
    ),
    row("invoiceitems.retrieve", "GET /v1/invoiceitems/{id}", "", invoice_items.retrieve),
    row("invoiceitems.update", "POST /v1/invoiceitems/{id}", "amount description metadata", invoice_items.update),
    row("invoiceitems.delete", "DELETE /v1/invoiceitems/{id}", "", invoice_items.delete),
    row(
        "invoices.create",
        "POST /v1/invoices",
        INVOICE + "customer currency pending_invoice_items_behavior",
        invoices.create,
    ),
    row(
        "invoices.list",
        "GET /v1/invoices",
        PAGING + "created customer status collection_method due_date subscription",
        invoices.list_,
    ),
    row(
        "invoices.create_preview", "POST /v1/invoices/create_preview", "subscription customer", invoices.create_preview
    ),
    row("invoices.retrieve", "GET /v1/invoices/{id}", "", invoices.retrieve),
    row("invoices.update", "POST /v1/invoices/{id}", INVOICE, invoices.update),
    row("invoices.delete", "DELETE /v1/invoices/{id}", "", invoices.delete),
    row("invoices.lines.list", "GET /v1/invoices/{id}/lines", PAGING, invoices.list_lines),
    row("invoices.finalize", "POST /v1/invoices/{id}/finalize", "auto_advance", invoices.finalize),
    row(
        "invoices.pay",
        "POST /v1/invoices/{id}/pay",
        "payment_method source off_session paid_out_of_band forgive mandate",
        invoices.pay,
    ),
    row("invoices.void", "POST /v1/invoices/{id}/void", "", invoices.void),
    row(
        "invoices.mark_uncollectible",
        "POST /v1/invoices/{id}/mark_uncollectible",
        "",
        invoices.mark_uncollectible,
    ),
    row(
        "invoice_payments.list",
        "GET /v1/invoice_payments",
        PAGING + "created invoice status payment.type payment.payment_intent payment.payment_record",
        invoice_payments.list_,
    ),
    row("invoice_payments.retrieve", "GET /v1/invoice_payments/{id}", "", invoice_payments.retrieve),
    row(
        "payment_intents.create",
        "POST /v1/payment_intents",
        INTENT + CONFIRM + AUTOMATIC + "amount currency customer confirm",
        payment_intents.create,
    ),
    row("payment_intents.list", "GET /v1/payment_intents", PAGING + "created customer", payment_intents.list_),
    row("payment_intents.retrieve", "GET /v1/payment_intents/{id}", "client_secret", payment_intents.retrieve),
    row("payment_intents.update", "POST /v1/payment_intents/{id}", INTENT, payment_intents.update),
    row(
        "payment_intents.confirm",
        "POST /v1/payment_intents/{id}/confirm",
        CONFIRM + "payment_method receipt_email setup_future_usage payment_method_types",
        payment_intents.confirm,
    ),
    row(
        "payment_intents.cancel",
        "POST /v1/payment_intents/{id}/cancel",
        "cancellation_reason",
        payment_intents.cancel,
    ),
    row("charges.list", "GET /v1/charges", PAGING + "created customer payment_intent", charges.list_),
    row("charges.retrieve", "GET /v1/charges/{id}", "", charges.retrieve),
    row("charges.update", "POST /v1/charges/{id}", "metadata description", charges.update),
    row("charges.refunds.list", "GET /v1/charges/{id}/refunds", PAGING, refunds.list_of_charge),
    row(
        "refunds.create",
        "POST /v1/refunds",
        "charge payment_intent amount reason metadata instructions_email",
        refunds.create,
    ),
    row("refunds.list", "GET /v1/refunds", PAGING + "created charge payment_intent", refunds.list_),
    row("refunds.retrieve", "GET /v1/refunds/{id}", "", refunds.retrieve),
    row("refunds.update", "POST /v1/refunds/{id}", "metadata", refunds.update),
    row("disputes.list", "GET /v1/disputes", PAGING + "created charge payment_intent", disputes.list_),
    row("disputes.retrieve", "GET /v1/disputes/{id}", "", disputes.retrieve),
    row("disputes.update", "POST /v1/disputes/{id}", "evidence metadata submit", disputes.update),
    row("disputes.close", "POST /v1/disputes/{id}/close", "", disputes.close),
    row("setup_intents.list", "GET /v1/setup_intents", PAGING + "created customer payment_method", setup_intents.list_),
    row("setup_intents.retrieve", "GET /v1/setup_intents/{id}", "client_secret", setup_intents.retrieve),
)
