"""How payment intents, charges and refunds look before and since basil."""

from sandbox.stripe.cards import CARDS
from sandbox.stripe.model import Charge, Json, PaymentIntent, Refund
from sandbox.stripe.render.customers import billing_details
from sandbox.stripe.versions import Era


def payment_intent(thing: PaymentIntent, era: Era) -> Json:
    """https://docs.stripe.com/api/payment_intents/object; its `invoice` is gone since basil."""
    return {
        "id": thing.id,
        "object": "payment_intent",
        "amount": thing.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": thing.amount_received,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": thing.canceled_at,
        "cancellation_reason": thing.cancellation_reason,
        "capture_method": "automatic",
        "client_secret": thing.client_secret,
        "confirmation_method": "automatic",
        "created": thing.created,
        "currency": thing.currency,
        "customer": thing.customer,
        "description": thing.description,
        "last_payment_error": thing.last_payment_error,
        "latest_charge": thing.latest_charge,
        "livemode": False,
        "metadata": dict(thing.metadata),
        "next_action": thing.next_action,
        "on_behalf_of": None,
        "payment_method": thing.payment_method,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": thing.receipt_email,
        "review": None,
        "setup_future_usage": thing.setup_future_usage,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": thing.status,
        "transfer_data": None,
        "transfer_group": None,
    } | ({"invoice": thing.invoice} if era is Era.LEGACY else {})


def charge(thing: Charge, era: Era) -> Json:
    """https://docs.stripe.com/api/charges/object; `amount_refunded` is cumulative, `invoice` gone since basil."""
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
        "billing_details": billing_details(thing.billing_details),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": succeeded,
        "created": thing.created,
        "currency": thing.currency,
        "customer": thing.customer,
        "description": thing.description,
        "disputed": False,
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
        "payment_method_details": {"card": _card(thing), "type": "card"},
        "receipt_email": thing.receipt_email,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": thing.refunded,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": thing.status,
        "transfer_data": None,
        "transfer_group": None,
    } | ({"invoice": thing.invoice} if era is Era.LEGACY else {})


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


def _card(thing: Charge) -> Json:
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
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": thing.amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": _three_d_secure(thing),
        "wallet": None,
    }


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


def refund(thing: Refund, _: Era) -> Json:
    """https://docs.stripe.com/api/refunds/object"""
    return {
        "id": thing.id,
        "object": "refund",
        "amount": thing.amount,
        "balance_transaction": f"txn_{thing.id.removeprefix('re_')}",
        "charge": thing.charge,
        "created": thing.created,
        "currency": thing.currency,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": dict(thing.metadata),
        "payment_intent": thing.payment_intent,
        "reason": thing.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": thing.status,
        "transfer_reversal": None,
    } | (
        {"failure_balance_transaction": None, "failure_reason": thing.failure_reason}
        if thing.status == "failed"
        else {}
    )
