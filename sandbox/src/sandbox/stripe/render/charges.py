"""How charges look before and since basil."""

from sandbox.stripe.cards import CARDS
from sandbox.stripe.model import Charge, Json
from sandbox.stripe.render.customers import billing_details
from sandbox.stripe.versions import Era


def charge(thing: Charge, era: Era) -> Json:
    """Render https://docs.stripe.com/api/charges/object; `amount_refunded` is cumulative, no `invoice` since basil."""
    succeeded = thing.status == "succeeded"
    return {
        "id": thing.id,
        "object": "charge",
        "amount": thing.amount,
        "amount_captured": thing.amount_captured,
        "amount_refunded": thing.amount_refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": f"txn_{thing.id.removeprefix('ch_')}" if succeeded else None,
        "billing_details": _billing_details(thing, era),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": succeeded,
        "created": thing.created,
        "currency": thing.currency,
        "customer": thing.customer,
        "description": thing.description,
        "disputed": thing.disputed,
        "failure_balance_transaction": None,
        "failure_code": thing.failure_code,
        "failure_message": thing.failure_message,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(thing.metadata),
        "on_behalf_of": None,
        "outcome": _outcome(thing),
        "paid": succeeded,
        "payment_intent": thing.payment_intent,
        "payment_method": thing.payment_method,
        "payment_method_details": _paid_with(thing, era),
        "receipt_email": thing.receipt_email,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": thing.refunded,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": thing.status,
        "transfer_data": None,
        "transfer_group": None,
    } | ({"invoice": thing.invoice} if era is Era.LEGACY else {})


def _billing_details(thing: Charge, era: Era) -> Json:
    known = billing_details(thing.billing_details)
    return known if era is Era.BASIL else {name: value for name, value in known.items() if name != "tax_id"}


def _outcome(thing: Charge) -> Json:
    declined = thing.status == "failed"
    return {
        "advice_code": "try_again_later" if declined else None,
        "network_advice_code": None,
        "network_decline_code": "05" if declined else None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": thing.decline_code,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank did not return any further details with this decline."
        if declined
        else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _paid_with(thing: Charge, era: Era) -> Json:
    card = CARDS[thing.card]
    if not card.debit:
        return {"card": _card(thing, era), "type": "card"}
    account: Json = {"bank_code": "19043", "branch_code": "", "country": card.country, "last4": card.last4}
    return {
        "sepa_debit": account | {"fingerprint": thing.fingerprint, "mandate": None},
        "type": "sepa_debit",
    }


def _card(thing: Charge, era: Era) -> Json:
    card = CARDS[thing.card]
    return {
        "amount_authorized": thing.amount if thing.status == "succeeded" else None,
        "authorization_code": None,
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "exp_month": 12,
        "exp_year": 2034,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": thing.fingerprint,
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "overcapture": {"maximum_amount_capturable": thing.amount, "status": "unavailable"},
        "three_d_secure": _three_d_secure(thing),
        "wallet": None,
    } | ({} if era is Era.LEGACY else {"network_transaction_id": None, "regulated_status": "unregulated"})


def _three_d_secure(thing: Charge) -> Json | None:
    if not thing.authenticated:
        return None
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
