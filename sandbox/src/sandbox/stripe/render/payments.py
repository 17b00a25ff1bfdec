"""How payment intents and refunds look before and since basil."""

from sandbox.stripe.model import Json, PaymentIntent, Refund
from sandbox.stripe.versions import Era


def payment_intent(thing: PaymentIntent, era: Era) -> Json:
    """Render https://docs.stripe.com/api/payment_intents/object; its `invoice` is gone since basil."""
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
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": thing.status,
        "transfer_data": None,
        "transfer_group": None,
    } | ({"invoice": thing.invoice} if era is Era.LEGACY else {})


def refund(thing: Refund, _: Era) -> Json:
    """Render https://docs.stripe.com/api/refunds/object"""
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
        {"failure_balance_transaction": f"txn_{thing.id.removeprefix('re_')}f", "failure_reason": thing.failure_reason}
        if thing.status == "failed"
        else {}
    )
