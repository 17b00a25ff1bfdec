"""How disputes look before and since basil."""

from typing import Final

from sandbox.stripe.dispute_model import Dispute
from sandbox.stripe.thing import Json
from sandbox.stripe.versions import Era

TEXTS: Final = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip
NETWORK_REASONS: Final = {"fraudulent": "10.4", "product_not_received": "13.1"}
FEE: Final = 1500
"""What Stripe keeps of each dispute that it loses a seller's money to, in minor units."""


def dispute(thing: Dispute, era: Era) -> Json:
    """Render https://docs.stripe.com/api/disputes/object"""
    return {
        "id": thing.id,
        "object": "dispute",
        "amount": thing.amount,
        "balance_transactions": _movements(thing),
        "charge": thing.charge,
        "created": thing.created,
        "currency": thing.currency,
        "evidence": _evidence(thing, era),
        "evidence_details": _details(thing, era),
        "is_charge_refundable": thing.is_inquiry or thing.status == "won",
        "livemode": False,
        "metadata": dict(thing.metadata),
        "payment_intent": thing.payment_intent,
        "payment_method_details": {"card": _card(thing), "type": "card"},
        "reason": thing.reason,
        "status": thing.status,
    } | _of_era(thing, era)


def _of_era(thing: Dispute, era: Era) -> Json:
    if era is Era.LEGACY:
        return {"network_reason_code": _network_reason(thing)}
    return {"enhanced_eligibility_types": []}


def _movements(thing: Dispute) -> list[Json]:
    movements = []
    if thing.withdrawn_at is not None:
        movements.append(_movement(thing, number=1, amount=-thing.amount, fee=FEE, at=thing.withdrawn_at))
    if thing.reinstated_at is not None:
        movements.append(_movement(thing, number=2, amount=thing.amount, fee=0, at=thing.reinstated_at))
    return movements


def _movement(thing: Dispute, *, number: int, amount: int, fee: int, at: int) -> Json:
    kind = "dispute" if amount < 0 else "dispute_reversal"
    return {
        "id": f"txn_{thing.id.removeprefix('du_')}{number}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": at,
        "balance_type": "payments",
        "created": at,
        "currency": thing.currency,
        "description": f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {thing.charge}",
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [_fee(thing, fee)] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": thing.id,
        "status": "available",
        "type": "adjustment",
    }


def _fee(thing: Dispute, fee: int) -> Json:
    return {
        "amount": fee,
        "application": None,
        "currency": thing.currency,
        "description": "Dispute fee",
        "type": "stripe_fee",
    }


def _evidence(thing: Dispute, era: Era) -> Json:
    texts: Json = {name: thing.evidence.get(name) for name in TEXTS}
    return texts | ({} if era is Era.LEGACY else {"enhanced_evidence": {}})


def _details(thing: Dispute, era: Era) -> Json:
    return {
        "due_by": thing.due_by if thing.is_open else None,
        "has_evidence": bool(thing.evidence),
        "past_due": False,
        "submission_count": thing.submissions,
    } | ({} if era is Era.LEGACY else {"enhanced_eligibility": {}})


def _card(thing: Dispute) -> Json:
    return {
        "brand": thing.brand,
        "case_type": "inquiry" if thing.is_inquiry else "chargeback",
        "network": thing.brand,
        "network_reason_code": _network_reason(thing),
    }


def _network_reason(thing: Dispute) -> str | None:
    return NETWORK_REASONS.get(thing.reason)
