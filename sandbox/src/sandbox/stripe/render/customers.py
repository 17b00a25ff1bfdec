"""How customers and payment methods look; the same in both eras, but for the customer's discount."""

from sandbox.stripe.cards import CARDS
from sandbox.stripe.model import BalanceTransaction, Customer, Json, PaymentMethod
from sandbox.stripe.render.adjustments import discount
from sandbox.stripe.versions import Era

EMPTY_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def customer(thing: Customer, era: Era) -> Json:
    """Render https://docs.stripe.com/api/customers/object"""
    if thing.deleted:
        return {"id": thing.id, "object": "customer", "deleted": True}
    return {
        "id": thing.id,
        "object": "customer",
        "address": thing.address,
        "balance": thing.balance,
        "created": thing.created,
        "currency": thing.currency,
        "default_source": thing.default_source,
        "delinquent": False,
        "description": thing.description,
        "discount": discount(thing.discount, era) if thing.discount else None,
        "email": thing.email,
        "invoice_prefix": thing.invoice_prefix,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": thing.default_payment_method,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": dict(thing.metadata),
        "name": thing.name,
        "next_invoice_sequence": thing.next_invoice_sequence,
        "phone": thing.phone,
        "preferred_locales": list(thing.preferred_locales),
        "shipping": thing.shipping,
        "tax_exempt": thing.tax_exempt,
        "test_clock": None,
    }


def balance_transaction(thing: BalanceTransaction, era: Era) -> Json:
    """Render https://docs.stripe.com/api/customer_balance_transactions/object"""
    newer: Json = {"checkout_session": None, "customer_account": None} if era is Era.BASIL else {}
    return newer | {
        "id": thing.id,
        "object": "customer_balance_transaction",
        "amount": thing.amount,
        "created": thing.created,
        "credit_note": None,
        "currency": thing.currency,
        "customer": thing.customer,
        "description": thing.description,
        "ending_balance": thing.ending_balance,
        "invoice": thing.invoice,
        "livemode": False,
        "metadata": dict(thing.metadata),
        "type": thing.type,
    }


def payment_method(thing: PaymentMethod, _: Era) -> Json:
    """Render https://docs.stripe.com/api/payment_methods/object"""
    return {
        "id": thing.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(thing.billing_details),
        "created": thing.created,
        "customer": thing.customer,
        "livemode": False,
        "metadata": dict(thing.metadata),
    } | (_account(thing) if CARDS[thing.card].debit else {"card": _card(thing), "type": "card"})


def billing_details(known: Json) -> Json:
    """Return every field of the billing details, null where nothing is known."""
    empty = {"address": EMPTY_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
    return {**empty, **known, "address": {**EMPTY_ADDRESS, **(known.get("address") or {})}}


def _account(thing: PaymentMethod) -> Json:
    card = CARDS[thing.card]
    return {
        "sepa_debit": {
            "bank_code": "19043",
            "branch_code": "",
            "country": card.country,
            "fingerprint": thing.fingerprint,
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": card.last4,
        },
        "type": "sepa_debit",
    }


def _card(thing: PaymentMethod) -> Json:
    card = CARDS[thing.card]
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": thing.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
