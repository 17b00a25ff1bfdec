"""What platform staff get."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from purchases.api.examples import PURCHASE
from purchases.api.replies import PurchaseReply, members_of
from purchases.domain.transitions import Status
from purchases.store.rows import Purchase, Transition

EXAMPLE: Final[JsonDict] = {
    **PURCHASE,
    "bought_by": "user:user-1",
    "sequence": 2,
    "payable": False,
    "stripe_customer_id": "cus_TQ5m0Yq1Zk3x9B",
    "stripe_invoice_id": "in_1SVq2jLkdIwHu7ixTzM0aVbC",
    "stripe_payment_intent_id": "pi_3SVq2kLkdIwHu7ix0hRbQpXn",
    "history": [
        {
            "sequence": 1,
            "to_status": "pending",
            "trigger": "bought",
            "stale": False,
            "actor": "user:user-1",
            "at": "2026-03-02T09:12:00.250000Z",
        },
        {
            "sequence": 2,
            "from_status": "pending",
            "to_status": "paid",
            "trigger": "payment_succeeded",
            "stale": False,
            "actor": "stripe",
            "stripe_event_id": "evt_1SVq2lLkdIwHu7ixmZt0UuYy",
            "at": "2026-03-02T09:12:02.118204Z",
        },
    ],
    "payments": [
        {
            "stripe_invoice_id": "in_1SVq2jLkdIwHu7ixTzM0aVbC",
            "stripe_payment_intent_id": "pi_3SVq2kLkdIwHu7ix0hRbQpXn",
            "paid_cents": 49900,
            "currency": "EUR",
            "returned": False,
            "recorded_at": "2026-03-02T09:12:02.118204Z",
        }
    ],
    "refunds": [],
}


class TransitionReply(BaseModel):
    """One line of the history; a stale one changed nothing."""

    sequence: int
    from_status: Status | None = None
    to_status: Status
    trigger: str
    stale: bool
    actor: str
    stripe_event_id: str | None = None
    reason: str | None = None
    at: datetime


class PaymentReply(BaseModel):
    """One paid invoice of the purchase."""

    stripe_invoice_id: str
    stripe_payment_intent_id: str | None = None
    stripe_charge_id: str | None = None
    paid_cents: int
    currency: str
    returned: bool = Field(description="It found no purchase to pay and goes back")
    recorded_at: datetime


class RefundReply(BaseModel):
    """One refund, money that was returned, or a lost dispute."""

    stripe_refund_id: str | None = Field(default=None, description="Null while staff's refund is only requested")
    kind: str
    refund_cents: int
    currency: str
    status: str
    recorded_at: datetime


class AdminPurchaseReply(PurchaseReply):
    """With what staff need: history, money, Stripe's ids."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    bought_by: str
    sequence: int
    payable: bool = Field(description="Money may still arrive for it at Stripe")
    stripe_customer_id: str | None = None
    stripe_invoice_id: str | None = None
    stripe_payment_intent_id: str | None = None
    stripe_charge_id: str | None = None
    stripe_price_id: str | None = None
    stripe_checkout_session_id: str | None = None
    stripe_subscription_id: str | None = None
    history: list[TransitionReply]
    payments: list[PaymentReply]
    refunds: list[RefundReply]


def admin_purchase_reply(purchase: Purchase, history: Sequence[Transition]) -> AdminPurchaseReply:
    own = {name: getattr(purchase, name) for name in AdminPurchaseReply.model_fields if hasattr(Purchase, name)}
    children = {
        "history": _each(TransitionReply, history),
        "payments": _each(PaymentReply, purchase.payments),
        "refunds": _each(RefundReply, purchase.refunds),
    }
    return AdminPurchaseReply.model_validate(own | members_of(purchase) | children)


def _each(kind: type[BaseModel], rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in kind.model_fields} for row in rows]
